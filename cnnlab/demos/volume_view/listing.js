// "Show me the code": as it stands it prints the numbers shown. Many numbers are written as bytes.
const MOST_LISTED = 500;

function literal({ values, shape }, indent) {
  if (values.length > MOST_LISTED) {
    const bytes = new Uint8Array(Float64Array.from(values).buffer);
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return `np.frombuffer(base64.b64decode("${btoa(text)}"), dtype="<f8").reshape(${shape.join(", ")})`;
  }
  const nest = (from, axes, depth) => {
    if (!axes.length) return String(values[from]);
    const step = product(axes.slice(1));
    const items = Array.from({ length: axes[0] }, (_, i) => nest(from + i * step, axes.slice(1), depth + 1));
    return `[${items.join(axes.length > 1 ? `,\n${" ".repeat(indent + depth + 1)}` : ", ")}]`;
  };
  return `np.array(${nest(0, shape, 0)}, dtype=float)`;
}

const PAD_MODES = { zeros: "constant", reflect: "reflect", replicate: "edge", circular: "wrap" };

function arraysText({ x, w, biases, rank }) {
  const drop = ({ values, shape }, ones) => ({ values, shape: [...shape.slice(0, ones), ...shape.slice(ones + 3 - rank)] });
  const [input, weight] = [drop(x, 1), drop(w, 2)];
  const many = Math.max(input.values.length, weight.values.length) > MOST_LISTED;
  const names = { 1: "W", 2: "H, W", 3: "D, H, W" }[rank];
  const kernel = { 1: "K", 2: "KH, KW", 3: "KD, KH, KW" }[rank];
  return {
    many,
    text: `x = ${literal(input, 13)}  # (C_in, ${names})
w = ${literal(weight, 13)}  # (C_out, C_in/groups, ${kernel})
b = np.array([${(biases ?? Array(w.shape[0]).fill(0)).join(", ")}], dtype=float)`,
  };
}

const tuple = (list) => `(${list.join(", ")}${list.length === 1 ? "," : ""})`;

function optionsOf({ axes, rank, kernel }) {
  const used = spatial(axes, rank);
  const each = (name) => tuple(used.map((axis) => axis[name]));
  return { stride: each("stride"), padding: each("before"), dilation: each("dilation"), kernel: tuple(spatial(kernel, rank)) };
}

function volumeNumpy(model, filter) {
  const { many, text } = arraysText(model);
  const { stride, padding, dilation } = optionsOf(model);
  return `${many ? "import base64\n" : ""}import numpy as np

${text}
groups, stride, padding, dilation = ${model.groups}, ${stride}, ${padding}, ${dilation}

padded = np.pad(x, [(0, 0), *((p, p) for p in padding)], mode="${PAD_MODES[model.mode]}")
C_out, depth, *K = w.shape
size = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(padded.shape[1:], K, stride, dilation)]
partial = np.empty((C_out, depth, *size))  # what each channel contributes to each map
for j in range(C_out):
    first = j // (C_out // groups) * depth  # the first channel that filter j sees
    for place in np.ndindex(*size):
        window = tuple(slice(o * s, o * s + d * (k - 1) + 1, d) for o, s, d, k in zip(place, stride, dilation, K))
        patch = padded[(slice(first, first + depth), *window)]  # (C_in/groups, *K)
        partial[(j, slice(None), *place)] = (patch * w[j]).reshape(depth, -1).sum(axis=1)
y = partial.sum(axis=1) + b.reshape(-1, *[1] * len(K))
print(y.shape, w.size + ${model.biases ? "b.size" : "0"}, "parameters")
print(y[${filter}])`;
}

function volumeTorch(model, filter) {
  const { many, text } = arraysText(model);
  const { stride, padding, dilation, kernel } = optionsOf(model);
  const { channels, filters, groups, mode, rank, biases } = model;
  const layer = `stride=${stride}, padding=${padding}, dilation=${dilation}, groups=${groups}, bias=${biases ? "True" : "False"}, padding_mode="${mode}"`;
  return `${many ? "import base64\n" : ""}import numpy as np
import torch

${text}

layer = torch.nn.Conv${rank}d(${channels}, ${filters}, ${kernel}, ${layer}, dtype=torch.float64)
with torch.no_grad():
    layer.weight.copy_(torch.tensor(w))${biases ? "\n    layer.bias.copy_(torch.tensor(b))" : ""}
    y = layer(torch.tensor(x)[None])[0]  # (N, C_in, …) → (N, C_out, …)
print(tuple(y.shape), sum(p.numel() for p in layer.parameters()), "parameters")
print(y[${filter}])`;
}
