// The sentences and the listings: the same numbers as in the picture.
const factor = (value) => (value < 0 ? `(${short(value, 4)})` : short(value, 4));
const tiny = (value) => (value === 0 ? "0" : value.toExponential(0).replace("-", "−"));

// Places as the reader's arrays have them: one index for one axis, two for two.
function placeNames({ sizes, kernel, outputs }, rank) {
  const name = (flat, shape) => (rank === 1 ? String(flat) : unravel(flat, shape).join(", "));
  const at = (flat, shape) => (rank === 1 ? String(flat) : `[${name(flat, shape)}]`);
  return {
    tap: (tap) => `w[${name(tap, kernel)}]`,
    slope: (tap) => `dw[${name(tap, kernel)}]`,
    edge: ({ output, input }) => (rank === 1 ? `${output}←${input}` : null),
    output: (flat) => name(flat, outputs),
    input: (flat) => name(flat, sizes),
    at: { output: (flat) => at(flat, outputs), input: (flat) => at(flat, sizes) }, // as prose has them
  };
}

function sumWords(model, { tap, step }, names) {
  const edges = model.edges[tap];
  const letter = `${tieLetter(tap)} = ${names.tap(tap)}`;
  if (!edges.length) return [`${letter} meets nothing but padding: it has no edge, and `, `${names.slope(tap)} = 0`, "."];
  if (step === 0) return [`${letter} stands on `, plural(edges.length, "edge"), `. Each gives dy[output] · x[input]; ${names.slope(tap)} is their sum. Step through them.`];
  const sum = edges.slice(0, step).reduce((total, { product: part }) => total + part, 0);
  if (step < edges.length) {
    const edge = edges[step - 1];
    const [o, i] = [names.output(edge.output), names.input(edge.input)];
    const product = `dy[${o}] · x[${i}] = ${factor(model.dy[edge.output])} · ${factor(model.x[edge.input])} = ${short(edge.product, 4)}`;
    return [`Edge ${step} of ${edges.length}, output ${names.at.output(edge.output)} ← input ${names.at.input(edge.input)}: ${product}. Sum so far: `, short(sum, 4), "."];
  }
  const terms = edges.map(({ product: part }) => factor(part));
  const listed = terms.length > 12 ? [...terms.slice(0, 9), `… (${terms.length - 9} more)`] : terms;
  return [`All ${plural(edges.length, "edge")} of ${letter}: ${names.slope(tap)} = ${listed.join(" + ")} = `, short(sum, 4), "."];
}

function numericWords(model, { tap, h: size, show_mean: mean, show_last: last }, names, numeric) {
  const { up, down, slope } = numeric;
  const [sum, count] = [model.sums[tap], model.edges[tap].length];
  const name = names.tap(tap);
  const line = `Numeric, h = ${short(size, 8)}: (L(${name} + h) − L(${name} − h)) / 2h = (${short(up, 8)} − ${factor8(down)}) / ${short(2 * size, 8)} = ${short(slope, 6)}, ${tiny(Math.abs(slope - sum))} from the sum.`;
  const parts = [line];
  if (mean && count) parts.push(`The mean of the copies, ${short(model.means[tap], 4)}, is the sum divided by ${count}.`);
  if (last && count) parts.push(`The last edge alone gives ${short(model.lasts[tap], 4)}: the others are overwritten.`);
  return parts.join(" ");
}

const factor8 = (value) => (value < 0 ? `(${short(value, 8)})` : short(value, 8));

function trainingWords(model, after, { rate, show_mean: mean, show_last: last }) {
  const to = (loss) => `${short(model.loss, 4)} → ${short(loss, 4)}`;
  const parts = [`η = ${short(rate, 6)}. Tied, by the sum: loss ${to(after.sum.loss)}.`];
  if (mean) parts.push(`By the mean: ${to(after.mean.loss)}.`);
  if (last) parts.push(`By the last edge: ${to(after.last.loss)}.`);
  parts.push(`Each copy alone: ${to(after.separate.loss)}.`);
  const widths = after.separate.spreads.map(([low, high]) => (low === null ? 0 : high - low));
  const widest = widths.indexOf(Math.max(...widths));
  if (widths[widest] > 1e-12) {
    const [low, high] = after.separate.spreads[widest];
    parts.push(`But then ${tieLetter(widest)} is ${short(low, 3)} at one output and ${short(high, 3)} at another: the windows no longer compute the same, and the layer is no convolution.`);
  } else parts.push("The copies stay equal here: every edge of a weight gives the same term.");
  return parts.join(" ");
}

// ---- show me the code

const listed = (rows, rank) => JSON.stringify(rank === 1 ? rows[0] : rows).replaceAll(",", ", ");
const pair = (values, rank) => (rank === 1 ? `(${values[1]},)` : `(${values.join(", ")})`);

function lossListing({ target, dy, w }, rank) {
  const taps = w.flat().length;
  const shape = rank === 1 ? "" : `.reshape(${w.length}, ${w[0].length})`;
  if (dy.length) return { before: `dy = np.array(${listed(dy, rank)}, dtype=float)`, loss: "(dy * y).sum()", slope: "dy" };
  const before = target.length
    ? `target = np.array(${listed(target, rank)}, dtype=float)`
    : `target = run(np.array(${listed([differenceKernel(taps)], 1)}, dtype=float)${shape})`;
  return { before, loss: "0.5 * ((y - target) ** 2).sum()", slope: "run(w) - target" };
}

function numpyListing(view) {
  const { x, w, stride, padding, tap, h: size, rate, data: { rank } } = view;
  const { before, loss, slope } = lossListing(view, rank);
  const at = `(${unravel(tap, [w.length, w[0].length]).slice(2 - rank).join(", ")},)`;
  return `import numpy as np

x = np.array(${listed(x, rank)}, dtype=float)
w = np.array(${listed(w, rank)}, dtype=float)
S, P = ${pair(stride, rank)}, ${pair(padding, rank)}
out = tuple((n + 2 * p - k) // s + 1 for n, k, s, p in zip(x.shape, w.shape, S, P))

def edges():
    """(tap, output, input) for every connection; the padding has none."""
    for output in np.ndindex(*out):
        for t in np.ndindex(*w.shape):
            i = tuple(o * s + k - p for o, s, k, p in zip(output, S, t, P))
            if all(0 <= a < n for a, n in zip(i, x.shape)):
                yield t, output, i

def run(w):
    y = np.zeros(out)
    for t, output, i in edges():
        y[output] += w[t] * x[i]
    return y

${before}

def loss(w):
    y = run(w)
    return ${loss}

${slope === "dy" ? "" : `dy = ${slope}\n`}dw = np.zeros(w.shape)
for t, output, i in edges():
    dw[t] += dy[output] * x[i]  # += and not =: all edges of a weight count

t, h = ${at}, ${size}
up, down = w.copy(), w.copy()
up[t] += h
down[t] -= h
numeric = (loss(up) - loss(down)) / (2 * h)
print(dw)
print(dw[t], numeric)

after = loss(w - ${rate} * dw)  # one step, the new value in all copies
print(loss(w), after)`;
}

function torchListing(view) {
  const { x, w, stride, padding, target, dy, rate, data: { rank } } = view;
  const tensor = (rows) => `torch.tensor(${listed(rows, rank)}, dtype=torch.float64)`;
  const conv = (kernel) => `torch.nn.functional.conv${rank}d(x[None, None], ${kernel}[None, None], stride=${pair(stride, rank)}, padding=${pair(padding, rank)})[0, 0]`;
  const shape = rank === 1 ? "" : `.reshape(${w.length}, ${w[0].length})`;
  const difference = `torch.tensor(${listed([differenceKernel(w.flat().length)], 1)}, dtype=torch.float64)${shape}`;
  const goal = dy.length ? `dy = ${tensor(dy)}` : target.length ? `target = ${tensor(target)}` : `target = ${conv(difference)}`;
  const loss = dy.length ? "(dy * y).sum()" : "0.5 * ((y - target) ** 2).sum()";
  return `import torch

x = ${tensor(x)}
w = ${tensor(w)}.requires_grad_()
${goal}

y = ${conv("w")}
loss = ${loss}
loss.backward()  # autograd adds up all uses of w
print(w.grad)

with torch.no_grad():
    w -= ${rate} * w.grad
    y = ${conv("w")}
    print(loss.item(), (${loss}).item())`;
}
