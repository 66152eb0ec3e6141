// The net as code: cnnlab and PyTorch take the same options under the same names.
const python = (value) => {
  if (Array.isArray(value)) return `(${value.join(", ")}${value.length === 1 ? "," : ""})`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" ? `"${value}"` : String(value);
};

const USUAL = { stride: [1, "kernel"], padding: [0], dilation: [1], groups: [1], bias: [true], padding_mode: ["zeros"], ceil_mode: [false], count_include_pad: [true], affine: [true] };
const PLAIN = { relu: "ReLU()", tanh: "Tanh()", sigmoid: "Sigmoid()", flatten: "Flatten()" };

// The options that differ from their defaults, by name.
function named(row, names) {
  return names.filter((name) => row[name] !== undefined && !isUsual(row, name)).map((name) => `, ${name}=${python(row[name])}`).join("");
}

// A pool's usual stride is its kernel, which has a word of its own: 1 is not usual there.
const isUsual = (row, name) => (name === "stride" && row.kind !== "conv" ? row.stride === "kernel" : USUAL[name].includes(row[name]));

function layerCode(row, [channels, ...spatial], torch) {
  const rank = Math.max(1, spatial.length);
  if (row.kind === "conv") {
    const options = named(row, ["stride", "padding", "dilation", "groups", "bias", "padding_mode"]);
    return [`nn.Conv${rank}d(${channels}, ${row.out_channels}, ${python(row.kernel_size)}${options})`];
  }
  if (row.kind === "maxpool" || row.kind === "avgpool") {
    const name = row.kind === "maxpool" ? "MaxPool" : "AvgPool";
    return [`nn.${name}${rank}d(${python(row.kernel_size)}${named(row, ["stride", "padding", "dilation", "ceil_mode", "count_include_pad"])})`];
  }
  if (row.kind === "linear") return [`nn.Linear(${channels}, ${row.out_features}${named(row, ["bias"])})`];
  if (row.kind === "batchnorm") return [`nn.BatchNorm${rank}d(${channels}${named(row, ["affine"])})`];
  if (row.kind === "dropout") return [`nn.Dropout(${row.p})`];
  if (row.kind !== "globalpool") return [`nn.${PLAIN[row.kind]}`];
  if (!torch) return [`nn.GlobalPool("${row.how}")`];
  return [`nn.Adaptive${row.how === "max" ? "Max" : "Avg"}Pool${rank}d(1)`, "nn.Flatten()"];
}

// The rows that fit, with what each puts out beside it.
function sequential({ rows }, table, torch) {
  const fine = table.bad < 0 ? rows : rows.slice(0, table.bad);
  const lines = fine.flatMap((row, i) => {
    const { input, shape } = table.rows[i];
    const code = layerCode(row, input, torch);
    return code.map((text, j) => `    ${text},${j === code.length - 1 ? `  # ${shape.join(" × ")}` : ""}`);
  });
  const rest = table.bad < 0 ? [] : [`    # row ${table.bad + 1} does not fit: ${table.fault.words}`];
  return `net = nn.Sequential(\n${[...lines, ...rest].join("\n")}\n)`;
}

function cnnlabListing(view, table) {
  return `import cnnlab
from cnnlab import nn

${sequential(view, table, false)}
print(cnnlab.summary(net, ${python(view.input_shape)}))`;
}

function torchListing(view, table) {
  return `import torch
from torch import nn

${sequential(view, table, true)}
x = torch.zeros(${[1, ...view.input_shape].join(", ")})
net.eval()
with torch.no_grad():
    for layer in net:
        x = layer(x)
        print(type(layer).__name__, tuple(x.shape[1:]), sum(p.numel() for p in layer.parameters()))
print(sum(p.numel() for p in net.parameters()), "parameters")`;
}
