// The usual mistakes with a convolution: [name, outputs in the form of convolveBatch, …]. A name fits "matches …".
// What cannot be done with these arrays gives null.
const MOST_PRODUCTS = 400_000;

const scaled = ({ values, shape }, factor) => ({ values: Float64Array.from(values, (value) => value * factor), shape });
const spatialAxes = ({ w }) => w.shape.slice(2).map((_, i) => i);
const AXES_OF_RANK = { 1: ["width"], 2: ["height", "width"], 3: ["depth", "height", "width"] };

function suspectRules(given) {
  const { x, w, b, axes, groups, shape } = given;
  const [filters, depth, ...kernel] = w.shape;
  const names = AXES_OF_RANK[axes.length];
  const space = spatialAxes(given);
  const inKernel = (list) => list.map((axis) => axis + 2);
  const run = (changes) => convolveBatch({ ...given, ...changes });
  const withAxis = (axis, changes) => axes.map((old, i) => (i === axis ? { ...old, ...changes } : old));
  const padded = axes.some(({ before, after }) => before || after);
  const rules = [];
  const add = (name, make) => rules.push([name, make]);

  add("a flipped kernel", () => run({ w: flip(w, inKernel(space)) }));
  if (space.length > 1) space.forEach((axis) => add(`a kernel flipped in ${names[axis]} only`, () => run({ w: flip(w, [axis + 2]) })));
  if (space.length === 2) {
    add("a transposed kernel", () => {
      const turned = reorder(w, [0, 1, 3, 2]);
      return run({ w: turned, axes: axes.map((axis, i) => ({ ...axis, kernel: turned.shape[i + 2] })) });
    });
    add("an output with height and width swapped", () => {
      const y = run({});
      return reorder(y, [0, 1, 3, 2]);
    });
  }
  if (b?.some((value) => value !== 0)) {
    const bias = (factor) => run({ b: b.map((value) => factor * value) });
    add("a forgotten bias", () => run({ b: null }));
    add("a bias added at every tap", () => bias(depth * product(kernel)));
    if (depth > 1) {
      add("a bias added once for every input channel", () => bias(depth));
      add("a bias added once for every place in the kernel", () => bias(product(kernel)));
    }
    add("a bias subtracted", () => bias(-1));
    add("a bias added twice", () => bias(2));
    if (filters > 1) add("the first bias for every filter", () => run({ b: b.map(() => b[0]) }));
  }
  axes.forEach(({ stride }, axis) => {
    if (stride < 2) return;
    const where = axes.length > 1 ? ` in ${names[axis]}` : "";
    add(`a forgotten stride${where}`, () => run({ axes: withAxis(axis, { stride: 1 }) }));
    add(`windows that move by one${where}, cut to the right size`, () => cut(run({ axes: withAxis(axis, { stride: 1 }) }), shape));
  });
  if (axes.filter(({ stride }) => stride > 1).length > 1) {
    add("a stride forgotten on all axes", () => run({ axes: axes.map((axis) => ({ ...axis, stride: 1 })) }));
    add("windows that move by one on all axes, cut to the right size", () => cut(run({ axes: axes.map((axis) => ({ ...axis, stride: 1 })) }), shape));
  }
  if (axes.length === 2 && axes[0].stride !== axes[1].stride) {
    add("strides of height and width swapped", () => run({ axes: axes.map((axis, i) => ({ ...axis, stride: axes[1 - i].stride })) }));
  }
  if (padded) {
    const [none, bare] = [{ before: 0, after: 0 }, axes.map((axis) => ({ ...axis, before: 0, after: 0 }))];
    add("a forgotten padding", () => run({ axes: bare }));
    if (axes.length > 1) axes.forEach((axis, i) => axis.before + axis.after && add(`a padding forgotten in ${names[i]}`, () => run({ axes: withAxis(i, none) })));
    add("a padding at the end only", () => run({ axes: axes.map((axis) => ({ ...axis, before: 0, after: axis.before + axis.after })) }));
    add("a padding in front only", () => run({ axes: axes.map((axis) => ({ ...axis, before: axis.before + axis.after, after: 0 })) }));
    add("a padding added once, in front", () => run({ axes: axes.map((axis) => ({ ...axis, after: 0 })) }));
    for (const [mode, words] of [["replicate", "the edge repeated"], ["reflect", "a mirrored edge"], ["circular", "the opposite edge"]]) {
      const possible = axes.every((axis, i) => !paddingFault(x.shape[i + 2], axis.before, axis.after, mode));
      if (possible) add(`${words} in place of zeros`, () => run({ axes: axes.map((axis) => ({ ...axis, mode })) }));
    }
  }
  if (axes.length === 2 && String([axes[0].before, axes[0].after]) !== String([axes[1].before, axes[1].after])) {
    add("paddings of height and width swapped", () => run({ axes: axes.map((axis, i) => ({ ...axis, before: axes[1 - i].before, after: axes[1 - i].after })) }));
  }
  if (axes.some(({ dilation }) => dilation > 1)) add("a forgotten dilation", () => run({ axes: axes.map((axis) => ({ ...axis, dilation: 1 })) }));
  add("windows that begin one late", () => run({ axes: axes.map((axis) => ({ ...axis, before: axis.before - 1, after: axis.after + 1 })) }));
  add("windows that begin one early", () => run({ axes: axes.map((axis) => ({ ...axis, before: axis.before + 1, after: axis.after - 1 })) }));
  kernel.forEach((size, axis) => {
    if (size > 1) add(`the kernel’s last ${["column", "row", "slice"][axes.length - 1 - axis]} left out`, () => run({ w: keepWhere(w, (index) => index[axis + 2] < size - 1) }));
  });
  const taps = depth * product(kernel);
  const noBias = (y) => y;
  add("a mean of the products in place of their sum", () => noBias(run({ w: scaled(w, 1 / taps) })));
  if (depth > 1) {
    add("a mean over the input channels", () => run({ w: scaled(w, 1 / depth) }));
    add("the first input channel alone", () => run({ w: keepWhere(w, (index) => index[1] === 0) }));
    add("the last input channel alone (= in place of +=)", () => run({ w: keepWhere(w, (index) => index[1] === depth - 1) }));
    add("input channels in the opposite order", () => run({ w: flip(w, [1]) }));
  }
  const last = (index) => index.slice(1).every((place, i) => place === w.shape[i + 1] - 1);
  add("the last product alone (= in place of +=)", () => run({ w: keepWhere(w, last) }));
  if (b) add("the last product alone, without the bias", () => run({ w: keepWhere(w, last), b: null }));
  add("the largest product in place of the sum", () => largestProducts(given));
  if (filters === depth && groups === 1 && filters > 1) add("weights read as (C_in, C_out)", () => run({ w: reorder(w, [1, 0, ...inKernel(space)]) }));
  if (filters > 1) add("filters in the opposite order", () => flip(run({}), [1]));
  if (groups > 1) add("the first group’s channels for every filter", () => firstGroup(given));
  if (x.shape[0] > 1) {
    add("a sum over the batch", () => overBatch(run({}), 1));
    add("a mean over the batch", () => overBatch(run({}), x.shape[0]));
    add("the first item for the whole batch", () => firstItem(run({})));
  }
  add("numbers cut to integers", () => mapped(run({}), Math.trunc));
  add("a ReLU on top", () => mapped(run({}), (value) => Math.max(value, 0)));
  add("a sum that is not set back between outputs", () => accumulated(run({})));
  return rules;
}

const mapped = ({ values, shape }, rule) => ({ values: Float64Array.from(values, rule), shape });

function keepWhere({ values, shape }, keep) {
  return { values: Float64Array.from(values, (value, i) => (keep(unravel(i, shape)) ? value : 0)), shape };
}

// The first cells of an array, as many as the shape asks for; null where there are fewer.
function cut(array, shape) {
  if (!array || array.shape.some((size, axis) => size < shape[axis])) return null;
  const values = Float64Array.from({ length: product(shape) }, (_, i) => array.values[ravel(unravel(i, shape), array.shape)]);
  return { values, shape };
}

function overBatch({ values, shape: [batch, ...rest] }, by) {
  const size = product(rest);
  const sums = Float64Array.from({ length: size }, (_, i) => Array.from({ length: batch }, (__, n) => values[n * size + i]).reduce((a, c) => a + c, 0) / by);
  return { values: Float64Array.from({ length: batch * size }, (_, i) => sums[i % size]), shape: [batch, ...rest] };
}

function firstItem({ values, shape }) {
  const size = product(shape.slice(1));
  return { values: values.map((_, i) => values[i % size]), shape };
}

function accumulated({ values, shape }) {
  let sum = 0;
  return { values: Float64Array.from(values, (value) => (sum += value)), shape };
}

function largestProducts(given) {
  const index = [...positions(given.shape)];
  const most = index.map((at) => {
    const { taps, bias } = productsAt(given, at);
    return bias + taps.reduce((best, tap) => Math.max(best, tap.product), -Infinity);
  });
  return { values: Float64Array.from(most), shape: given.shape };
}

function firstGroup(given) {
  const [batch, channels, ...size] = given.x.shape;
  const depth = channels / given.groups;
  const plane = product(size);
  const values = given.x.values.map((_, i) => {
    const [n, c, at] = unravel(i, [batch, channels, plane]);
    return given.x.values[(n * channels + (c % depth)) * plane + at];
  });
  return convolveBatch({ ...given, x: { values, shape: given.x.shape } });
}

// Each suspect beside the answer: in how many cells it gives the same number, and whether in all.
// given: what was passed with names and outputs; convolution: from readConvolution, or null.
function lineUp(got, convolution, given, { limitFor }) {
  const named = given.map(({ name, output }) => ({ name, output, given: true }));
  if (convolution && product(convolution.shape) * product(convolution.w.shape.slice(1)) <= MOST_PRODUCTS) {
    for (const [name, make] of suspectRules(convolution)) {
      const output = make();
      if (output) named.push({ name, output: asExpected(output, convolution), given: false });
    }
  }
  return named.map((suspect) => {
    const { output } = suspect;
    const fits = got !== null && sameShape(output.shape, got.shape);
    const limit = limitFor(output.values);
    const same = fits ? output.values.reduce((n, value, i) => n + (Math.abs(value - got.values[i]) <= limit), 0) : 0;
    return { ...suspect, fits, same, cells: output.values.length, matches: fits && same === output.values.length };
  });
}
