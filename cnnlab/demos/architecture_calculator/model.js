// The numbers of the table, row by row, as cnnlab.summary counts them. Python is the reference.
const BYTES = { float16: 2, float32: 4, float64: 8 };

const isMap = (kind) => kind === "conv" || kind === "maxpool" || kind === "avgpool";
const listOf = (value, rank) => (Array.isArray(value) ? value : Array(rank).fill(value));

// The options of a convolution or a pool, one entry for each axis in the words of front/conv.js.
function axesOf(row, rank) {
  const kernel = listOf(row.kernel_size, rank);
  const stride = row.stride === "kernel" ? kernel : listOf(row.stride, rank);
  const dilation = listOf(row.dilation ?? 1, rank);
  return kernel.map((size, i) => {
    const same = row.padding === "same";
    const [before, after] = same ? samePadding(size, dilation[i]) : Array(2).fill(listOf(row.padding, rank)[i]);
    return { kernel: size, stride: stride[i], dilation: dilation[i], before, after, ceil: Boolean(row.ceil_mode), mode: row.padding_mode ?? "zeros" };
  });
}

// What entries see: `each` one entry on each axis; `together` all entries of a vector, once there are no places any more.
function sightOfInput(rank) {
  const each = Array(rank).fill(SEEN_BY_INPUT);
  return { each, together: rank ? null : [] };
}

function flatSight({ each, together }, spatial, inputSize) {
  if (together) return { each, together };
  const joined = each.map(({ field, jump, start }, i) => {
    const low = Math.max(0, start);
    return { field: Math.min(inputSize[i], start + (spatial[i] - 1) * jump + field) - low, jump, start: low };
  });
  return { each, together: joined };
}

const joinedSight = (sight) => (sight.together ? { each: sight.together, together: sight.together } : sight);

// One row on an input of `shape` (C, *spatial): what it makes, or { fault } where it does not fit.
function rowOutcome(row, shape, sight, inputSize) {
  const fault = rowFault(row, shape);
  if (fault) return { fault };
  const [channels, ...spatial] = shape;
  const free = { parameters: 0, macs: 0, axes: null };
  if (isMap(row.kind)) {
    const axes = axesOf(row, spatial.length);
    const sizes = spatial.map((size, i) => outputSize(size, axes[i]));
    const seen = { each: sight.each.map((one, i) => seenAfter(one, axes[i])), together: null };
    if (row.kind !== "conv") return { ...free, shape: [channels, ...sizes], entries: channels * product(sizes), sight: seen, axes };
    const weights = (channels / row.groups) * product(axes.map(({ kernel }) => kernel)); // of one filter
    const outputs = row.out_channels * product(sizes);
    const parameters = row.out_channels * (weights + (row.bias ? 1 : 0));
    return { shape: [row.out_channels, ...sizes], parameters, macs: outputs * weights, entries: outputs, sight: seen, axes, weights };
  }
  if (row.kind === "flatten") {
    return { ...free, shape: [product(shape)], entries: 0, sight: flatSight(sight, spatial, inputSize) };
  }
  if (row.kind === "globalpool") {
    return { ...free, shape: [channels], entries: channels, sight: joinedSight(flatSight(sight, spatial, inputSize)) };
  }
  if (row.kind === "linear") {
    const features = row.out_features;
    const parameters = features * (channels + (row.bias ? 1 : 0));
    return { shape: [features], parameters, macs: features * channels, entries: features, sight: joinedSight(sight), axes: null };
  }
  const parameters = row.kind === "batchnorm" && row.affine ? 2 * channels : 0;
  return { ...free, parameters, shape, entries: product(shape), sight };
}

// All rows; those after the first fault are null. Totals are over the rows that fit.
function tabulate({ rows, input_shape: input }) {
  const inputSize = input.slice(1);
  let [shape, sight, bad] = [input, sightOfInput(inputSize.length), -1];
  const found = rows.map((row, i) => {
    if (bad >= 0) return null;
    const outcome = rowOutcome(row, shape, sight, inputSize);
    if (outcome.fault) {
      bad = i;
      return { ...outcome, input: shape };
    }
    const { each, together } = outcome.sight;
    const field = each.length ? each.map((axis) => axis.field) : null;
    const jump = each.length && !together ? each.map((axis) => axis.jump) : null;
    const told = { ...outcome, input: shape, field, jump };
    [shape, sight] = [outcome.shape, outcome.sight];
    return told;
  });
  const fine = bad < 0 ? found : found.slice(0, bad);
  const total = (name) => fine.reduce((sum, one) => sum + one[name], 0);
  // Forward only, a layer's input and output must lie in memory at once, and no more.
  const pair = Math.max(0, ...fine.map(({ input: from, entries }) => product(from) + entries));
  const totals = { parameters: total("parameters"), macs: total("macs"), entries: total("entries"), pair };
  return { rows: found, bad, fault: bad < 0 ? null : found[bad].fault, totals, shape: fine.at(-1)?.shape ?? input };
}

// Bytes for a batch: forward only, and in training (weights with their gradients, the input, and every output kept).
function memory({ totals }, input, batch, dtype) {
  const bytes = BYTES[dtype];
  const weights = totals.parameters * bytes;
  return {
    weights,
    outputs: totals.entries * batch * bytes,
    forward: weights + totals.pair * batch * bytes,
    training: 2 * weights + (product(input) + totals.entries) * batch * bytes,
  };
}

// ---- what a reader types into a cell; null where it is none

// "3", "3x5", "3 × 5", "3, 5": one number, or one for each axis; "same" where the option knows it.
function sizesTyped(text, { least, same = false, kernel = false }) {
  const typed = text.trim().toLowerCase();
  if (same && typed === "same") return "same";
  if (kernel && (typed === "kernel" || typed === "")) return "kernel";
  const parts = typed.split(/\s*[x×,;\s]\s*/);
  const sizes = parts.map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
  if (sizes.length > 3 || !sizes.every((size) => size >= least && size <= 100000)) return null;
  return sizes.every((size) => size === sizes[0]) ? sizes[0] : sizes;
}

function shapeTyped(text) {
  const sizes = text.trim().split(/\s*[x×,;\s]\s*/).map((part) => (/^\d+$/.test(part) ? Number(part) : 0));
  return sizes.length <= 4 && sizes.every((size) => size >= 1 && size <= 100000) ? sizes : null;
}

const sizesShown = (value) => (Array.isArray(value) ? value.join("×") : String(value));
