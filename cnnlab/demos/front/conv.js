// Sizes and sums of convolution and pooling for any number of spatial axes, as cnnlab/geometry and cnnlab/ops define
// them; tests/browser compares every number with NumPy. Arrays are flat, in C order, with their shape beside them.

const product = (sizes) => sizes.reduce((a, b) => a * b, 1);

// Every index of an array of this shape, in C order.
function* positions(shape) {
  const total = product(shape);
  for (let flat = 0; flat < total; flat += 1) yield unravel(flat, shape);
}

function unravel(flat, shape) {
  const index = Array(shape.length);
  for (let axis = shape.length - 1, rest = flat; axis >= 0; axis -= 1) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}

function ravel(index, shape) {
  return index.reduce((flat, place, axis) => flat * shape[axis] + place, 0);
}

const extent = (kernel, dilation) => dilation * (kernel - 1) + 1;

// ⌊(W + P_before + P_after − D·(K−1) − 1)/S⌋ + 1, less than 1 where the kernel does not fit. In a pool with `ceil` one
// more window may reach beyond the padded input, if it starts inside the input or the padding before it.
function outputSize(size, { kernel, stride = 1, before = 0, after = 0, dilation = 1, ceil = false }) {
  const [covers, padded] = [extent(kernel, dilation), size + before + after];
  const count = Math.floor((padded - covers) / stride) + 1;
  if (!ceil) return count;
  const start = count * stride;
  return count + (start - stride + covers < padded && start < before + size);
}

// Why no window fits on an axis, in words, or null.
function windowFault(size, axis) {
  if (outputSize(size, axis) >= 1) return null;
  const { kernel, before = 0, after = 0, dilation = 1 } = axis;
  const reach = dilation === 1 ? `kernel ${kernel} is` : `kernel ${kernel} with dilation ${dilation} covers ${extent(kernel, dilation)},`;
  const padded = before + after ? `the padded input, ${size} + ${before + after} = ${size + before + after}` : `the input, ${size}`;
  return `${reach} larger than ${padded}`;
}

// Pools take no more padding than half their kernel, or a window could lie in the padding alone.
function poolPaddingFault({ kernel, before = 0, after = 0 }) {
  const added = Math.max(before, after);
  return added > Math.floor(kernel / 2) ? `padding ${added} is more than half of the pooling kernel ${kernel}` : null;
}

// On one axis: output o looks at inputs start + o·jump to start + o·jump + field − 1.
const SEEN_BY_INPUT = { field: 1, jump: 1, start: 0 };

function seenAfter({ field, jump, start }, { kernel, stride = 1, before = 0, dilation = 1 }) {
  return { field: field + (kernel - 1) * dilation * jump, jump: jump * stride, start: start - before * jump };
}

// "same": as many outputs as inputs at stride 1; an odd rest goes to the end, as in PyTorch.
function samePadding(kernel, dilation = 1) {
  const total = dilation * (kernel - 1);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

// The input position whose value stands at position i (which may lie in the padding), or −1 for a zero.
function sourceOf(i, size, mode) {
  if (i >= 0 && i < size) return i;
  if (mode === "reflect") return i < 0 ? -i : 2 * (size - 1) - i;
  if (mode === "replicate") return i < 0 ? 0 : size - 1;
  if (mode === "circular") return ((i % size) + size) % size;
  return -1;
}

// What a padding mode cannot do on an axis of this size, in words, or null.
function paddingFault(size, before, after, mode) {
  const added = Math.max(before, after);
  const needed = { zeros: 0, reflect: added + 1, replicate: 1, circular: added }[mode];
  return added && size < needed ? `padding ${added} with “${mode}” needs an input of at least ${needed}, not ${size}` : null;
}

// For one axis: which input each tap of each output sees, −1 for a zero of the padding; [output][tap].
function axisSources(size, axis) {
  const { kernel, stride = 1, before = 0, dilation = 1, mode = "zeros" } = axis;
  const count = Math.max(0, outputSize(size, axis));
  return Array.from({ length: count }, (_, o) =>
    Array.from({ length: kernel }, (_, t) => sourceOf(o * stride + t * dilation - before, size, mode)),
  );
}

// y[o, p] = b[o] + Σ over channels c of o's group and taps k of w[o, c, k] · x[c, source(p, k)] (cross-correlation).
// x: { values, shape: [C, …] }, w: { values, shape: [C_out, C/groups, …] }, b: numbers or null; axes: one of
// { kernel, stride, before, after, dilation, mode } for each spatial axis.
function convolve(x, w, b, axes, groups = 1) {
  const [spatial, kernel] = [x.shape.slice(1), w.shape.slice(2)];
  const sources = spatial.map((size, axis) => axisSources(size, axes[axis]));
  const outputs = sources.map((axis) => axis.length);
  const [filters, depth] = [w.shape[0], w.shape[1]];
  const [plane, taps, places] = [product(spatial), product(kernel), product(outputs)];
  const values = new Float64Array(filters * places);
  const tapIndex = [...positions(kernel)];
  let place = 0;
  for (const position of positions(outputs)) {
    const seen = tapIndex.map((tap) => {
      const from = tap.map((k, axis) => sources[axis][position[axis]][k]);
      return from.includes(-1) ? -1 : ravel(from, spatial);
    });
    for (let o = 0; o < filters; o += 1) {
      const first = Math.floor(o / (filters / groups)) * depth;
      let sum = b ? b[o] : 0;
      for (let c = 0; c < depth; c += 1) {
        for (let k = 0; k < taps; k += 1) {
          if (seen[k] >= 0) sum += w.values[(o * depth + c) * taps + k] * x.values[(first + c) * plane + seen[k]];
        }
      }
      values[o * places + place] = sum;
    }
    place += 1;
  }
  return { values, shape: [filters, ...outputs] };
}
