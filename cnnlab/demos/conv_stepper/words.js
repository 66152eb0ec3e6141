// The sentences and the code: the same numbers as in the picture.
const factor = (value) => (value < 0 ? `(${short(value, 4)})` : short(value, 4));

function arithmetic(products, bias) {
  const terms = products.map(({ input, weight }) => `${factor(input)}·${factor(weight)}`);
  const shown = terms.length > 12 ? [...terms.slice(0, 9), `… (${terms.length - 9} more)`] : terms;
  return `${shown.join(" + ")}${bias ? ` + bias ${factor(bias)}` : ""} = `;
}

const AXIS = ["height", "width"];

function sizeWords({ axes, sizes, outputs }) {
  return axes.map(({ kernel, stride, before, dilation }, i) => {
    const reach = dilation === 1 ? `${kernel}` : `${dilation}·(${kernel} − 1) − 1`;
    return `${AXIS[i]} ⌊(${sizes[i]} + 2·${before} − ${reach})/${stride}⌋ + 1 = ${outputs[i]}`;
  }).join(", ");
}

const NUMPY_MODES = { zeros: "constant", reflect: "reflect", replicate: "edge", circular: "wrap" };

const listed = (rows) => `[${rows.map((row) => `[${row.join(", ")}]`).join(",\n              ")}]`;

function numpyListing({ x, w, b, stride, padding, dilation, padding_mode: mode, flip }) {
  const [[ph, pw], [dh, dw]] = [padding, dilation];
  return `import numpy as np

x = np.array(${listed(x)}, dtype=float)
w = np.array(${listed(w)}, dtype=float)${flip ? "[::-1, ::-1]  # turned by 180°" : ""}
b = ${b}
S_H, S_W = ${stride.join(", ")}  # stride
D_H, D_W = ${dh}, ${dw}  # dilation

padded = np.pad(x, ((${ph}, ${ph}), (${pw}, ${pw})), mode="${NUMPY_MODES[mode]}")
E_H, E_W = (D * (K - 1) + 1 for D, K in zip((D_H, D_W), w.shape))  # what the kernel covers
H, W = ((n - E) // S + 1 for n, E, S in zip(padded.shape, (E_H, E_W), (S_H, S_W)))
y = np.empty((H, W))
for i in range(H):
    for j in range(W):
        window = padded[i * S_H : i * S_H + E_H : D_H, j * S_W : j * S_W + E_W : D_W]
        y[i, j] = (window * w).sum() + b
print(y)`;
}

function torchListing({ x, w, b, stride, padding, dilation, padding_mode: mode, flip }) {
  const pair = (values) => `(${values.join(", ")})`;
  return `import torch

x = torch.tensor(${listed(x).replaceAll("\n", "\n   ")}, dtype=torch.float64)
w = torch.tensor(${listed(w).replaceAll("\n", "\n   ")}, dtype=torch.float64)${flip ? ".flip(0, 1)  # turned by 180°" : ""}

layer = torch.nn.Conv2d(
    1, 1, kernel_size=tuple(w.shape), stride=${pair(stride)}, padding=${pair(padding)},
    dilation=${pair(dilation)}, padding_mode="${mode}", dtype=torch.float64,
)
with torch.no_grad():
    layer.weight[0, 0] = w
    layer.bias[0] = ${b}
    y = layer(x[None, None])[0, 0]
print(y)`;
}
