// The numbers of a layer. One, two and three spatial axes are one thing here: axes that are missing have length 1.
// Python (cnnlab/ops/conv.py, cnnlab/geometry/conv.py) is the reference.

const shapeOf = (nested) => (Array.isArray(nested) ? [nested.length, ...shapeOf(nested[0])] : []);
const lifted = (list, fill) => [...Array(3 - list.length).fill(fill), ...list];

// The weights (C_out, C_in/groups, 1 or D, H, W) that this many groups leave of those for one group; with oneByOne only
// the center tap of each filter.
function blocksOf(dense, shape, groups, oneByOne) {
  const [filters, channels, ...kernel] = shape;
  const [depth, taps] = [channels / groups, product(kernel)];
  const center = ravel(kernel.map((size) => Math.floor(size / 2)), kernel);
  const kept = oneByOne ? 1 : taps;
  const values = new Float64Array(filters * depth * kept);
  for (let j = 0; j < filters; j += 1) {
    for (let c = 0; c < depth; c += 1) {
      const from = (j * channels + firstChannel(j, filters, groups, depth) + c) * taps + (oneByOne ? center : 0);
      for (let k = 0; k < kept; k += 1) values[(j * depth + c) * kept + k] = dense[from + k];
    }
  }
  return { values, shape: [filters, depth, ...(oneByOne ? [1, 1, 1] : kernel)] };
}

// The first input channel that filter j sees.
const firstChannel = (j, filters, groups, depth) => Math.floor(j / (filters / groups)) * depth;

// The group counts that divide both numbers of channels.
function divisors(channels, filters) {
  return Array.from({ length: channels }, (_, i) => i + 1).filter((n) => channels % n === 0 && filters % n === 0);
}

// Why the layer has no output, with what to change, or null.
function volumeFault({ x, w, b, groups, axes, sizes, channels, filters, mode, names }) {
  if (x.length !== w.length - 1) return `x has ${x.length} axes and w has ${w.length}. Give w one more than x`;
  if (channels !== x[0]) return `x has ${x[0]} channels and the filters see ${channels}. Give both the same`;
  if (b && b.length !== filters) return `b has ${b.length} entries for ${filters} filters. Give one for each`;
  if (channels % groups || filters % groups) {
    return `groups = ${groups} does not divide ${channels} input channels and ${filters} filters. Choose a common divisor`;
  }
  for (const [i, axis] of axes.entries()) {
    const bad = paddingFault(sizes[i], axis.before, axis.after, mode);
    if (bad) return `${bad}, along the ${names[i]}. Pad less, or choose “zeros”`;
    if (outputSize(sizes[i], axis) >= 1) continue;
    const covers = extent(axis.kernel, axis.dilation);
    return `along the ${names[i]} the kernel covers ${covers} and the padded input has only ${sizes[i] + 2 * axis.before}. Add padding, or take a smaller dilation`;
  }
  return null;
}

const AXES = ["depth", "height", "width"];

function volumeModel(state) {
  const { groups, padding_mode: mode, b, one_by_one: oneByOne } = state;
  const [xShape, wShape] = [shapeOf(state.x), shapeOf(state.w)];
  const [filters, channels, ...kernelGiven] = wShape;
  const rank = kernelGiven.length;
  const sizes = lifted(xShape.slice(1), 1);
  const kernel = oneByOne ? [1, 1, 1] : lifted(kernelGiven, 1);
  const each = (name, fill) => lifted(state[name].slice(0, rank), fill);
  const [strides, paddings, dilations] = [each("stride", 1), each("padding", 0), each("dilation", 1)];
  const axes = kernel.map((size, i) => {
    const [before, after] = [paddings[i], paddings[i]];
    return { kernel: size, stride: strides[i], before, after, dilation: dilations[i], mode };
  });
  const shape = { rank, sizes, kernel, axes, channels, filters, groups, mode, biases: b };
  const fault = volumeFault({ x: xShape, w: wShape, b, groups, axes, sizes, channels, filters, mode, names: AXES });
  if (fault) return { ...shape, fault, outputs: [0, 0, 0], depth: 0, padded: sizes };
  const x = { values: Float64Array.from(state.x.flat(Infinity)), shape: [channels, ...sizes] };
  const dense = Float64Array.from(state.w.flat(Infinity));
  const w = blocksOf(dense, [filters, channels, ...lifted(kernelGiven, 1)], groups, oneByOne);
  const parts = contributions(x, w, axes, groups);
  const maps = sumOver(parts, b);
  const padded = sizes.map((size, i) => size + 2 * paddings[i]);
  const most = [maps.values, parts.values].reduce((all, values) => values.reduce((a, v) => Math.max(a, Math.abs(v)), all), 0);
  return { ...shape, fault, x, w, parts, maps, most, padded, outputs: maps.shape.slice(1), depth: channels / groups };
}

// What each input channel of a filter's group contributes to its map: (C_out, C_in/groups, D, H, W), without the bias.
function contributions(x, w, axes, groups) {
  const [filters, depth, ...kernel] = w.shape;
  const sizes = x.shape.slice(1);
  const sources = axes.map((axis, i) => axisSources(sizes[i], axis));
  const outputs = sources.map((axis) => axis.length);
  const [plane, taps, places] = [sizes, kernel, outputs].map(product);
  const values = new Float64Array(filters * depth * places);
  const seen = new Int32Array(taps);
  for (const [place, position] of [...positions(outputs)].entries()) {
    const [deep, down, across] = sources.map((axis, i) => axis[position[i]]);
    let k = 0;
    for (const a of deep) {
      for (const b of down) {
        for (const c of across) seen[k++] = a < 0 || b < 0 || c < 0 ? -1 : (a * sizes[1] + b) * sizes[2] + c;
      }
    }
    for (let j = 0; j < filters; j += 1) {
      const first = firstChannel(j, filters, groups, depth);
      for (let c = 0; c < depth; c += 1) {
        const [from, weight] = [(first + c) * plane, (j * depth + c) * taps];
        let sum = 0;
        for (k = 0; k < taps; k += 1) if (seen[k] >= 0) sum += w.values[weight + k] * x.values[from + seen[k]];
        values[(j * depth + c) * places + place] = sum;
      }
    }
  }
  return { values, shape: [filters, depth, ...outputs] };
}

// The activation maps: for each filter the sum of what its channels contribute, and its bias.
function sumOver({ values, shape: [filters, depth, ...outputs] }, biases) {
  const places = product(outputs);
  const maps = new Float64Array(filters * places);
  for (let j = 0; j < filters; j += 1) {
    for (let p = 0; p < places; p += 1) {
      let sum = biases ? biases[j] : 0;
      for (let c = 0; c < depth; c += 1) sum += values[(j * depth + c) * places + p];
      maps[j * places + p] = sum;
    }
  }
  return { values: maps, shape: [filters, ...outputs] };
}

// The partial maps of one filter and the first of its channels.
function partialMaps({ parts, filters, groups, depth, outputs }, filter) {
  const size = depth * product(outputs);
  const values = parts.values.subarray(filter * size, (filter + 1) * size);
  return { values, shape: [depth, ...outputs], first: firstChannel(filter, filters, groups, depth) };
}

// The dot product of one filter at one position: for each channel its taps and their sum, row-major.
function dotProduct({ x, w, axes, filters, groups, depth, sizes, kernel, mode }, filter, position) {
  const first = firstChannel(filter, filters, groups, depth);
  const [plane, taps] = [product(sizes), product(kernel)];
  return Array.from({ length: depth }, (_, c) => {
    const terms = [...positions(kernel)].map((tap, k) => {
      const at = tap.map((t, i) => position[i] * axes[i].stride + t * axes[i].dilation - axes[i].before);
      const from = at.map((p, i) => sourceOf(p, sizes[i], mode));
      const input = from.includes(-1) ? 0 : x.values[(first + c) * plane + ravel(from, sizes)];
      const weight = w.values[(filter * depth + c) * taps + k];
      return { tap, at, input, weight, product: input * weight };
    });
    return { channel: first + c, terms, sum: terms.reduce((sum, term) => sum + term.product, 0) };
  });
}

// One slice of a padded input plane: values of rows × columns at a padded depth, null where there is none.
function paddedPlane({ x, padded, axes, sizes, mode }, channel, depth) {
  const plane = product(sizes);
  const d = sourceOf(depth - axes[0].before, sizes[0], mode);
  return [...positions(padded.slice(1))].map(([r, c]) => {
    const from = [d, sourceOf(r - axes[1].before, sizes[1], mode), sourceOf(c - axes[2].before, sizes[2], mode)];
    return from.includes(-1) ? 0 : x.values[channel * plane + ravel(from, sizes)];
  });
}

// Parameters and multiply-adds, for this many groups.
function volumeCounts({ channels, filters, kernel, outputs, biases }, groups) {
  const weightsOfFilter = (channels / groups) * product(kernel);
  const bias = biases ? filters : 0;
  return {
    ...{ groups, weightsOfFilter, bias, weights: filters * weightsOfFilter, parameters: filters * weightsOfFilter + bias },
    macs: filters * product(outputs) * weightsOfFilter,
  };
}
