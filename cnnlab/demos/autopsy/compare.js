// Two arrays of one rank laid over each other: what is in both, where they differ, and by how much.

// { shape, expected, got, inExpected, inGot, wrong, cells, first, count, … } over the smallest shape that holds both.
function overlay(expected, got, tolerance) {
  const shape = expected.shape.map((size, axis) => Math.max(size, got ? got.shape[axis] : 0));
  const total = product(shape);
  const spread = (array) => {
    const [values, there] = [new Float64Array(total).fill(NaN), new Uint8Array(total)];
    if (!array) return [values, there];
    const same = array.shape.every((size, axis) => size === shape[axis]);
    const count = product(array.shape);
    for (let i = 0; i < count; i += 1) {
      const at = same ? i : ravel(unravel(i, array.shape), shape);
      values[at] = array.values[i];
      there[at] = 1;
    }
    return [values, there];
  };
  const [[e, inExpected], [g, inGot]] = [spread(expected), spread(got)];
  const wrong = new Uint8Array(total);
  const where = [];
  let cells = 0;
  for (let i = 0; i < total; i += 1) {
    if (!inExpected[i] || !inGot[i]) continue;
    cells += 1;
    if (Math.abs(g[i] - e[i]) <= tolerance) continue; // NaN is never close
    wrong[i] = 1;
    where.push(i);
  }
  const missing = inExpected.reduce((n, there, i) => n + (there && !inGot[i]), 0);
  const extra = inGot.reduce((n, there, i) => n + (there && !inExpected[i]), 0);
  const same = got !== null && expected.shape.every((size, axis) => size === got.shape[axis]);
  return { shape, expected: e, got: g, inExpected, inGot, wrong, where, cells, missing, extra, same, tolerance };
}

// The largest error with its place, and the median of all errors; only of wrong cells with finite numbers.
function errorsOf({ expected, got, where }) {
  const sizes = where.map((i) => [Math.abs(got[i] - expected[i]), i]).filter(([size]) => Number.isFinite(size));
  if (!sizes.length) return null;
  const [largest, at] = sizes.reduce((most, other) => (other[0] > most[0] ? other : most));
  const sorted = sizes.map(([size]) => size).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const typical = sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { largest, at, typical };
}

// An array with its axes in another order: axis a of the result is axis order[a] of the array.
function reorder({ values, shape }, order) {
  const next = order.map((axis) => shape[axis]);
  const strides = shape.map((_, axis) => product(shape.slice(axis + 1)));
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i += 1) {
    const index = unravel(i, next);
    out[i] = values[index.reduce((at, place, axis) => at + place * strides[order[axis]], 0)];
  }
  return { values: out, shape: next };
}

function flip({ values, shape }, axes) {
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i += 1) {
    const index = unravel(i, shape);
    for (const axis of axes) index[axis] = shape[axis] - 1 - index[axis];
    out[i] = values[ravel(index, shape)];
  }
  return { values: out, shape };
}

const sameShape = (a, b) => a.length === b.length && a.every((size, axis) => size === b[axis]);

// Whether two arrays have one shape and no cell further apart than the tolerance.
function agree(a, b, tolerance) {
  return sameShape(a.shape, b.shape) && a.values.every((value, i) => Math.abs(value - b.values[i]) <= tolerance);
}

// Every set of one or more of these things.
function subsets(things) {
  const found = [];
  for (let bits = 1; bits < 1 << things.length; bits += 1) found.push(things.filter((_, i) => bits & (1 << i)));
  return found.sort((a, b) => a.length - b.length);
}
