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
  const [windowNode, windowSliders] = pair("window", ["Window, row", "Window, column"], 0, model.places.map((n) => n - 1), () => view.window, (next) => view.moveWindow(next));
  const [moveNode] = model.sprite
    ? pair("flower", ["Flower, row", "Flower, column"], 0, [height, width].map((n, i) => n - model.sprite.size[i]), () => view.flower_at, (next) => view.moveFlower(next))
    : pair("shift", ["Picture moved down", "Picture moved right"], 0, [height - 1, width - 1], () => view.shift, (next) => view.movePicture(next));
  const most = model.places.map((n, i) => Math.max(1, Math.min(n - 1, 12), view.stride[i]));
  const [strideNode] = pair("stride", ["Stride, height", "Stride, width"], 1, most, () => view.stride, (next) => view.setStride(next));
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

// The weights of the first layer as pictures: grey (0.5) is a weight of 0. Each button shows that neuron's map.
function neuronPanel(view) {
  const model = view.scan;
  const { shape, size, hidden } = model;
  const [{ weight }] = model.layers;
  const taps = shape[0] * size[0] * size[1];
  const shown = Math.min(hidden, 64);
  const note =
    "Each neuron of the first layer scans the whole picture too: its values, placed where they were computed, are an activation map. " +
    "The next layer reads all of these maps at one place. Below, the weights as pictures (grey is 0); press one to see its map.";
  const buttons = Array.from({ length: shown }, (_, n) => {
    const own = weight.subarray(n * taps, (n + 1) * taps);
    const limit = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const color = pictureColors({ values: Array.from(own, (value) => 0.5 + value / (2 * limit)), shape: [shape[0], ...size] });
    const canvas = h("canvas", { width: size[1], height: size[0], "aria-hidden": "true" });
    const context = canvas.getContext("2d");
    const image = context.createImageData(size[1], size[0]);
    for (let r = 0, i = 0; r < size[0]; r += 1) for (let q = 0; q < size[1]; q += 1, i += 4) image.data.set([...color(r, q), 255], i);
    context.putImageData(image, 0, 0);
    const pressed = view.map_of === n;
    const toggleNeuron = () => {
      view.change({ map_of: view.map_of === n ? -1 : n });
      view.root.querySelector(`[name=neuron-${n}]`).focus();
    };
    return h("button", { type: "button", name: `neuron-${n}`, "aria-pressed": String(pressed), "aria-label": `Map of neuron ${n}`, click: toggleNeuron }, canvas, String(n));
  });
  const rest = hidden > shown ? [h("p", { text: `The first ${shown} of ${hidden}; the list above has them all.` })] : [];
  return [h("p", { text: note }), h("div", { class: "neurons" }, ...buttons), ...rest];
}

// A file of the reader's own, drawn to the size of the picture: filled, and cut where its shape is another.
function ownPicture(view) {
  const file = h("input", { type: "file", name: "picture", accept: "image/*", "aria-label": "A picture of your own" });
  file.addEventListener("change", () => file.files.length && loadPicture(view, file.files[0]).then(() => (file.value = "")));
  view.restore = h("button", { type: "button", name: "restore", text: "Back to the given picture", hidden: true, click: () => view.useGround(null) });
  view.status = h("p", { class: "status", role: "status" });
  const [, height, width] = view.scan.shape;
  const note =
    `The file stays in this browser; it is drawn to ${height} × ${width} pixels. Expect little: a net that was trained on drawings has ` +
    "never met a photo, and will miss real flowers or find some in a face. That is domain shift, not a broken demo.";
  return [h("p", { text: note }), h("div", { class: "buttons" }, file, view.restore), view.status];
}

async function loadPicture(view, file) {
  put(view.status, { text: "Reading …", class: "status" });
  try {
    const [channels, height, width] = view.scan.shape;
    const bitmap = await createImageBitmap(file).catch(() => {
      throw new Error(`“${file.name}” could not be read as a picture: choose a PNG, JPEG or WebP file.`);
    });
    const canvas = h("canvas", { width, height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const scale = Math.max(width / bitmap.width, height / bitmap.height);
    const [wide, high] = [bitmap.width * scale, bitmap.height * scale];
    context.imageSmoothingQuality = "high";
    context.fillStyle = "#ffffff"; // under what is transparent
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, (width - wide) / 2, (height - high) / 2, wide, high);
    const { data } = context.getImageData(0, 0, width, height);
    view.useGround(fromPixels(data, channels), `“${file.name}” is scanned now: everything above is about it.`);
  } catch (error) {
    put(view.status, { text: error.message, class: "status wrong" });
  }
}

// RGBA bytes to (C, H, W) in 0 … 1; one channel is the mean of red, green and blue.
function fromPixels(data, channels) {
  const plane = data.length / 4;
  const values = new Float64Array(channels * plane);
  for (let i = 0; i < plane; i += 1) {
    const [red, green, blue] = data.subarray(4 * i, 4 * i + 3);
    if (channels === 1) values[i] = (red + green + blue) / 765;
    else [red, green, blue].forEach((level, c) => (values[c * plane + i] = level / 255));
  }
  return values;
}

// The highest scores first, and the window's way through the net.
function scoreTables({ model, map, stride, threshold, digits, window, count }) {
  const order = [...map.values.keys()].filter((p) => p < count && !Number.isNaN(map.values[p]));
  order.sort((p, q) => map.values[q] - map.values[p] || p - q);
  const rows = order.slice(0, 200).map((p, rank) => {
    const corner = [Math.floor(p / map.shape[1]) * stride[0], (p % map.shape[1]) * stride[1]];
    const middle = centerOf(p, map.shape, stride, model.size);
    const score = map.values[p];
    return [String(rank + 1), ...corner.map(String), ...middle.map((v) => short(v, 1)), signed(score, digits), probability(score), score > threshold ? "yes" : "no"];
  });
  const limit = order.length > 200 ? `The 200 highest of ${thousands(order.length)} scores` : "Scores, highest first";
  const heads = ["rank", "window’s row", "column", "center’s row", "column", "score", "probability", "above threshold"];
  const tables = [table(limit, heads, rows)];
  if (!model.isFresh(...window)) return tables;
  const units = model.through(...window).flatMap(({ sums, values }, l) =>
    [...sums].map((sum, n) => [String(l + 1), String(n), number(sum, 6), l === model.layers.length - 1 ? "–" : number(values[n], 6)]),
  );
  return [...tables, table(`The window at ${at(...window)} on its way through the net`, ["layer", "neuron", "sum", "after ReLU"], units)];
}
