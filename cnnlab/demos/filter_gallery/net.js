// The net in the browser, as in evaluation mode: maps { values, shape: [C, H, W] } or vectors { values, shape: [n] }.
// Typed arrays and plain loops; sums in double precision. Python's layers are the reference.

// Layers as Python described them, with their numbers cut out of the one array of a record. A layer whose numbers are
// not there (only the first part was kept) has `missing` set.
function withNumbers(layers, numbers) {
  return layers.map((layer) => {
    const arrays = {};
    let missing = false;
    for (const [name, { start, shape }] of Object.entries(layer.arrays)) {
      const stop = start + product(shape);
      missing ||= stop > numbers.length;
      arrays[name] = numbers.subarray(start, stop);
    }
    return { ...layer, ...arrays, missing, wShape: layer.arrays.weight?.shape };
  });
}

// A plane with its padding around it: what stands there follows the mode.
function paddedPlane(values, offset, [rows, columns], [[top, bottom], [left, right]], mode) {
  const [height, width] = [rows + top + bottom, columns + left + right];
  const plane = new Float64Array(height * width);
  for (let r = 0; r < height; r += 1) {
    const from = sourceOf(r - top, rows, mode);
    if (from < 0) continue;
    for (let c = 0; c < width; c += 1) {
      const at = sourceOf(c - left, columns, mode);
      if (at >= 0) plane[r * width + c] = values[offset + from * columns + at];
    }
  }
  return plane;
}

// One filter's map, or all of them: y[o] = b[o] + Σ w[o, c, u, v] · x[c, …].
function convMaps({ values, shape: [channels, rows, columns] }, layer, only = null) {
  const { stride: [down, right], dilation: [stepR, stepC], wShape: [filters, depth, KH, KW], groups, shape } = layer;
  const { padding, mode } = layer;
  const [outRows, outColumns] = [shape[1], shape[2]];
  const places = outRows * outColumns;
  const wanted = only === null ? Array.from({ length: filters }, (_, o) => o) : [only];
  const width = columns + padding[1][0] + padding[1][1];
  const planes = new Map();
  const plane = (c) => {
    if (!planes.has(c)) planes.set(c, paddedPlane(values, c * rows * columns, [rows, columns], padding, mode));
    return planes.get(c);
  };
  const out = new Float64Array(wanted.length * places);
  wanted.forEach((o, n) => {
    const [start, first] = [n * places, Math.floor(o / (filters / groups)) * depth];
    if (layer.bias) out.fill(layer.bias[o], start, start + places);
    for (let c = 0; c < depth; c += 1) {
      const x = plane(first + c);
      for (let u = 0; u < KH; u += 1) {
        for (let v = 0; v < KW; v += 1) {
          const w = layer.weight[((o * depth + c) * KH + u) * KW + v];
          if (w === 0) continue;
          for (let i = 0; i < outRows; i += 1) {
            let at = (i * down + u * stepR) * width + v * stepC;
            const end = start + (i + 1) * outColumns;
            for (let place = end - outColumns; place < end; place += 1, at += right) out[place] += w * x[at];
          }
        }
      }
    }
  });
  return { values: out, shape: [wanted.length, outRows, outColumns] };
}

// The cells of the input that one window of a pooling layer holds, and by what a mean is divided.
function poolWindow({ kernel, stride, padding, dilation, count_pad: countPad }, [rows, columns], [i, j]) {
  const cells = [];
  let counted = 0;
  for (let u = 0; u < kernel[0]; u += 1) {
    const r = i * stride[0] + u * dilation[0] - padding[0][0];
    for (let v = 0; v < kernel[1]; v += 1) {
      const c = j * stride[1] + v * dilation[1] - padding[1][0];
      const inside = r >= 0 && c >= 0 && r < rows && c < columns;
      if (inside) cells.push([r, c]);
      counted += inside || (countPad && r < rows + padding[0][1] && c < columns + padding[1][1]) ? 1 : 0;
    }
  }
  return { cells, counted };
}

function poolMaps({ values, shape: [channels, rows, columns] }, layer) {
  const [outRows, outColumns] = layer.shape.slice(1);
  const out = new Float64Array(channels * outRows * outColumns);
  for (let i = 0, place = 0; i < outRows; i += 1) {
    for (let j = 0; j < outColumns; j += 1, place += 1) {
      const { cells, counted } = poolWindow(layer, [rows, columns], [i, j]);
      const seen = cells.map(([r, c]) => r * columns + c);
      for (let c = 0; c < channels; c += 1) {
        const base = c * rows * columns;
        let most = layer.kind === "max" ? -Infinity : 0;
        for (const at of seen) most = layer.kind === "max" ? Math.max(most, values[base + at]) : most + values[base + at];
        out[c * outRows * outColumns + place] = layer.kind === "max" ? most : most / counted;
      }
    }
  }
  return { values: out, shape: [channels, outRows, outColumns] };
}

const CURVES = {
  relu: (v) => (v > 0 ? v : 0),
  tanh: Math.tanh,
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  same: (v) => v,
};

// Batch normalization with the running averages; `first` is the channel of the first map.
function normMaps({ values, shape }, layer, first = 0) {
  const plane = product(shape.slice(1));
  const out = Float64Array.from(values, (v, i) => {
    const c = first + Math.floor(i / plane);
    const unit = (v - layer.running_mean[c]) / Math.sqrt(layer.running_var[c] + layer.eps);
    return layer.weight ? unit * layer.weight[c] + layer.bias[c] : unit;
  });
  return { values: out, shape };
}

function linear({ values }, { weight, bias, wShape: [outputs, inputs] }) {
  const out = new Float64Array(outputs);
  for (let o = 0; o < outputs; o += 1) {
    let sum = bias ? bias[o] : 0;
    for (let i = 0; i < inputs; i += 1) sum += weight[o * inputs + i] * values[i];
    out[o] = sum;
  }
  return { values: out, shape: [outputs] };
}

function globalPool({ values, shape: [channels, ...size] }, { how, temperature }) {
  const plane = product(size);
  const out = Float64Array.from({ length: channels }, (_, c) => {
    const part = values.subarray(c * plane, (c + 1) * plane);
    const most = part.reduce((a, b) => Math.max(a, b));
    if (how === "max") return most;
    if (how === "mean") return part.reduce((a, b) => a + b) / plane;
    const shares = Float64Array.from(part, (v) => Math.exp((v - most) / temperature));
    return part.reduce((sum, v, i) => sum + v * shares[i], 0) / shares.reduce((a, b) => a + b);
  });
  return { values: out, shape: [channels] };
}

// One layer on maps or on a vector. `filter`: the maps are those of this one filter, or null for all.
function applyLayer(x, layer, filter = null) {
  const { kind } = layer;
  if (kind === "conv") return convMaps(x, layer, filter);
  if (kind === "max" || kind === "mean") return poolMaps(x, layer);
  if (kind === "norm") return normMaps(x, layer, filter ?? 0);
  if (kind === "linear") return linear(x, layer);
  if (kind === "global") return globalPool(x, layer);
  if (kind === "flatten") return { values: x.values, shape: [x.values.length] };
  return { values: Float64Array.from(x.values, CURVES[kind]), shape: x.shape };
}

// [the picture, the output of layer 0, of layer 1, …], up to `last` or the first layer whose numbers are missing.
function forward(layers, picture, last = layers.length - 1) {
  const outputs = [picture];
  for (let i = 0; i <= last && !layers[i].missing; i += 1) outputs.push(applyLayer(outputs[i], layers[i]));
  return outputs;
}

// The convolution whose filters the maps of a layer belong to.
function stageOf(layers, layer) {
  for (let i = layer; i >= 0; i -= 1) if (layers[i].kind === "conv") return i;
  return -1;
}

// For both axes: cell i of a layer's maps is reached from pixels start + i·jump … + size − 1 of the picture.
function receptiveField(layers, layer) {
  return [0, 1].map((axis) => {
    let [start, jump, size] = [0, 1, 1];
    for (const { kernel, stride, padding, dilation } of layers.slice(0, layer + 1)) {
      if (!kernel) continue;
      size += (kernel[axis] - 1) * dilation[axis] * jump;
      start -= padding[axis][0] * jump;
      jump *= stride[axis];
    }
    return { start, jump, size };
  });
}

function pixelsSeen(layers, layer, [i, j]) {
  const [down, across] = receptiveField(layers, layer);
  return { row: down.start + i * down.jump, column: across.start + j * across.jump, rows: down.size, columns: across.size };
}

// From a cell of a filter's map back to the cell of its convolution: through a max pool to the winner (a tie goes to
// the first), through a mean to its largest part. `chain`: what each layer made of it, from the convolution on.
function traceBack(layers, outputs, layer, filter, cell) {
  const stage = stageOf(layers, layer);
  const chain = [];
  let at = cell;
  for (let i = layer; i >= stage; i -= 1) {
    const { values, shape: [, rows, columns] } = outputs[i + 1];
    const value = values[(filter * rows + at[0]) * columns + at[1]];
    chain.unshift({ layer: i, kind: layers[i].kind, cell: at, value });
    if (layers[i].kind !== "max" && layers[i].kind !== "mean") continue;
    const { values: before, shape: [, inRows, inColumns] } = outputs[i];
    const { cells, counted } = poolWindow(layers[i], [inRows, inColumns], at);
    const level = ([r, c]) => before[(filter * inRows + r) * inColumns + c];
    Object.assign(chain[0], { window: cells.map(level), counted });
    at = cells.reduce((best, other) => (level(other) > level(best) ? other : best));
  }
  return { stage, cell: at, chain };
}

// The products behind one cell of a convolution: [channel, tap row, tap column] with the input's place, or −1 for the
// padding's zeros, in the order of the weights.
function productsAt(x, layer, filter, [i, j]) {
  const { stride, padding, dilation, wShape: [filters, depth, KH, KW], groups, mode } = layer;
  const [, rows, columns] = x.shape;
  const first = Math.floor(filter / (filters / groups)) * depth;
  const count = depth * KH * KW;
  const [inputs, weights, products] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const places = [];
  for (let k = 0; k < count; k += 1) {
    const [c, u, v] = unravel(k, [depth, KH, KW]);
    const [r, q] = [i * stride[0] + u * dilation[0] - padding[0][0], j * stride[1] + v * dilation[1] - padding[1][0]];
    const [sr, sc] = [sourceOf(r, rows, mode), sourceOf(q, columns, mode)];
    places.push([first + c, r, q]);
    inputs[k] = sr < 0 || sc < 0 ? 0 : x.values[((first + c) * rows + sr) * columns + sc];
    weights[k] = layer.weight[filter * count + k];
    products[k] = inputs[k] * weights[k];
  }
  const sums = Array.from({ length: depth }, (_, c) => products.subarray(c * KH * KW, (c + 1) * KH * KW).reduce((a, b) => a + b, 0));
  const bias = layer.bias ? layer.bias[filter] : 0;
  return { inputs, weights, products, places, sums, bias, depth, kernel: [KH, KW], first };
}

function softmax(scores) {
  const most = scores.reduce((a, b) => Math.max(a, b));
  const shares = scores.map((v) => Math.exp(v - most));
  const total = shares.reduce((a, b) => a + b);
  return shares.map((v) => v / total);
}

// The largest value of a map and its first place in row-major order.
function largest(values, columns) {
  let best = 0;
  for (let i = 1; i < values.length; i += 1) if (values[i] > values[best]) best = i;
  return { value: values[best], cell: [Math.floor(best / columns), best % columns] };
}

// Σ template · picture for each template: what a linear classifier computes before its bias.
function templateScores(templates, picture) {
  const size = picture.values.length;
  return Array.from({ length: templates.shape[0] }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < size; i += 1) sum += templates.values[k * size + i] * picture.values[i];
    return sum;
  });
}
