// The sentences and the code: the same numbers as in the picture.
const factor = (value) => (value < 0 ? `(${short(value, 3)})` : short(value, 3));
const TERMS = 6;

// What one unit is: inputs · weights + bias, and the number after the activation.
function unitArithmetic(net, layer, neuron, place, values) {
  const { geometry, layers, x } = net;
  const { weight, bias, fan, channels } = layers[layer - 1];
  const below = layer === 1 ? x : values[layer - 2].map(relu);
  const plane = product(geometry.maps[layer - 1]);
  const taps = tapsOf(geometry, layers, layer)[place];
  const terms = Array.from({ length: Math.min(fan, TERMS) }, (_, k) => {
    const [c, tap] = [Math.floor(k / taps.length), k % taps.length];
    return `${factor(weight[neuron * channels * taps.length + k])}·${factor(below[c * plane + taps[tap]])}`;
  });
  const more = fan > TERMS ? ` + … (${fan - TERMS} more)` : "";
  const sum = values[layer - 1][neuron * product(geometry.maps[layer]) + place];
  const active = layer < layers.length ? `${short(sum, 3)}, ReLU ` : "";
  return { terms: `${terms.join(" + ")}${more} + bias ${factor(bias[neuron])} = ${active}`, value: short(layer < layers.length ? relu(sum) : sum, 4) };
}

const placeWords = (place) => (place.length === 1 ? `place ${place[0]}` : `place (${place.join(", ")})`);

function layerName(layer, layers) {
  return layer === layers.length ? "the scores" : `layer ${layer}`;
}

// The sentence on the unit finished last, as { before, value, after }.
function unitWords(now, ran, title) {
  const { net, clock } = now;
  const e = finishedAt(ran, clock) - 1;
  if (e < 0) return { before: `${title}: no unit is finished yet.`, value: "", after: "" };
  if (clock >= ran.total) return { before: `${title}: done after ${thousands(ran.total)} multiply-adds.`, value: "", after: "" };
  const [layer, place, neuron] = [ran.order.layer[e], ran.order.place[e], ran.order.neuron[e]];
  const { terms, value } = unitArithmetic(net, layer, neuron, place, ran.values);
  const where = `${layerName(layer, net.layers)}, neuron ${neuron}, ${placeWords(unravel(place, net.geometry.maps[layer]))}`;
  const window = ran.order.window[e] < 0 ? "" : `window ${ran.order.window[e]}, `;
  return { before: `${title}: ${window}${where}: ${terms}`, value, after: ran.order.again[e] ? ", computed again." : "." };
}

const times = (...factors) => factors.map(thousands).join("·");

// Both counts as sums over layers: places · neurons · numbers read.
function countWords({ net, windowFirst, layerFirst, remember }) {
  const { geometry: { maps, inWindow }, layers } = net;
  const windows = product(maps[layers.length]);
  const sum = (places) => layers.map(({ features, fan }, i) => times(product(places[i + 1]), features, fan)).join(" + ");
  const inOne = layers.reduce((total, { features, fan }, i) => total + product(inWindow[i + 1]) * features * fan, 0);
  const first = remember
    ? `Window-first, remembering: ${thousands(windowFirst.total)} multiply-adds, without ${thousands(windows * inOne)}.`
    : `Window-first: ${plural(windows, "window")} × (${sum(inWindow)}) = ${times(windows, inOne)} = ${thousands(windowFirst.total)} multiply-adds.`;
  return `${first} Layer-first: ${sum(maps)} = ${thousands(layerFirst.total)} (places · neurons · numbers read).`;
}

function verdictWords(now) {
  const { net, windowFirst, layerFirst, difference, unused, remember } = now;
  const { geometry, layers } = net;
  const scores = product(geometry.maps[layers.length]) * layers[layers.length - 1].features;
  const same = `Same ${plural(scores, "score")}, largest difference ${difference ? difference.toExponential(1).replace("-", "−") : "0"}.`;
  const { shared, of } = sharedBlocks(geometry);
  const why = layers.length === 1 || product(geometry.inWindow[1]) === 1
    ? "Only layer 1 looks at the window’s extent, so windows share no result and only the order changes."
    : `A window has ${plural(of, "block")} of layer 1 and shares ${shared} with the next${shared && !remember ? ": window-first computes them again" : ""}.`;
  const idle = unused ? ` Layer-first also computes ${plural(unused, "unit")} that no window needs, as a convolution does.` : "";
  const memory = `Numbers kept at once: window-first at most ${thousands(peakOf(windowFirst))}, layer-first ${thousands(peakOf(layerFirst))}.`;
  return `${same} ${why}${idle} ${countWords(now)} ${memory}`;
}

function answerWords({ windowFirst, layerFirst }) {
  const [window, layer] = [windowFirst.total, layerFirst.total];
  if (window === layer) return `Same work: ${plural(window, "multiply-add")} each`;
  const [less, more, name] = layer < window ? [layer, window, "Layer-first"] : [window, layer, "Window-first"];
  return `${name}: ${thousands(less)} multiply-adds, not ${thousands(more)} (${short(more / less, 2)}×)`;
}

// ---- code

const numpyTuple = (sizes) => `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;
const flatList = (values) => `[${Array.from(values).join(", ")}]`;

function numpyListing({ net, remember }) {
  const { layers, x, channels, geometry: { size } } = net;
  const entries = layers.map(({ weight, bias, kernel, stride, features, channels: below }) => {
    const shape = [features, below, ...kernel];
    return `    (np.array(${flatList(weight)}).reshape${numpyTuple(shape)}, np.array(${flatList(bias)}), ${numpyTuple(kernel)}, ${numpyTuple(stride)}),`;
  });
  return `import numpy as np

x = np.array(${flatList(x)}, dtype=float).reshape${numpyTuple([channels, ...size])}
layers = [  # (W, b, width, hop), W of shape (neurons, channels below, *width)
${entries.join("\n")}
]
remember = ${remember ? "True" : "False"}  # whether window-first keeps what it has computed


def places(shape, width, hop):
    return tuple((n - k) // s + 1 for n, k, s in zip(shape, width, hop))


def unit(i, below, d, place):
    """One neuron of layer i at one place, and its multiply-adds."""
    W, b, width, hop = layers[i]
    window = below[(slice(None), *(slice(p * s, p * s + k) for p, s, k in zip(place, hop, width)))]
    y = (W[d] * window).sum() + b[d]
    return (y if i == len(layers) - 1 else max(y, 0.0)), window.size


# Layer-first: one neuron at all places, then the next neuron, then the next layer.
layer_first, y = 0, x
for i, (W, b, width, hop) in enumerate(layers):
    below, y = y, np.empty((len(b), *places(y.shape[1:], width, hop)))
    for d in range(len(b)):
        for place in np.ndindex(*y.shape[1:]):
            y[(d, *place)], cost = unit(i, below, d, place)
            layer_first += cost

# Window-first: all layers at one window, then all layers at the next.
field, jumps = np.ones(x.ndim - 1, int), []  # what a window covers, and its step in places of each layer
for W, b, width, hop in reversed(layers):
    jumps.insert(0, np.prod([h for *_, h in layers[len(layers) - len(jumps):]], axis=0, dtype=int) * np.ones_like(field))
    field = (field - 1) * hop + width
step = jumps[0] * layers[0][3]
window_first, scores, known = 0, np.empty_like(y), {}
for t in np.ndindex(*scores.shape[1:]):
    now = x[(slice(None), *(slice(p * s, p * s + k) for p, s, k in zip(t, step, field)))]
    for i, (W, b, width, hop) in enumerate(layers):
        below, now = now, np.empty((len(b), *places(now.shape[1:], width, hop)))
        for place in np.ndindex(*now.shape[1:]):
            for d in range(len(b)):
                name = (i, d, *(np.array(t) * jumps[i] + place))
                if not (remember and name in known):
                    known[name], cost = unit(i, below, d, place)
                    window_first += cost
                now[(d, *place)] = known[name]
    scores[(slice(None), *t)] = now.reshape(-1)

print("scores", y.round(4).tolist())
print("multiply-adds: window-first", window_first, "layer-first", layer_first)
print("largest difference", np.abs(scores - y).max())`;
}

function torchListing({ net }) {
  const { layers, x, channels, geometry: { size, field, jump, maps } } = net;
  const rank = size.length;
  const entries = layers.map(({ features, channels: below, kernel, stride }) =>
    `    torch.nn.Conv${rank}d(${below}, ${features}, ${numpyTuple(kernel)}, stride=${numpyTuple(stride)}, dtype=torch.float64),`,
  );
  const fill = layers.map(({ weight, bias }, i) =>
    `    layers[${i}].weight.copy_(torch.tensor(${flatList(weight)}, dtype=torch.float64).reshape(layers[${i}].weight.shape))\n` +
    `    layers[${i}].bias.copy_(torch.tensor(${flatList(bias)}, dtype=torch.float64))`,
  );
  const cut = field.map((k, a) => `t[${a}] * ${jump[a]} : t[${a}] * ${jump[a]} + ${k}`).join(", ");
  return `import itertools

import torch

x = torch.tensor(${flatList(x)}, dtype=torch.float64).reshape${numpyTuple([channels, ...size])}
layers = [
${entries.join("\n")}
]
with torch.no_grad():
${fill.join("\n")}


def run(x):
    """The scores of all windows of x, and the multiply-adds."""
    count = 0
    for i, layer in enumerate(layers):
        x = layer(x if i == 0 else torch.relu(x))
        count += x.numel() * layer.weight[0].numel()
    return x, count


with torch.no_grad():
    y, layer_first = run(x)  # each layer at all places
    scores, window_first = torch.empty_like(y), 0
    for t in itertools.product(*map(range, y.shape[1:])):  # all layers at one window, ${plural(product(maps[layers.length]), "time")}
        one, count = run(x[:, ${cut}])
        scores[(slice(None), *t)] = one.flatten()
        window_first += count
print("multiply-adds: window-first", window_first, "layer-first", layer_first)
print("largest difference", (scores - y).abs().max().item())`;
}
