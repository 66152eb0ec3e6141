// The numbers of the stepper: everything the picture and the words show. Python is the reference.

const matrixOf = (rows) => ({ values: rows.flat(), rows: rows.length, columns: rows[0].length });

// The kernel as it lies on the input: turned by 180° for the convolution of mathematics.
function laidKernel(w, flip) {
  return flip ? [...w].reverse().map((row) => [...row].reverse()) : w;
}

// Sizes, the padded input, which of its cells are padding or never used, and the output.
function stepperModel({ x, w, b, stride, padding, dilation, padding_mode: mode, flip }) {
  const [image, kernel] = [matrixOf(x), matrixOf(laidKernel(w, flip))];
  const sizes = [image.rows, image.columns];
  const axes = [kernel.rows, kernel.columns].map((size, i) => {
    const [before, after] = [padding[i], padding[i]];
    return { kernel: size, stride: stride[i], before, after, dilation: dilation[i], mode };
  });
  const padded = sizes.map((size, i) => size + 2 * padding[i]);
  const faults = sizes.map((size, i) => paddingFault(size, padding[i], padding[i], mode));
  axes.forEach((axis, i) => {
    if (outputSize(sizes[i], axis) >= 1) return;
    const covers = extent(axis.kernel, axis.dilation);
    faults[i] ??= `the kernel covers ${covers} and the padded input has only ${padded[i]}`;
  });
  const fault = faults.find(Boolean) ?? null;
  const sources = padded.map((count, i) =>
    Array.from({ length: count }, (_, p) => (faults[i] ? p - padding[i] : sourceOf(p - padding[i], sizes[i], mode))),
  );
  const value = (r, c) => {
    const [i, j] = [sources[0][r], sources[1][c]];
    return i < 0 || j < 0 || i >= sizes[0] || j >= sizes[1] ? 0 : image.values[i * sizes[1] + j];
  };
  const paddedValues = [...positions(padded)].map(([r, c]) => value(r, c));
  if (fault) return { fault, axes, padded, paddedValues, sizes, kernel, outputs: [0, 0], output: [] };
  const shaped = ({ values, rows, columns }, ones) => ({ values, shape: [...Array(ones).fill(1), rows, columns] });
  const y = convolve(shaped(image, 1), shaped(kernel, 2), [b], axes);
  return { fault, axes, padded, paddedValues, sizes, kernel, outputs: y.shape.slice(1), output: [...y.values] };
}

// The cells of the padded input that one output looks at, with weight and product; row-major.
function productsOf({ axes, padded, paddedValues, kernel }, position) {
  return [...positions([kernel.rows, kernel.columns])].map((tap, k) => {
    const [row, column] = tap.map((t, i) => position[i] * axes[i].stride + t * axes[i].dilation);
    const input = paddedValues[row * padded[1] + column];
    return { row, column, input, weight: kernel.values[k], product: input * kernel.values[k] };
  });
}

// How many cells at the end of each axis no window reaches.
function remainder({ axes, padded, outputs }) {
  return axes.map((axis, i) => padded[i] - ((outputs[i] - 1) * axis.stride + extent(axis.kernel, axis.dilation)));
}

// The outputs whose window holds a cell of the padded input.
function readers({ axes, outputs }, cell) {
  return [...positions(outputs)].filter((position) =>
    position.every((o, i) => {
      const offset = cell[i] - o * axes[i].stride;
      return offset >= 0 && offset % axes[i].dilation === 0 && offset / axes[i].dilation < axes[i].kernel;
    }),
  );
}
