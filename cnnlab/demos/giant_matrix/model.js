// The giant matrix of a scanning layer and its ties: entry (row, column) is numbered row · columns + column.
// Python is the reference (cnnlab/nn/dense.py, cnnlab/reference/matrix.py).

function nestedShape(value) {
  const shape = [];
  for (let part = value; Array.isArray(part); part = part[0]) shape.push(part.length);
  return shape;
}

// A flat array as nested ones of a shape.
function nestedAs(flat, shape) {
  if (shape.length === 1) return [...flat];
  const size = flat.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => nestedAs(flat.slice(i * size, (i + 1) * size), shape.slice(1)));
}

// ties[entry] is the place of its weight in w.ravel(), or −1; places[set] lists the entries of a weight.
function giantModel({ w, n, stride, padding }, limits = [Infinity, Infinity]) {
  const [filters, depth, ...kernel] = nestedShape(w);
  const axes = kernel.map((size, i) => ({ kernel: size, stride: stride[i], before: padding[i], after: padding[i] }));
  const outputs = n.map((size, i) => outputSize(size, axes[i]));
  const small = outputs.findIndex((size) => size < 1);
  if (small >= 0) return { fault: `kernel ${kernel[small]} is larger than the padded input ${n[small] + 2 * padding[small]}` };
  const [taps, plane, spots] = [product(kernel), product(n), product(outputs)];
  const [rows, columns] = [filters * spots, depth * plane];
  if (rows > limits[0] || columns > limits[1]) {
    return { fault: `the matrix would be ${rows} × ${columns}, and at most ${limits.join(" × ")} entries can be told apart` };
  }
  const ties = new Int32Array(rows * columns).fill(-1);
  const sources = axes.map((axis, i) => axisSources(n[i], axis));
  const places = Array.from({ length: filters * depth * taps }, () => []);
  for (const [spot, position] of [...positions(outputs)].entries()) {
    for (const [tap, index] of [...positions(kernel)].entries()) {
      const from = index.map((t, i) => sources[i][position[i]][t]);
      if (from.includes(-1)) continue;
      for (let j = 0; j < filters; j += 1) {
        for (let c = 0; c < depth; c += 1) {
          ties[(j * spots + spot) * columns + c * plane + ravel(from, n)] = (j * depth + c) * taps + tap;
        }
      }
    }
  }
  ties.forEach((set, entry) => set >= 0 && places[set].push(entry));
  const counts = { full: rows * columns, sparse: ties.filter((set) => set >= 0).length, shared: places.length };
  const biases = { full: rows, sparse: rows, shared: filters };
  const sizes = { filters, depth, kernel, axes, outputs, n, taps, plane, spots, rows, columns };
  return { ...sizes, fault: null, weights: w.flat(Infinity), ties, places, counts, biases };
}

// The morph as whole rows: the first `cut` rows see their window only, the first `tied` of them share. 0 … 2·rows.
function stageAt(model, step) {
  return { step, cut: Math.min(step, model.rows), tied: Math.max(0, step - model.rows) };
}

// What an entry is at a stage: null (no connection), { set } (one of a set of tied ones) or { own } (a weight alone).
function entryAt({ ties, columns }, { cut, tied }, entry) {
  const row = Math.floor(entry / columns);
  if (row >= cut) return { own: entry };
  if (ties[entry] < 0) return null;
  return row < tied ? { set: ties[entry] } : { own: entry };
}

// All entries that are the same weight as this one at a stage.
function membersAt(model, stage, entry) {
  const found = entryAt(model, stage, entry);
  if (!found) return [];
  return "set" in found ? model.places[found.set].filter((other) => other < stage.tied * model.columns) : [entry];
}

// Different weights at a stage; where every row shares, all of the kernel's count, whether they meet an input or not.
function weightsAt(model, stage) {
  if (stage.tied === model.rows) return model.counts.shared;
  const sets = new Set();
  let own = 0;
  for (let entry = 0; entry < model.ties.length; entry += 1) {
    const found = entryAt(model, stage, entry);
    if (found && "set" in found) sets.add(found.set);
    else if (found) own += 1;
  }
  return own + sets.size;
}

// Biases are shared as rows are: one a filter among the rows that share, one for each of the others.
function biasesAt({ rows, spots }, { tied }) {
  return rows - tied + Math.ceil(tied / spots);
}

// Row · x for every row, read off the matrix, and the same by sliding the kernel.
function matrixTimes({ rows, columns, ties, weights }, x) {
  return Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let c = 0; c < columns; c += 1) {
      const set = ties[row * columns + c];
      if (set >= 0) sum += weights[set] * x[c];
    }
    return sum;
  });
}

function slidden({ filters, depth, kernel, axes, n, weights }, x) {
  return [...convolve({ values: x, shape: [depth, ...n] }, { values: weights, shape: [filters, depth, ...kernel] }, null, axes).values];
}
