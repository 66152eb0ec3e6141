// Why a row does not fit what comes before it: words, the options that are wrong, and a change that would mend it.
const AXIS_TITLES = { 1: ["length"], 2: ["height", "width"], 3: ["depth", "height", "width"] };

const shapeWords = (shape) => shape.join(" × ");

// fix: { text, options } changes options of the row, { text, insert } puts a row before it.
function rowFault(row, shape) {
  const rank = shape.length - 1;
  if (row.kind === "linear" && rank > 0) {
    const words = `a linear layer takes a vector, but gets ${shapeWords(shape)} maps`;
    return { words, names: ["kind"], fix: { text: "insert a flatten before it", insert: { kind: "flatten" } } };
  }
  if (row.kind === "globalpool" && rank < 1) return { words: `there are no places to join: it gets a vector of ${shape[0]}`, names: ["kind"] };
  if (row.kind === "batchnorm" && rank > 3) return { words: `it takes at most 3 spatial axes, not ${rank}`, names: ["kind"] };
  return isMap(row.kind) ? mapFault(row, shape, rank) : null;
}

function mapFault(row, shape, rank) {
  if (rank < 1) {
    const name = row.kind === "conv" ? "a convolution" : "a pool";
    return { words: `${name} takes maps, but gets a vector of ${shape[0]}: put it before the flatten or the linear layers`, names: ["kind"] };
  }
  for (const name of ["kernel_size", "stride", "padding", "dilation"]) {
    const value = row[name];
    if (Array.isArray(value) && value.length !== rank) {
      const axes = rank === 1 ? "the input has 1 axis" : `the input has ${rank} axes`;
      const fix = { text: `use ${value[0]} on all axes`, options: { [name]: value[0] } };
      return { words: `${name} ${value.join("×")} has ${value.length} entries and ${axes}`, names: [name], fix };
    }
  }
  return (row.kind === "conv" ? convFault(row, shape, rank) : null) ?? axisFault(row, shape, rank);
}

function convFault({ groups, out_channels: filters, padding, stride }, shape, rank) {
  for (const [count, words] of [[shape[0], "input channels"], [filters, "filters"]]) {
    if (count % groups) {
      const fits = commonDivisor(groups, shape[0], filters);
      const fix = { text: `set groups to ${fits}`, options: { groups: fits } };
      return { words: `${count} ${words} cannot be shared out among ${groups} groups`, names: ["groups"], fix };
    }
  }
  if (padding === "same" && listOf(stride, rank).some((step) => step !== 1)) {
    return { words: `padding “same” needs stride 1, not ${sizesShown(stride)}`, names: ["padding", "stride"], fix: { text: "set stride to 1", options: { stride: 1 } } };
  }
  return null;
}

function axisFault(row, [, ...spatial], rank) {
  const axes = axesOf(row, rank);
  const name = (i) => (rank > 1 ? `${AXIS_TITLES[rank][i]}: ` : "");
  for (const [i, axis] of axes.entries()) {
    const pool = row.kind === "conv" ? null : poolPaddingFault(axis);
    if (pool) {
      const most = Math.floor(axis.kernel / 2);
      return { words: `${name(i)}${pool}, so a window could lie in the padding alone`, names: ["padding"], fix: { text: `set padding to ${most}`, options: { padding: most } } };
    }
    const mode = paddingFault(spatial[i], axis.before, axis.after, axis.mode);
    if (mode) return { words: `${name(i)}${mode}`, names: ["padding"], fix: { text: "set padding to 0", options: { padding: 0 } } };
  }
  const i = axes.findIndex((axis, j) => outputSize(spatial[j], axis) < 1);
  if (i < 0) return null;
  const fits = axes.map(({ kernel, dilation, before, after }, j) => Math.max(1, Math.min(kernel, Math.floor((spatial[j] + before + after - 1) / dilation) + 1)));
  const size = fits.every((one) => one === fits[0]) ? fits[0] : fits;
  const fix = { text: `set the kernel to ${sizesShown(size)}`, options: { kernel_size: size } };
  return { words: `${name(i)}${windowFault(spatial[i], axes[i])}`, names: ["kernel_size"], fix };
}

function commonDivisor(...values) {
  const pair = (a, b) => (b ? pair(b, a % b) : a);
  return values.reduce(pair);
}

// The rows with a fault mended.
function mended(rows, i, { options, insert }) {
  if (insert) return [...rows.slice(0, i), insert, ...rows.slice(i)];
  return rows.map((row, j) => (j === i ? { ...row, ...options } : row));
}
