// One window, one to three levels: the stack of convolutions, the MLP that it is over one window, and both computed.

// Kernel and stride of each layer, or what keeps the blocks from covering the window. The last level sees all blocks
// that are left, and its stride is what the hop of the scan, the product of both hops, still lacks.
function shapeOf({ levels, window, widths, hops, features }) {
  let [left, rest] = [window, hops[0].map((hop, a) => hop * hops[1][a])];
  const sizes = [];
  for (let i = 0; i + 1 < levels; i += 1) {
    const [kernel, stride] = [widths[i], hops[i]];
    const blocks = left.map((n, a) => Math.floor((n - kernel[a]) / stride[a]) + 1);
    const covered = blocks.map((n, a) => (n < 1 ? 0 : (n - 1) * stride[a] + kernel[a]));
    const axis = left.findIndex((n, a) => covered[a] !== n);
    if (axis >= 0) return { sizes: [], fault: coverFault(i, left[axis], kernel[axis], stride[axis], covered[axis], axis, left.length) };
    sizes.push({ kernel, stride, features: features[i] });
    [left, rest] = [blocks, rest.map((hop, a) => hop / stride[a])];
  }
  sizes.push({ kernel: left, stride: rest, features: features[levels - 1] });
  const ones = window.map(() => 1);
  for (let i = levels; i < features.length; i += 1) sizes.push({ kernel: ones, stride: ones, features: features[i] });
  return { sizes, fault: null };
}

function coverFault(level, size, kernel, stride, covered, axis, rank) {
  const along = rank === 1 ? "" : [" down", " across"][axis];
  const what = level ? "blocks of level 1" : "inputs";
  if (kernel > size) return { level, size, kernel, stride, covered, words: `level ${level + 1} looks at ${kernel} ${what}${along}, but there are only ${size}` };
  const fits = Array.from({ length: size }, (_, k) => k + 1).filter((k) => (size - k) % stride === 0);
  const hops = Array.from({ length: size - kernel || 1 }, (_, k) => k + 1).filter((hop) => (size - kernel) % hop === 0);
  const words =
    `level ${level + 1}: blocks of ${kernel} at hop ${stride} cover ${covered} of ${size} ${what}${along}. ` +
    `At this hop, widths ${fits.join(", ")} fit; at this width, hops ${hops.join(", ")}`;
  return { level, size, kernel, stride, covered, words };
}

function netOf(state) {
  const { data, pool, window } = state;
  const { sizes, fault } = shapeOf(state);
  const x = { values: Float64Array.from(data.x.flat(Infinity)), shape: [data.x.length, ...sizeOf(data.x[0])] };
  if (fault) return { fault, x };
  const layers = weightedLayers({ pool, layers: data.layers }, x.shape[0], sizes);
  const inside = scanGeometry(window, layers);
  const whole = scanGeometry(x.shape.slice(1), layers);
  const entries = layers.reduce((sum, layer, i) => sum + entryCount(layer, inside.maps, i), 0);
  const small = entries > data.mostEntries;
  if (small) return { fault: { words: `the matrices have ${thousands(entries)} entries, more than can be drawn` }, x };
  return { fault: null, x, layers, inside, whole };
}

const sizeOf = (values) => (Array.isArray(values) ? [values.length, ...sizeOf(values[0])] : []);

const entryCount = ({ features, channels }, maps, i) => features * product(maps[i + 1]) * channels * product(maps[i]);

// The matrix of a layer over one window, rows (unit, *place) and columns (channel, *place below) in C order; ties holds
// for each entry the place of its weight in the layer, −1 where there is no connection.
function expandLayer(layer, maps, i) {
  const { features, channels, kernel, weight, bias, fan } = layer;
  const [above, below, count] = [product(maps[i + 1]), product(maps[i]), product(kernel)];
  const [rows, columns] = [features * above, channels * below];
  const ties = new Int32Array(rows * columns).fill(-1);
  tapsOf({ maps }, [...Array(i), layer], i + 1).forEach((taps, place) => {
    for (let d = 0; d < features; d += 1) {
      for (let c = 0; c < channels; c += 1) {
        taps.forEach((tap, k) => (ties[(d * above + place) * columns + c * below + tap] = d * fan + c * count + k));
      }
    }
  });
  const matrix = Float64Array.from(ties, (tie) => (tie < 0 ? 0 : weight[tie]));
  return { rows, columns, ties, matrix, biases: Float64Array.from({ length: rows }, (_, r) => bias[Math.floor(r / above)]) };
}

// The expanded MLP at one window, every entry of its matrices used, zeros too: [numbers of each layer after ReLU].
function mlp(expanded, window) {
  const numbers = [window];
  expanded.forEach(({ rows, columns, matrix, biases }, i) => {
    const [below, y] = [numbers[i], new Float64Array(rows)];
    for (let r = 0; r < rows; r += 1) {
      let sum = 0;
      for (let c = 0; c < columns; c += 1) sum += matrix[r * columns + c] * below[c];
      y[r] = sum + biases[r];
      if (i + 1 < expanded.length) y[r] = relu(y[r]);
    }
    numbers.push(y);
  });
  return numbers;
}

// The inputs in a window, flat in C order of (channel, *place).
function windowAt({ x, whole, inside }, position) {
  const start = unravel(position, whole.maps[whole.maps.length - 1]).map((p, a) => p * whole.jump[a]);
  const [channels, ...size] = x.shape;
  const index = [...positions([channels, ...inside.size])];
  return Float64Array.from(index, ([c, ...place]) => x.values[ravel([c, ...place.map((p, a) => start[a] + p)], [channels, ...size])]);
}

// Both forms over the whole input: maps of the convolutions (after ReLU), and the MLP's numbers at each window.
function bothForms(net) {
  const { layers, x, inside, whole } = net;
  const expanded = layers.map((layer, i) => expandLayer(layer, inside.maps, i));
  const maps = [x];
  layers.forEach((layer, i) => {
    const axes = layer.kernel.map((kernel, a) => ({ kernel, stride: layer.stride[a] }));
    const y = convolve(maps[i], { values: layer.weight, shape: [layer.features, layer.channels, ...layer.kernel] }, layer.bias, axes);
    maps.push(i + 1 < layers.length ? { ...y, values: y.values.map(relu) } : y);
  });
  const windows = product(whole.maps[layers.length]);
  const numbers = Array.from({ length: windows }, (_, position) => mlp(expanded, windowAt(net, position)));
  const features = layers[layers.length - 1].features;
  const difference = numbers.reduce((most, found, position) => {
    const top = found[layers.length];
    return top.reduce((larger, value, d) => Math.max(larger, Math.abs(value - maps[layers.length].values[d * windows + position])), most);
  }, 0);
  return { expanded, maps, numbers, windows, features, difference };
}

// Weights of one layer, biases apart: all connected, one for each connection, one for each set of tied ones.
function weightCounts({ layers, inside: { maps } }) {
  return layers.map(({ features, channels, fan }, i) => {
    const [places, below] = [product(maps[i + 1]), product(maps[i])];
    return { places, features, fan, rows: features * places, columns: channels * below, dense: features * places * channels * below, untied: places * features * fan, tied: features * fan };
  });
}

// Weights and biases of the whole net in the three cases.
function totals(counts) {
  const sum = (of) => counts.reduce((total, layer) => total + of(layer), 0);
  return { dense: sum((l) => l.dense + l.rows), untied: sum((l) => l.untied + l.rows), tied: sum((l) => l.tied + l.features) };
}

// The three nets beside one another: what levels 1, 2 and 3 would have, or null where blocks do not cover.
function alternatives(state) {
  return [1, 2, 3].map((levels) => {
    if (state.data.layers && levels !== state.levels) return null;
    const net = netOf({ ...state, levels });
    return net.fault ? null : totals(weightCounts(net));
  });
}
