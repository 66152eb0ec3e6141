// The sentences and the code: the same numbers as in the picture.
const NAMES = { max: "max", mean: "mean", softmax: "softmax", mlp: "MLP" };

// Numbers that may be no numbers.
function shown(value, digits = 2, sign = true) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return sign ? signed(value, digits) : number(value, digits);
}

// A gradient: enough decimals for small ones.
function slope(value) {
  if (!Number.isFinite(value)) return shown(value);
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1).replaceAll("-", "−");
  return short(value, 4);
}

const factorOf = (value) => (value < 0 ? `(${short(value, 2)})` : short(value, 2));

function cellName(cell, [rows, columns]) {
  return rows === 1 ? `cell ${cell}` : `cell (${Math.floor(cell / columns)}, ${cell % columns})`;
}

function temperatureWords(temperature) {
  return String(Number(temperature.toPrecision(2)));
}

// The arithmetic of the way that is shown large.
function decisionWords({ model, how, threshold, temperature, net, subtract }) {
  const { y, shape, winner, ties, p } = model;
  const { Y, found } = model.ways.find((way) => way.how === how);
  const side = Number.isNaN(Y) ? "which is above nothing: no answer" : `${found ? "above" : "not above"} the threshold ${number(threshold, 2)}: ${found ? "yes" : "no"}`;
  const result = { score: shown(Y, 3), after: `, ${side}.` };
  const count = y.length;
  if (how === "max") {
    const tie = ties > 1 ? ` (${ties} cells hold it; the first in row-major order counts)` : "";
    return { before: `Maximum: the largest of ${count} scores, ${cellName(winner, shape)}${tie}: Y = `, ...result };
  }
  if (how === "mean") {
    const terms = y.slice(0, 5).map(factorOf).join(" + ");
    return { before: `Mean: Y = (${terms}${count > 5 ? ` + … (${count - 5} more)` : ""})/${count} = `, ...result };
  }
  if (how === "mlp") {
    const sizes = [count, ...net.layers.map(({ bias }) => bias.length)].join(" → ");
    return { before: `MLP ${sizes}${net.sigmoid ? ", each score through a sigmoid first" : ""}: Y = `, ...result };
  }
  const order = [...p.keys()].sort((a, b) => p[b] - p[a] || a - b).slice(0, 3);
  const terms = order.map((i) => `${shown(p[i], 3, false)}·${factorOf(y[i])}`).join(" + ");
  const rest = count > 3 ? ` + … (${count - 3} more)` : "";
  const kind = subtract ? "" : ", float32, the maximum not subtracted";
  return { before: `Softmax, τ = ${temperatureWords(temperature)}${kind}: Y = Σ p·y = ${terms}${rest} = `, ...result };
}

// Where the gradient goes, for the cell that is looked at, with the difference quotient beside it.
function gradientWords({ model, how, temperature, cell }) {
  const { y, shape, winner, ties, options, p } = model;
  const { Y, gradient } = model.ways.find((way) => way.how === how);
  const numeric = numericGradient(y, how, options, cell);
  const place = `dY/dy of ${cellName(cell, shape)} (y = ${short(y[cell], 2)})`;
  const check = `by differences ${slope(numeric)}`;
  if (how === "max") {
    const rule = cell === winner ? "1, the whole gradient, as the first of the largest" : "0, as it is not the first of the largest";
    const kink = ties > 1 && y[cell] === y[winner] ? ": at a tie the maximum has a kink, and two-sided differences see half of each side" : "";
    return `${place}: ${rule}; ${check}${kink}.`;
  }
  if (how === "mean") return `${place}: 1/${y.length} = ${slope(gradient[cell])}, the same for each cell; ${check}.`;
  if (how === "mlp") return `${place}: by backpropagation ${slope(gradient[cell])}; ${check}.`;
  const tau = temperatureWords(temperature);
  const arithmetic = `p·(1 + (y − Y)/τ) = ${shown(p[cell], 3, false)}·(1 + (${short(y[cell], 2)} − ${factorOf(Y)})/${tau})`;
  return `${place}: ${Number.isFinite(Y) ? arithmetic : "p·(1 + (y − Y)/τ)"} = ${slope(gradient[cell])}; ${check}.`;
}

// Which decisions a move of the map leaves as they are.
function shiftWords({ model, shift, wrap }) {
  if (!shift.some(Boolean)) return "";
  const [same, changed] = [[], []];
  for (const { how, Y, before } of model.ways) {
    if (Math.abs(Y - before) <= 1e-9 * Math.max(1, Math.abs(before))) same.push(NAMES[how]);
    else changed.push(`${NAMES[how]} from ${shown(before)} to ${shown(Y)}`);
  }
  const parts = [same.length && `unchanged: ${same.join(", ")}`, changed.length && `changed: ${changed.join(", ")}`].filter(Boolean);
  const [down, right] = shift;
  const way = [down && `${plural(Math.abs(down), "row")} ${down > 0 ? "down" : "up"}`, right && `${plural(Math.abs(right), "column")} ${right > 0 ? "right" : "left"}`];
  return `Moved by ${way.filter(Boolean).join(" and ")}${wrap ? "" : ", what left is lost"}; ${parts.join("; ")}.`;
}

// What goes wrong without subtracting the maximum, or that nothing does.
function overflowWords({ model, temperature, subtract }) {
  if (subtract) return "";
  const { y, winner } = model;
  const { powers, sum, Y } = plainSoftmax32(y, temperature);
  const exponent = `exp(${short(y[winner], 2)}/${temperatureWords(temperature)})`;
  const power = (value) => (Number.isFinite(value) && value !== 0 ? value.toExponential(2).replace("e+", "·10^").replace("e-", "·10^−") : shown(value, 0, false));
  if (powers.some((value) => value === Infinity) || sum === Infinity) {
    return `Overflow: in float32 ${exponent} = ${power(powers[winner])}, since it holds nothing above 3.4·10^38 = exp(88.7). The sum is ∞, and ∞/∞ is NaN.`;
  }
  if (sum === 0) return `Underflow: in float32 even ${exponent} = 0, since it holds nothing below 1.4·10^−45 = exp(−103.3). The sum is 0, and 0/0 is NaN.`;
  const rest = Number.isFinite(Y) ? "no overflow yet" : "and the result is no number";
  return `In float32 ${exponent} = ${power(powers[winner])}: ${rest}. It comes when y/τ passes 88.7: add to the scores, or lower τ.`;
}

// ---- code

const pythonArray = (values, [rows, columns], indent) => {
  const lines = Array.from({ length: rows }, (_, r) => `[${values.slice(r * columns, (r + 1) * columns).join(", ")}]`);
  return rows === 1 ? lines[0] : `[${lines.join(`,\n${indent}`)}]`;
};

function numpyListing({ model, temperature, net, subtract }) {
  const { y, shape } = model;
  const plain = subtract ? "" : ", np.float32";
  const net_ = net
    ? `

# MLP; layers: [(W, b), …], the first W takes ${y.length} numbers
sums = [${net.sigmoid ? "1 / (1 + np.exp(-y))" : "y"}]
for i, (W, b) in enumerate(layers):
    sums.append(W @ (np.maximum(sums[-1], 0) if i else sums[-1]) + b)
Y["mlp"] = sums[-1][0]
g = np.ones(1)
for i in reversed(range(len(layers))):
    g = layers[i][0].T @ g
    if i:
        g = g * (sums[i] > 0)
dy["mlp"] = g${net.sigmoid ? " * sums[0] * (1 - sums[0])" : ""}`
    : "";
  return `import numpy as np

y = np.array(${pythonArray(y, shape, "              ")}${plain}).ravel()
tau = ${subtract ? temperature : `np.float32(${temperature})`}
n = y.size
Y, dy = {}, {}

Y["max"] = y.max()
dy["max"] = (np.arange(n) == y.argmax()) * 1.0  # argmax: the first of the largest

Y["mean"] = y.mean()
dy["mean"] = np.full(n, 1 / n)

p = np.exp(${subtract ? "(y - y.max()) / tau" : "y / tau"})${subtract ? "  # no exponent is above 0: nothing overflows" : "  # float32 overflows above exp(88.7)"}
p /= p.sum()
Y["softmax"] = (p * y).sum()
dy["softmax"] = p * (1 + (y - Y["softmax"]) / tau)${net_}

for how in Y:
    print(how, Y[how], dy[how])`;
}

function torchListing({ model, temperature, net, subtract }) {
  const { y, shape } = model;
  const kind = subtract ? "float64" : "float32";
  const mlpLine = net ? `\n    "mlp": lambda y: net(${net.sigmoid ? "torch.sigmoid(y)" : "y"})[0],  # net: torch.nn.Sequential, ${y.length} inputs` : "";
  const weights = subtract ? "torch.softmax(y / tau, 0)" : "torch.exp(y / tau) / torch.exp(y / tau).sum()";
  return `import torch

scores = torch.tensor(${pythonArray(y, shape, "                       ")}, dtype=torch.${kind}).flatten()
tau = ${temperature}

ways = {
    "max": lambda y: y[y.argmax()],  # y.max() would share the gradient between ties
    "mean": lambda y: y.mean(),
    "softmax": lambda y: (${weights} * y).sum(),${mlpLine}
}
Y, dy = {}, {}
for how, way in ways.items():
    y = scores.clone().requires_grad_()
    Y[how] = way(y)
    Y[how].backward()
    dy[how] = y.grad
    print(how, Y[how].item(), dy[how])`;
}
