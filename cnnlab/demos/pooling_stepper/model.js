// The numbers of pooling: windows, winners, means, gradients, and an input that was shifted. Python is the reference
// (cnnlab/geometry/pool.py and cnnlab/ops/pool.py).

// How many windows fit on an axis; 0 or less where none does. With `ceil` a last one may reach beyond the padded input,
// if it starts inside the input or in the padding before it.
function poolCount(size, { kernel, stride, padding, dilation, ceil }) {
  const padded = size + 2 * padding;
  const covers = extent(kernel, dilation);
  const count = Math.floor((padded - covers) / stride) + 1;
  if (!ceil) return count;
  const next = count * stride;
  return count + (next - stride + covers < padded && next < padding + size ? 1 : 0);
}

// Why there is no output, with what to change, or null.
function poolFault(sizes, axes, outputs) {
  for (const [i, { kernel, padding, dilation }] of axes.entries()) {
    if (padding > Math.floor(kernel / 2)) {
      const lies = "a window could lie in the padding alone. Pad less, or take a larger window";
      return `padding ${padding} is more than half of the window’s ${AXIS[i]} ${kernel}: ${lies}`;
    }
    if (outputs[i] >= 1) continue;
    const covers = extent(kernel, dilation);
    const reach = covers === kernel ? `the window’s ${AXIS[i]} is ${kernel}` : `the dilated window covers ${covers}`;
    return `${reach} and the padded input has only ${sizes[i] + 2 * padding}. Add padding, or take a smaller window`;
  }
  return null;
}

const AXIS = ["height", "width"];

// stride null means the window's own size. Average pooling has no dilation.
function poolAxes({ kernel_size: kernels, stride, padding, dilation, ceil_mode: ceil, how }) {
  return kernels.map((kernel, i) => ({
    ...{ kernel, ceil, stride: (stride ?? kernels)[i], padding: padding[i] },
    dilation: how === "max" ? dilation[i] : 1,
  }));
}

// Everything about pooling x (rows of numbers): sizes, cells beyond the padding, and one entry a window.
function poolModel(state) {
  const { x, how, count_include_pad: includePad } = state;
  const sizes = [x.length, x[0].length];
  const axes = poolAxes(state);
  const counts = axes.map((axis, i) => poolCount(sizes[i], axis));
  const fault = poolFault(sizes, axes, counts);
  const outputs = fault ? [0, 0] : counts;
  const padded = sizes.map((size, i) => size + 2 * axes[i].padding);
  // How far the last window reaches beyond the padded input, and what no window looks at.
  const ends = axes.map(({ kernel, stride, dilation }, i) => (outputs[i] - 1) * stride + extent(kernel, dilation));
  const beyond = ends.map((end, i) => (fault ? 0 : Math.max(0, end - padded[i])));
  const unused = ends.map((end, i) => (fault ? 0 : Math.max(0, padded[i] - end)));
  const pool = how === "max" ? maxWindow : averageWindow;
  const windows = [...positions(outputs)].map((position) => {
    const taps = windowTaps(x, sizes, axes, position);
    return { position, taps, ...pool(taps, includePad) };
  });
  return { x, how, sizes, axes, fault, outputs, padded, beyond, unused, windows, output: windows.map(({ y }) => y) };
}

// The cells of a window in row-major order; row and column are those of the input and may lie outside it.
// where: "input", "padding" or "beyond"; value: null outside the input.
function windowTaps(x, sizes, axes, position) {
  return [...positions(axes.map(({ kernel }) => kernel))].map((tap) => {
    const at = tap.map((t, i) => position[i] * axes[i].stride + t * axes[i].dilation - axes[i].padding);
    const inside = at.every((p, i) => p >= 0 && p < sizes[i]);
    const counted = at.every((p, i) => p < sizes[i] + axes[i].padding);
    const [row, column] = at;
    return { row, column, where: inside ? "input" : counted ? "padding" : "beyond", value: inside ? x[row][column] : null };
  });
}

// The first of the largest wins; a NaN beats everything; with no input in the window the maximum is −∞ and none wins.
function maxWindow(taps) {
  const seen = taps.map(({ value }, i) => ({ value, i })).filter(({ value }) => value !== null);
  const nan = seen.find(({ value }) => Number.isNaN(value));
  const y = nan ? NaN : seen.reduce((most, { value }) => Math.max(most, value), -Infinity);
  const equal = nan ? [nan] : seen.filter(({ value }) => value === y);
  return { y, winner: equal.length ? equal[0].i : -1, equal: equal.map(({ i }) => i) };
}

// The sum of what lies in the input, divided by how many cells count.
function averageWindow(taps, includePad) {
  const sum = taps.reduce((total, { value }) => total + (value ?? 0), 0);
  const counted = taps.map(({ where }) => where === "input" || (includePad && where === "padding"));
  const divisor = counted.filter(Boolean).length;
  return { y: sum / divisor, sum, counted, divisor };
}

// What a window passes back to each of its cells; what falls outside the input is lost.
function shares({ taps, winner, counted, divisor }, dy, how) {
  if (how === "max") return taps.map((_, i) => (i === winner ? dy : 0));
  return counted.map((counts) => (counts ? dy / divisor : 0));
}

// The gradient with respect to the input after the windows 0 … upto: values, what came to each cell from which window,
// and which cells no later window can change.
function inputGradient({ sizes, windows, how }, dy, upto = windows.length - 1) {
  const cells = sizes[0] * sizes[1];
  const [values, final] = [new Float64Array(cells), Array(cells).fill(true)];
  const from = Array.from({ length: cells }, () => []);
  windows.forEach((window, o) => {
    const parts = o <= upto ? shares(window, dy[o], how) : null;
    window.taps.forEach(({ row, column, where }, i) => {
      if (where !== "input") return;
      const cell = row * sizes[1] + column;
      if (!parts) final[cell] = false;
      else if (how === "average" || i === window.winner) {
        values[cell] += parts[i];
        from[cell].push({ window: o, part: parts[i] });
      }
    });
  });
  return { values, from, final };
}

// The upstream gradient for outputs of this shape: 1, 2, 3, … unless some were given; those keep their places, and
// outputs that they do not reach get 1.
function upstream(given, [rows, columns]) {
  return [...positions([rows, columns])].map(([r, c], i) => (given ? (given[r]?.[c] ?? 1) : i + 1));
}

// The input moved down and to the right (less than 0: up and to the left); mode says what comes in at the edge.
function shifted(x, [down, right], mode) {
  const [rows, columns] = [x.length, x[0].length];
  return x.map((line, r) =>
    line.map((_, c) => {
      const [i, j] = [sourceOf(r - down, rows, mode), sourceOf(c - right, columns, mode)];
      return i < 0 || j < 0 ? 0 : x[i][j];
    }),
  );
}

// Equal numbers, or equal but for the rounding of a mean.
const same = (a, b) => a === b || Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a), Math.abs(b));

// How many numbers of two arrays of the same shape are the same.
const unchanged = (before, after) => before.filter((value, i) => same(value, after[i])).length;
