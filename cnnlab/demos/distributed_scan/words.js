// The sentences and the code: the same numbers as in the picture.
const letterOf = (layer) => LETTERS[layer - 1] ?? String(layer);

const tiny = (value) => (value === 0 ? "0" : value.toExponential(1).replace("-", "−"));

// Both forms may differ in the last bit, which must not show as another digit where a number lies between two roundings.
const rounded = (value, digits) => short(Number(value.toPrecision(12)), digits);

function rangeWords(from, count, names) {
  return from.map((first, a) => `${names[a]} ${count[a] === 1 ? first : `${first}–${first + count[a] - 1}`}`).join(", ");
}

const AXIS_NAMES = { 1: ["inputs"], 2: ["rows", "columns"] };

function positionWords({ net, both }, position) {
  const { whole } = net;
  const place = unravel(position, whole.maps[whole.maps.length - 1]);
  const start = place.map((p, a) => p * whole.jump[a]);
  const rank = start.length;
  const top = both.maps.length - 1;
  const form = (values) => values.map((value) => rounded(value, 4)).join(", ");
  const scores = Array.from({ length: both.features }, (_, d) => both.maps[top].values[d * both.windows + position]);
  return {
    before: `Window ${rank === 1 ? place[0] : `(${place.join(", ")})`}, ${rangeWords(start, whole.field, AXIS_NAMES[rank])}: the convolutions give `,
    value: form(scores),
    after: `, the expanded MLP ${form([...both.numbers[position][top]])}. Over ${plural(both.windows, "window")} they differ by at most ${tiny(both.difference)}.`,
  };
}

const placeName = (place) => (place.length === 1 ? String(place[0]) : `(${place.join(", ")})`);

// What a block is: { layer, place }.
function blockWords({ layers, inside }, { layer, place }) {
  const { features, fan, kernel, stride, channels } = layers[layer - 1];
  const at = unravel(place, inside.maps[layer]);
  const from = at.map((p, a) => p * stride[a]);
  const copies = product(inside.maps[layer]);
  const rank = from.length;
  const names = layer === 1 ? AXIS_NAMES[rank] : rank === 1 ? [`places of ${letterOf(layer - 1)}`] : ["rows", `columns of ${letterOf(layer - 1)}`];
  const many = channels > 1 ? `${plural(features, "neuron")} × ${product(kernel)} places × ${channels}` : `${plural(features, "neuron")} × ${plural(product(kernel), "input")}`;
  const same = copies > 1 ? ` All ${copies} blocks ${letterOf(layer)} hold the same ${thousands(features * fan)} values.` : " There is one such block.";
  return `Block ${letterOf(layer)}, place ${placeName(at)}, reads ${rangeWords(from, kernel, names)}: ${many} = ${plural(features * fan, "weight")}, ${plural(features, "bias").replace("biass", "biases")}.${same}`;
}

// What an entry of a matrix is: { layer, row, column, tie }.
function entryWords({ layers, inside }, { layer, row, column, tie }) {
  const { kernel, channels, weight } = layers[layer - 1];
  const [places, below] = [product(inside.maps[layer]), product(inside.maps[layer - 1])];
  const at = unravel(row % places, inside.maps[layer]);
  const source = unravel(column % below, inside.maps[layer - 1]);
  const [d, c] = [Math.floor(row / places), Math.floor(column / below)];
  const where = `Layer ${layer}, row ${row}, column ${column}: neuron ${d} of block ${letterOf(layer)} at place ${placeName(at)}`;
  const from = layer === 1 ? `input ${placeName(source)}${channels > 1 ? ` of channel ${c}` : ""}` : `neuron ${c} of ${letterOf(layer - 1)} at place ${placeName(source)}`;
  if (tie < 0) return `${where} does not see ${from}. No connection: a structural zero, no parameter.`;
  const index = [d, c, ...unravel(tie % product(kernel), kernel)].join(", ");
  const copies = places > 1 ? `one parameter, ${places} equal entries, one in each block ${letterOf(layer)}` : "one parameter, one entry";
  return `${where} sees ${from} with weight w[${index}] = ${short(weight[tie], 4)}: ${copies}.`;
}

const times = (...factors) => factors.map(thousands).join("·");

// Weights of each layer in the three cases, and the sum with biases.
function countWords(counts, { dense, untied, tied }) {
  const lines = counts.map(({ rows, columns, places, features, fan, ...count }, i) => {
    const whole = `Layer ${i + 1}: ${thousands(rows)} × ${thousands(columns)} = ${thousands(count.dense)} entries`;
    if (places === 1) return `${whole}, all connected, none tied.`;
    return `${whole}, ${places}·(${times(features, fan)}) = ${thousands(count.untied)} connected, ${times(features, fan)} = ${thousands(count.tied)} different.`;
  });
  return `${lines.join(" ")} With biases: ${thousands(dense)} → ${thousands(untied)} → ${thousands(tied)}.`;
}

// What this net is and is not, and what windows share.
function kindWords({ net, counts, levels }) {
  const { shared, of } = sharedBlocks(net.whole);
  if (levels === 1) return "Layer 1 sees the whole window: a dense first layer. Neighboring windows share no unit.";
  const [first] = counts;
  const zeros = first.dense - first.untied;
  const fixed = `of the ${thousands(first.dense)} entries of layer 1, ${thousands(zeros)} are fixed at 0 and the others hold ${thousands(first.tied)} values`;
  const share = shared ? `Neighboring windows share ${shared} of ${of} blocks A, which a scan computes once.` : `Neighboring windows share none of their ${of} blocks A.`;
  return `Another net, and a constrained one, not a rewriting of a dense one: ${fixed}. ${share}`;
}

function whyWords(levels) {
  const what =
    levels === 1
      ? "With one level, only layer 1 looks at the window’s extent; the later layers classify what it found. How large the pattern is need not be known to distribute the scan: try two and three levels over the same window."
      : "Each lower block sees a few inputs only, so its neurons can only learn short patterns; the levels above see where these occur and learn their arrangement. The total window is the same as that of the dense first layer.";
  const why =
    "The reason to do it: patterns that are local are learned from every block of every window, with few parameters, and tend to generalize better. This is a bet on the data, not a law: where what matters is not local, the constraint hurts.";
  const not =
    "What it is not: no choice of these weights gives an arbitrary dense first layer. The expanded MLP shown here equals this net only because its entries keep to the zeros and the ties; trained freely, it would leave them.";
  return [what, why, not];
}

// ---- code

const numpyTuple = (sizes) => `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;
const flatList = (values) => `[${Array.from(values).join(", ")}]`;

function numpyListing({ net }) {
  const { layers, x, inside, whole } = net;
  const entries = layers.map(({ weight, bias, kernel, stride, features, channels }) => {
    const shape = numpyTuple([features, channels, ...kernel]);
    return `    (np.array(${flatList(weight)}).reshape${shape}, np.array(${flatList(bias)}), ${numpyTuple(stride)}),`;
  });
  return `import numpy as np

x = np.array(${flatList(x.values)}, dtype=float).reshape${numpyTuple(x.shape)}
layers = [  # (W, b, hop) from the input up, W of shape (neurons, channels below, *block)
${entries.join("\n")}
]
window, hop = ${numpyTuple(inside.size)}, ${numpyTuple(whole.jump)}  # of the scan


def starts(shape, kernel, hop):
    return np.ndindex(*((n - k) // s + 1 for n, k, s in zip(shape, kernel, hop)))


def cut(start, kernel, hop):
    return tuple(slice(p * s, p * s + k) for p, s, k in zip(start, hop, kernel))


def convolution(x, W, b, hop):
    places = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:], W.shape[2:], hop)]
    y = np.empty((len(b), *places))
    for p in np.ndindex(*places):
        block = x[(slice(None), *cut(p, W.shape[2:], hop))]
        y[(slice(None), *p)] = np.tensordot(W, block, block.ndim) + b
    return y


def matrix(W, b, hop, shape):
    """The layer over one window as a matrix: block-sparse, with the same W in every block."""
    places = [(n - k) // s + 1 for n, k, s in zip(shape, W.shape[2:], hop)]
    M = np.zeros((len(b), *places, W.shape[1], *shape))
    for p in np.ndindex(*places):
        M[(slice(None), *p, slice(None), *cut(p, W.shape[2:], hop))] = W
    count = int(np.prod(places))
    return M.reshape(len(b) * count, -1), np.repeat(b, count), places


# The stack of convolutions over the whole input.
y = x
for i, (W, b, step) in enumerate(layers):
    y = convolution(y if i == 0 else np.maximum(y, 0), W, b, step)

# The expanded MLP at every window.
mlp, shape = [], window
for W, b, step in layers:
    M, bias, shape = matrix(W, b, step, shape)
    mlp.append((M, bias))
scores = np.empty_like(y)
for t in starts(x.shape[1:], window, hop):
    v = x[(slice(None), *cut(t, window, hop))].reshape(-1)
    for i, (M, bias) in enumerate(mlp):
        v = M @ (v if i == 0 else np.maximum(v, 0)) + bias
    scores[(slice(None), *t)] = v

difference = np.abs(scores - y).max()
entries = sum(M.size + len(bias) for M, bias in mlp)
untied = sum(np.count_nonzero(M) + len(bias) for M, bias in mlp)  # no weight here is 0
tied = sum(W.size + len(b) for W, b, _ in layers)
print("scores", y.round(4).tolist(), "largest difference", difference)
print("parameters: dense", entries, "block-sparse", untied, "tied", tied)`;
}

function torchListing({ net }) {
  const { layers, x, inside, whole } = net;
  const rank = inside.size.length;
  const made = layers.map(({ features, channels, kernel, stride }) =>
    `    torch.nn.Conv${rank}d(${channels}, ${features}, ${numpyTuple(kernel)}, stride=${numpyTuple(stride)}, dtype=torch.float64),`,
  );
  const fill = layers.map(({ weight, bias }, i) =>
    `    layers[${i}].weight.copy_(torch.tensor(${flatList(weight)}, dtype=torch.float64).reshape(layers[${i}].weight.shape))\n` +
    `    layers[${i}].bias.copy_(torch.tensor(${flatList(bias)}, dtype=torch.float64))`,
  );
  const windows = inside.size.map((k, a) => `.unfold(${a + 1}, ${k}, ${whole.jump[a]})`).join("");
  const order = rank === 1 ? "permute(1, 0, 2)" : "permute(1, 2, 0, 3, 4)";
  return `import torch

x = torch.tensor(${flatList(x.values)}, dtype=torch.float64).reshape${numpyTuple(x.shape)}
layers = [
${made.join("\n")}
]
with torch.no_grad():
${fill.join("\n")}

    # The stack of convolutions over the whole input.
    y = x
    for i, layer in enumerate(layers):
        y = layer(y if i == 0 else torch.relu(y))

    # The expanded MLP: a column of a matrix is what the layer makes of one input that is 1, without the bias.
    mlp, shape = [], ${numpyTuple([x.shape[0], ...inside.size])}
    for layer in layers:
        ones = torch.eye(torch.Size(shape).numel(), dtype=torch.float64).reshape(-1, *shape)
        bias = layer(torch.zeros(1, *shape, dtype=torch.float64))
        columns = layer(ones) - bias
        linear = torch.nn.Linear(len(ones), columns[0].numel(), dtype=torch.float64)
        linear.weight.copy_(columns.flatten(1).T)
        linear.bias.copy_(bias.flatten())
        mlp += [linear, torch.nn.ReLU()]
        shape = columns.shape[1:]
    mlp = torch.nn.Sequential(*mlp[:-1])
    windows = x${windows}.${order}.reshape(-1, mlp[0].in_features)
    scores = mlp(windows).T.reshape(y.shape)
    difference = (scores - y).abs().max().item()
print("largest difference", difference)`;
}
