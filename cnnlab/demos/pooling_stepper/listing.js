// "Show me the code": as it stands it prints the numbers shown.
const arrayText = (rows, indent) => `[${rows.map((row) => `[${row.join(", ")}]`).join(`,\n${" ".repeat(indent)}`)}]`;
const rowsOf = (flat, columns) => Array.from({ length: flat.length / columns }, (_, r) => flat.slice(r * columns, (r + 1) * columns));

function poolNumpy({ x, ceil_mode: ceil, count_include_pad: includePad, how }, { axes, outputs }, dy) {
  const pair = (name) => `(${axes.map((axis) => axis[name]).join(", ")})`;
  const starts = ceil
    ? `    """Where windows start; a last one may reach beyond the padded input, but starts before its end."""
    return [a for a in range(-P, size, S) if a - S + D * (K - 1) < size + P - 1]`
    : `    """Where windows start: negative in the padding before the input."""
    return list(range(-P, size + P - D * (K - 1), S))`;
  const body = how === "max"
    ? `        if inside:  # padding is minus infinity and never wins
            winner = max(inside, key=lambda place: x[place])  # the first of equals
            y[i, j] = x[winner]
            dx[winner] += dy[i, j]`
    : `        ${includePad ? "count = min(KH, H + PH - top) * min(KW, W + PW - left)  # zeros of the padding count" : "count = len(inside)  # padding does not count"}
        y[i, j] = sum(x[place] for place in inside) / count
        for place in inside:
            dx[place] += dy[i, j] / count`;
  return `import numpy as np

x = np.array(${arrayText(x, 14)}, dtype=float)
dy = np.array(${arrayText(rowsOf(dy, outputs[1]), 15)}, dtype=float)  # gradient with respect to y
(KH, KW), (SH, SW), (PH, PW), (DH, DW) = ${pair("kernel")}, ${pair("stride")}, ${pair("padding")}, ${pair("dilation")}

def starts(size, K, S, P, D):
${starts}

H, W = x.shape
tops, lefts = starts(H, KH, SH, PH, DH), starts(W, KW, SW, PW, DW)
y = np.full((len(tops), len(lefts)), -np.inf)
dx = np.zeros_like(x)
for i, top in enumerate(tops):
    for j, left in enumerate(lefts):
        inside = [(r, c) for r in range(top, top + DH * KH, DH) for c in range(left, left + DW * KW, DW)
                  if 0 <= r < H and 0 <= c < W]
${body}
print(y)
print(dx)`;
}

function poolTorch({ x, ceil_mode: ceil, count_include_pad: includePad, how, data }, { axes, outputs }, dy) {
  const flat = data.rank === 1;
  const python = (value) => (value ? "True" : "False");
  const sizes = (name) => (flat ? axes[1][name] : `(${axes.map((axis) => axis[name]).join(", ")})`);
  const shared = `${sizes("kernel")}, stride=${sizes("stride")}, padding=${sizes("padding")}, `;
  const rest = how === "max" ? `dilation=${sizes("dilation")}, ceil_mode=${python(ceil)}` : `ceil_mode=${python(ceil)}, count_include_pad=${python(includePad)}`;
  const layer = `${how === "max" ? "MaxPool" : "AvgPool"}${flat ? "1d" : "2d"}`;
  const rows = (values, indent) => (flat ? `[${values[0].join(", ")}]` : arrayText(values, indent));
  return `import torch

x = torch.tensor(${rows(x, 18)}, dtype=torch.float64, requires_grad=True)
dy = torch.tensor(${rows(rowsOf(dy, outputs[1]), 19)}, dtype=torch.float64)

layer = torch.nn.${layer}(${shared}${rest})
y = layer(x[None, None])[0, 0]
y.backward(dy)
dx = x.grad
print(y)
print(dx)`;
}
