// What a unit sees and reaches, axis by axis: a window is a product of its axes, so a set of units is the product of
// one set an axis, and the paths between two units are the product of those on each axis. Python is the reference.

// The layers as one axis sees them, in the words of front/conv.js.
function axisSteps(layers, axis) {
  return layers.map((layer) => {
    const [before, after] = layer.padding[axis];
    const [kernel, stride, dilation] = [layer.kernel_size, layer.stride, layer.dilation].map((values) => values[axis]);
    return { kernel, stride, dilation, before, after, ceil: layer.ceil_mode };
  });
}

// Sizes and fields of the input (level 0) and of each layer, as far as the layers fit; `fault` says why not further.
function stackModel({ layers, input_size: size }) {
  const axes = size.map((count, axis) => ({ steps: axisSteps(layers, axis), sizes: [count], seen: [SEEN_BY_INPUT] }));
  let fault = null;
  for (let l = 0; l < layers.length && !fault; l += 1) {
    const found = axes.map(({ steps, sizes }) => windowFault(sizes[l], steps[l]));
    const axis = found.findIndex(Boolean);
    if (axis >= 0) {
      fault = { layer: l + 1, axis, words: found[axis] };
    } else {
      for (const { steps, sizes, seen } of axes) {
        sizes.push(outputSize(sizes[l], steps[l]));
        seen.push(seenAfter(seen[l], steps[l]));
      }
    }
  }
  return { axes, fault, rank: size.length, depth: axes[0].sizes.length - 1 };
}

// The inputs at the taps of one unit of `level`; those outside 0 … size − 1 lie in the padding or beyond.
function tapsOf({ steps }, level, unit) {
  const { kernel, stride, dilation, before } = steps[level - 1];
  return Array.from({ length: kernel }, (_, t) => unit * stride + t * dilation - before);
}

// Paths from the unit down: at each level from its own to the input, how many lead to each position.
function pathsDown(axis, level, unit) {
  const found = axis.sizes.slice(0, level + 1).map((size) => new Float64Array(size));
  found[level][unit] = 1;
  for (let l = level; l > 0; l -= 1) {
    found[l].forEach((count, i) => {
      if (count) for (const at of tapsOf(axis, l, i)) if (at >= 0 && at < axis.sizes[l - 1]) found[l - 1][at] += count;
    });
  }
  return found;
}

// Paths from the unit up: at each level from its own (index 0) to the last.
function pathsUp(axis, level, unit) {
  const found = axis.sizes.slice(level).map((size) => new Float64Array(size));
  found[0][unit] = 1;
  for (let l = level + 1; l < axis.sizes.length; l += 1) {
    const [below, here] = [found[l - level - 1], found[l - level]];
    here.forEach((_, i) => {
      for (const at of tapsOf(axis, l, i)) if (at >= 0 && at < below.length) here[i] += below[at];
    });
  }
  return found;
}

// Both cones of a unit as one list by level.
function cones(axis, level, unit) {
  return [...pathsDown(axis, level, unit), ...pathsUp(axis, level, unit).slice(1)];
}

// First and last position with a path, how many there are, and whether some between are left out; null without any.
function reached(counts) {
  const at = [...counts.keys()].filter((i) => counts[i] > 0);
  if (!at.length) return null;
  const [first, last] = [at[0], at.at(-1)];
  return { first, last, count: at.length, gaps: at.length < last - first + 1 };
}

// What unit `unit` of a level looks at by the recurrence: from first to last, padding included.
function fieldOf({ seen }, level, unit) {
  const { field, jump, start } = seen[level];
  const first = start + unit * jump;
  return { first, last: first + field - 1, field, jump, center: first + (field - 1) / 2 };
}

// 1 + L·(K − 1) after L layers: right where all have the same K, no dilation, and stride 1 below the last.
function closedForm({ steps }, level) {
  if (!level) return { value: 1, fault: null };
  const [{ kernel }] = steps;
  for (let l = 0; l < level; l += 1) {
    const { kernel: k, stride, dilation } = steps[l];
    if (k !== kernel) return { value: null, fault: `layer ${l + 1} has kernel ${k}, layer 1 has ${kernel}` };
    if (dilation !== 1) return { value: null, fault: `layer ${l + 1} has dilation ${dilation}` };
    if (stride !== 1 && l < level - 1) return { value: null, fault: `layer ${l + 1} has stride ${stride}` };
  }
  return { value: 1 + level * (kernel - 1), kernel, fault: null };
}

// How many layers of one kernel until a unit sees `target` positions; every `every`-th layer has stride 2 (0: none).
// The fields after 0, 1, … layers come with it.
function layersToSee(target, kernel, every) {
  const fields = [1];
  for (let seen = SEEN_BY_INPUT; seen.field < target; fields.push(seen.field)) {
    const stride = every && fields.length % every === 0 ? 2 : 1;
    seen = seenAfter(seen, { kernel, stride });
  }
  return { layers: fields.length - 1, fields };
}
