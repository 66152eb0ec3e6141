// The controls and folded parts. Each function returns a node and keeps what is updated later in `view.controls`.
function flowerSettings(view) {
  const model = view.scan;
  const [, height, width] = model.shape;
  const sliders = [];
  const pair = (name, labels, least, most, value, onInput) => {
    const nodes = (name === "stride" ? ["height", "width"] : ["row", "column"]).map((axis, i) => {
      const control = slider({
        ...{ name: `${name}-${axis}`, label: labels[i], min: least, max: most[i], value: value()[i] },
        onInput: (next) => onInput(value().map((old, k) => (k === i ? next : old))),
      });
      sliders.push([control, () => value()[i]]);
      return control;
    });
    return [h("div", { class: "pair" }, ...nodes.map(({ node }) => node)), nodes];
  };
  const [windowNode, windowSliders] = pair(
    "window",
    ["Window, row", "Window, column"],
    0,
    model.places.map((n) => n - 1),
    () => view.window,
    (next) => view.moveWindow(next),
  );
  const [moveNode] = model.sprite
    ? pair(
        "flower",
        ["Flower, row", "Flower, column"],
        0,
        [height, width].map((n, i) => n - model.sprite.size[i]),
        () => view.flower_at,
        (next) => view.moveFlower(next),
      )
    : pair(
        "shift",
        ["Picture moved down", "Picture moved right"],
        0,
        [height - 1, width - 1],
        () => view.shift,
        (next) => view.movePicture(next),
      );
  const most = model.places.map((n, i) => Math.max(1, Math.min(n - 1, 12), view.stride[i]));
  const [strideNode] = pair(
    "stride",
    ["Stride, height", "Stride, width"],
    1,
    most,
    () => view.stride,
    (next) => view.setStride(next),
  );
  const threshold = slider({
    ...{ name: "threshold", label: "Threshold", show: (value) => number(Number(value), view.digits) },
    onInput: (value) => view.change({ threshold: Number(value.toFixed(view.digits)) }),
  });
  const names = Array.from({ length: model.hidden }, (_, n) => [n, `neuron ${n} of the first layer`]);
  const single = model.layers.length === 1;
  const mapOf = choice({
    ...{ name: "map_of", label: "The map shows", options: [[-1, "the score"], ...(single ? [] : names)], value: view.map_of },
    onInput: (neuron) => view.change({ map_of: neuron }),
  });
  const jump = h("button", { type: "button", name: "brightest", text: "To the brightest", click: () => view.toBrightest() });
  view.controls = { sliders, windowSliders, threshold, mapOf };
  const last = h("div", { class: "pair" }, threshold.node, mapOf.node);
  view.steps.node.querySelector(".buttons").append(jump);
  return h("div", { class: "settings" }, windowNode, moveNode, strideNode, last);
}

// Room for the scores as they are, and for a threshold beyond them.
function showThreshold({ controls, threshold }, { low, high }) {
  if (!Number.isFinite(low)) return;
  const margin = 0.1 * (high - low || 1);
  controls.threshold.range(Math.min(low - margin, threshold), Math.max(high + margin, threshold), "any");
  controls.threshold.set(threshold);
}

// The weights of the first layer as pictures: grey (0.5) is a weight of 0. Each button shows that neuron's map. They
// are painted once.
const NEURONS =
  "Each neuron of the first layer scans the whole picture too: its values, placed where they were computed, are an " +
  "activation map. The next layer reads all of these maps at one place. Below, the weights as pictures (grey is 0); press " +
  "one to see its map.";

function neuronPanel(view) {
  const { hidden } = view.scan;
  const count = Math.min(hidden, 64);
  view.neurons ??= Array.from({ length: count }, (_, n) => {
    const press = () => view.change({ map_of: view.map_of === n ? -1 : n });
    const attributes = { type: "button", name: `neuron-${n}`, "aria-label": `Map of neuron ${n}`, click: press };
    return h("button", attributes, weightPicture(view.scan, n), String(n));
  });
  view.neurons.forEach((button, n) => put(button, { "aria-pressed": String(view.map_of === n) }));
  const rest = hidden > count ? [h("p", { text: `The first ${count} of ${hidden}; the list above has them all.` })] : [];
  view.neuronNodes ??= [h("p", { text: NEURONS }), h("div", { class: "neurons" }, ...view.neurons), ...rest];
  return view.neuronNodes;
}

function weightPicture({ shape, size, layers }, neuron) {
  const taps = shape[0] * size[0] * size[1];
  const weights = layers[0].weight.subarray(neuron * taps, (neuron + 1) * taps);
  const limit = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const values = Array.from(weights, (value) => 0.5 + value / (2 * limit));
  const canvas = h("canvas", { "aria-hidden": "true" });
  paintPixels(canvas, size, pictureColors({ values, shape: [shape[0], ...size] }));
  return canvas;
}

// The highest scores first, and the window's way through the net.
function scoreTables({ model, map, stride, threshold, digits, window, count }) {
  const order = [...map.values.keys()].filter((p) => p < count && !Number.isNaN(map.values[p]));
  order.sort((p, q) => map.values[q] - map.values[p] || p - q);
  const rows = order.slice(0, 200).map((p, rank) => {
    const corner = [Math.floor(p / map.shape[1]) * stride[0], (p % map.shape[1]) * stride[1]];
    const middle = centerOf(p, map.shape, stride, model.size);
    const score = map.values[p];
    return [
      String(rank + 1),
      ...corner.map(String),
      ...middle.map((v) => short(v, 1)),
      signed(score, digits),
      probability(score),
      score > threshold ? "yes" : "no",
    ];
  });
  const limit = order.length > 200 ? `The 200 highest of ${thousands(order.length)} scores` : "Scores, highest first";
  const heads = ["rank", "window’s row", "column", "center’s row", "column", "score", "probability", "above threshold"];
  const tables = [table(limit, heads, rows)];
  if (!model.isFresh(...window)) return tables;
  const units = model
    .through(...window)
    .flatMap(({ sums, values }, l) =>
      [...sums].map((sum, n) => [
        String(l + 1),
        String(n),
        number(sum, 6),
        l === model.layers.length - 1 ? "–" : number(values[n], 6),
      ]),
    );
  return [
    ...tables,
    table(`The window at ${at(...window)} on its way through the net`, ["layer", "neuron", "sum", "after ReLU"], units),
  ];
}
