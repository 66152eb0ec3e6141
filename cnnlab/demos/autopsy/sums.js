// The sum behind one cell of a convolution: y[n, o, p] = b[o] + Σ w[o, c, k] · x[n, c, p·S + k·D − P].
function readConvolution(sent) {
  if (!sent) return null;
  const axes = sent.axes.map((axis) => ({ ...axis, mode: "zeros" }));
  return { ...sent, axes, x: unpack(sent.x), w: unpack(sent.w) };
}

// All outputs, for each item of the batch; null where no window fits.
function convolveBatch({ x, w, b, axes, groups }) {
  const [batch, ...rest] = x.shape;
  const size = product(rest);
  if (axes.some((axis, i) => outputSize(rest[i + 1], axis) < 1)) return null;
  const parts = Array.from({ length: batch }, (_, n) => {
    const item = { values: x.values.subarray(n * size, (n + 1) * size), shape: rest };
    return convolve(item, w, b, axes, groups);
  });
  const values = new Float64Array(batch * parts[0].values.length);
  parts.forEach((part, n) => values.set(part.values, n * part.values.length));
  return { values, shape: [batch, ...parts[0].shape] };
}

// The output in the form in which it was expected: without batch, or without channels too.
function asExpected({ values, shape }, { plain, batch }) {
  return { values, shape: plain ? shape.slice(2) : batch ? shape : shape.slice(1) };
}

// [n, o, …] for an index into the expected array, which may have got axes of length 1 in front.
function outputIndex(index, { plain, batch, shape }) {
  const own = plain ? [0, 0, ...index.slice(-(shape.length - 2))] : batch ? index.slice(-shape.length) : [0, ...index.slice(-(shape.length - 1))];
  return own.every((place, axis) => place < shape[axis]) ? own : null;
}

// Every tap of the sum in the order of the weights: its place [c, …k], the input's index (outside of it: padding).
function productsAt({ x, w, b, axes, groups }, [n, o, ...position]) {
  const [filters, depth, ...kernel] = w.shape;
  const first = Math.floor(o / (filters / groups)) * depth;
  const count = depth * product(kernel);
  const bias = b ? b[o] : 0;
  let sum = bias;
  const taps = Array.from({ length: count }, (_, k) => {
    const [c, ...tap] = unravel(k, [depth, ...kernel]);
    const from = tap.map((t, i) => position[i] * axes[i].stride + t * axes[i].dilation - axes[i].before);
    const padding = from.some((place, i) => place < 0 || place >= x.shape[i + 2]);
    const input = padding ? 0 : x.values[ravel([n, first + c, ...from], x.shape)];
    const weight = w.values[o * count + k];
    sum += input * weight;
    return { channel: c, tap, from, padding, input, weight, product: input * weight, sum };
  });
  return { taps, bias, sum, depth, kernel, first };
}
