// The sentences and the code: the same numbers as in the picture.
const COLORS = ["red", "green", "blue"];

const channelName = (c, count) => (count === 3 ? COLORS[c] : `map ${c}`);

function spanWords(first, size) {
  return size === 1 ? String(first) : `${first}–${first + size - 1}`.replaceAll("-", "−");
}

function pictureName({ picture, labels, names }) {
  return `picture ${picture}${labels ? ` (${names[labels[picture]]})` : ""}`;
}

// What one layer after the convolution makes of a value.
function chainWords(chain, titles) {
  return chain.slice(1).map((step, i) => {
    const before = chain[i].value;
    const after = signed(step.value, 3);
    if (step.kind === "relu") return before > 0 ? `ReLU keeps it: ${after}` : `ReLU makes ${signed(before, 3)} a 0`;
    if (step.kind === "max") return `the largest of ${step.window.length} in the pooling window is ${after}`;
    if (step.kind === "mean") return `the mean of ${step.counted} in the pooling window is ${after}`;
    if (step.kind === "same") return `${titles(step.layer)} leaves it as it is`;
    return `${titles(step.layer)} gives ${after}`;
  });
}

// Parts of a sentence: before the result, the result, after it.
function cellWords(view) {
  const { taps, trace, at, filter, now } = view;
  const { depth, kernel, sums, bias } = taps;
  const onPicture = trace.stage === now.firstConv && now.plainInput;
  const [, channels] = now.pictures.shape;
  const field = pixelsSeen(now.layers, view.layer, at);
  const where =
    `Filter ${filter} at row ${at[0]}, column ${at[1]} of its map sees rows ${spanWords(field.row, field.rows)}, ` +
    `columns ${spanWords(field.column, field.columns)} of ${pictureName(view)}. `;
  const count = depth * kernel[0] * kernel[1];
  let terms;
  if (onPicture) terms = sums.map((sum, c) => `${channels === 3 ? COLORS[c] : "grey"} ${signed(sum, 3)}`).join(", ");
  else {
    const order = sums.map((_, c) => c).sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a]) || a - b);
    const shown = order.slice(0, 3).map((c) => `map ${taps.first + c} ${signed(sums[c], 3)}`);
    terms = shown.join(", ") + (depth > 3 ? `, ${depth - 3} more ${signed(order.slice(3).reduce((t, c) => t + sums[c], 0), 3)}` : "");
  }
  const value = trace.chain[0].value;
  const last = trace.chain.at(-1).value;
  const steps = chainWords(trace.chain, (i) => now.layers[i].title);
  return {
    before: `${where}${depth} × ${kernel[0]} × ${kernel[1]} = ${plural(count, "product")}: ${terms}${bias ? `; bias ${signed(bias, 3)}` : ""}. Sum `,
    result: signed(value, 3),
    after: steps.length ? `; ${steps.join("; ")}.` : ".",
    last,
  };
}

function patchWords({ search, filter, patches, labels, names }) {
  const seen = thousands(search.found.length);
  const of = search.done ? `the ${plural(search.count, "picture")}` : `the first ${seen} of ${plural(search.count, "picture")}`;
  if (!patches.length) return "";
  const best = patches[0];
  const first = `Of ${of}, ${pictureName({ picture: best.picture, labels, names })} excites filter ${filter} most: ${signed(best.value, 3)}`;
  if (!labels) return `${first}.`;
  const counts = new Map();
  for (const { picture } of patches) counts.set(labels[picture], (counts.get(labels[picture]) ?? 0) + 1);
  const tally = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([label, n]) => `${n} × ${names[label]}`);
  return `${first}. The ${patches.length} patches shown come from ${tally.join(", ")}.`;
}

// A float32 as short as it can be written without losing it.
function shortFloat(value) {
  for (let digits = 1; digits < 9; digits += 1) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === Math.fround(value)) return String(text);
  }
  return String(value);
}

// Exact numbers in a listing: written out where there are few, as base64 where there are many.
function arrayLiteral(name, values, shape) {
  const exact = [...values].every((value) => Math.fround(value) === value);
  if (values.length <= 75 && exact) {
    const numbers = [...values].map(shortFloat);
    const lines = [];
    for (let i = 0; i < numbers.length; i += 9) lines.push(`    ${numbers.slice(i, i + 9).join(", ")},`);
    return `${name} = np.array([\n${lines.join("\n")}\n], np.float32).astype(float).reshape(${shape.join(", ")})`;
  }
  const bytes = new Uint8Array((exact ? Float32Array.from(values) : Float64Array.from(values)).buffer);
  const text = btoa(String.fromCharCode(...bytes)).replace(/.{100}/g, "$&\"\n    \"");
  return `${name} = np.frombuffer(base64.b64decode(\n    "${text}"\n), "${exact ? "<f4" : "<f8"}").astype(float).reshape(${shape.join(", ")})`;
}

const AFTER = {
  relu: ["np.maximum(y, 0)", "torch.relu(y)"],
  tanh: ["np.tanh(y)", "torch.tanh(y)"],
  sigmoid: ["1 / (1 + np.exp(-y))", "torch.sigmoid(y)"],
};

// The value of the cell behind its convolution and the plain functions that follow it.
function listings({ taps, trace, filter, now }) {
  const shape = [taps.depth, ...taps.kernel];
  const layer = now.layers[trace.stage];
  const arrays = [
    `# Filter ${filter} of layer ${layer.name} (${layer.title}) and the window it sees at row ${trace.cell[0]}, column ${trace.cell[1]}`,
    arrayLiteral("window", taps.inputs, shape),
    arrayLiteral("w", taps.weights, shape),
    `b = float(np.float32(${shortFloat(taps.bias)}))`,
  ].join("\n");
  const steps = [];
  for (const step of trace.chain.slice(1)) {
    if (!AFTER[step.kind]) break;
    steps.push(AFTER[step.kind]);
  }
  const [plain, torch] = [0, 1].map((k) => steps.map((step) => `\ny = ${step[k]}`).join(""));
  const encoded = arrays.includes("base64.") ? "import base64\n\n" : "";
  return {
    numpy: `${encoded}import numpy as np\n\n${arrays}\n\ny = (window * w).sum() + b${plain}\nprint(y)`,
    torch:
      `${encoded}import numpy as np\nimport torch\n\n${arrays}\n\n` +
      `window, w = torch.from_numpy(window)[None], torch.from_numpy(w)[None]\n` +
      `y = torch.nn.functional.conv2d(window, w, torch.tensor([b], dtype=torch.float64))[0, 0, 0, 0]${torch}\nprint(y.item())`,
  };
}
