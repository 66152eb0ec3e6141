// Levels of a scan, for any number of axes: layer i looks at windows of the map below it, as cnnlab's convolutions do.
// layers: [{ kernel, stride, features, weight, bias }] from the input up, sizes one an axis; weight is flat, in C order
// of (features, channels below, *kernel).

// maps[i]: places of layer i over the whole input (0 where it does not fit; maps[0] is the input). inWindow[i]: places
// of layer i that one window of the top layer covers. above[i]: places of layer i from one window to the next.
function scanGeometry(size, layers) {
  const maps = [size];
  for (const { kernel, stride } of layers) {
    const below = maps[maps.length - 1];
    maps.push(below.map((n, a) => Math.max(0, outputSize(n, { kernel: kernel[a], stride: stride[a] }))));
  }
  const top = layers.length;
  const inWindow = Array(top + 1).fill(size.map(() => 1));
  const above = Array(top + 1).fill(size.map(() => 1));
  for (let i = top; i > 0; i -= 1) {
    const { kernel, stride } = layers[i - 1];
    inWindow[i - 1] = inWindow[i].map((n, a) => (n - 1) * stride[a] + kernel[a]);
    above[i - 1] = above[i].map((n, a) => n * stride[a]);
  }
  return { size, maps, inWindow, above, field: inWindow[0], jump: above[0] };
}

// The inputs that a place of layer i looks at in the end: first input and number of inputs for each axis.
function fieldOf(layers, i, place) {
  let [from, count] = [place, place.map(() => 1)];
  for (let k = i; k > 0; k -= 1) {
    const { kernel, stride } = layers[k - 1];
    from = from.map((n, a) => n * stride[a]);
    count = count.map((n, a) => (n - 1) * stride[a] + kernel[a]);
  }
  return { from, count };
}

// For each place of layer i, in C order, the places of the map below that it reads, in C order of the taps.
function tapsOf({ maps }, layers, i) {
  const { kernel, stride } = layers[i - 1];
  const offsets = [...positions(kernel)];
  return [...positions(maps[i])].map((place) =>
    Int32Array.from(offsets, (tap) => ravel(tap.map((t, a) => place[a] * stride[a] + t), maps[i - 1])),
  );
}

// One neuron at one place, before its activation: the bias, then the products channel by channel, tap by tap.
function preactivation({ weight, bias }, neuron, below, plane, taps) {
  const [count, channels] = [taps.length, below.length / plane];
  let [sum, at] = [bias[neuron], neuron * channels * count];
  for (let c = 0; c < channels; c += 1) {
    for (let k = 0; k < count; k += 1, at += 1) sum += weight[at] * below[c * plane + taps[k]];
  }
  return sum;
}

const relu = (value) => (value > 0 ? value : 0);

// The layers with weights: the reader's own [[W, b], …] cut from the lists Python sent, or the first entries of a pool
// of shape (layers, features, channels, *kernel), so that a larger net keeps the values of a smaller one.
function weightedLayers({ pool, layers: own }, channels, sizes) {
  let below = channels;
  return sizes.map(({ kernel, stride, features }, i) => {
    const layer = { kernel, stride, features, channels: below, fan: below * product(kernel) };
    if (own) Object.assign(layer, { weight: Float64Array.from(own[i][0].flat()), bias: Float64Array.from(own[i][1]) });
    else Object.assign(layer, pooled(pool, i, [features, below, ...kernel]));
    below = features;
    return layer;
  });
}

const unpackPool = ({ shape, tenths, biases }) => ({ shape, biases, values: Float64Array.from(unpack(tenths).values, (v) => v / 10) });

function pooled({ shape, values, biases }, i, sizes) {
  const weight = Float64Array.from(positions(sizes), (index) => values[ravel([i, ...index], shape)]);
  return { weight, bias: Float64Array.from({ length: sizes[0] }, (_, d) => biases[i * shape[1] + d]) };
}

// How many blocks of layer 1 a window has in common with the next one along the last axis.
function sharedBlocks({ inWindow, above }) {
  const [inside, step] = [inWindow[1], above[1]];
  const last = inside.length - 1;
  return { shared: product(inside.slice(0, last)) * Math.max(0, inside[last] - step[last]), of: product(inside) };
}

// Boxes { x, y, width, height }: as one path, and made smaller on all sides.
const pathOf = (boxes) => boxes.map(({ x, y, width, height }) => `M${x} ${y}h${width}v${height}h${-width}Z`).join("");

const inset = ({ x, y, width, height }, by) => ({ x: x + by, y: y + by, width: Math.max(1, width - 2 * by), height: Math.max(1, height - 2 * by) });
