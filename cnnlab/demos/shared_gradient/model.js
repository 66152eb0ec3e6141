// The numbers of the shared gradient: the layer, its loss, the edges of each weight, the numeric gradient, and one step of
// training by several rules. Python is the reference (cnnlab/ops/conv.py, cnnlab/ops/tie.py).

// The kernel whose outputs are the target when none was given: 1 at the first tap, −1 at the last.
function differenceKernel(taps) {
  const kernel = Array(taps).fill(0);
  kernel[taps - 1] = -1;
  kernel[0] = 1;
  return kernel;
}

// Sizes and connections, without the weights: edges[tap] lists { output, input } as flat places, in order of the output.
function layerOf({ x, w, stride, padding }) {
  const [sizes, kernel] = [[x.length, x[0].length], [w.length, w[0].length]];
  const axes = kernel.map((size, i) => ({ kernel: size, stride: stride[i], before: padding[i], after: padding[i] }));
  const outputs = sizes.map((size, i) => outputSize(size, axes[i]));
  const small = outputs.findIndex((size) => size < 1);
  if (small >= 0) return { fault: `kernel ${kernel[small]} is larger than the padded input ${sizes[small] + 2 * padding[small]}` };
  const sources = sizes.map((size, i) => axisSources(size, axes[i]));
  const edges = [...positions(kernel)].map((tap) =>
    [...positions(outputs)].flatMap((position, output) => {
      const from = tap.map((t, i) => sources[i][position[i]][t]);
      return from.includes(-1) ? [] : [{ output, input: ravel(from, sizes) }];
    }),
  );
  return { fault: null, sizes, kernel, axes, outputs, edges, x: x.flat() };
}

// Run the layer with these weights, edge by edge.
function forward({ outputs, edges, x }, weights) {
  const y = Array(product(outputs)).fill(0);
  edges.forEach((list, tap) => {
    for (const { output, input } of list) y[output] += weights[tap] * x[input];
  });
  return y;
}

// ½ Σ (y − target)², or Σ dy · y where dy was given.
function lossOf({ target, given }, y) {
  if (given) return y.reduce((sum, value, o) => sum + given[o] * value, 0);
  return y.reduce((sum, value, o) => sum + 0.5 * (value - target[o]) ** 2, 0);
}

// Everything that follows from the state: y, dy, loss, and for each weight its edges with their products and their sum.
function gradientModel(state) {
  const layer = layerOf(state);
  if (layer.fault) return layer;
  const weights = state.w.flat();
  const given = state.dy.length ? state.dy.flat() : null;
  const goal = () => (state.target.length ? state.target.flat() : forward(layer, differenceKernel(weights.length)));
  const target = given ? null : goal();
  const y = forward(layer, weights);
  const dy = given ?? y.map((value, o) => value - target[o]);
  const edges = layer.edges.map((list) => list.map((edge) => ({ ...edge, product: dy[edge.output] * layer.x[edge.input] })));
  const add = (list) => list.reduce((sum, { product: part }) => sum + part, 0);
  const model = { ...layer, edges, weights, given, target, y, dy };
  const sums = edges.map(add);
  const means = edges.map((list, tap) => (list.length ? sums[tap] / list.length : 0));
  const lasts = edges.map((list) => list.at(-1)?.product ?? 0);
  return { ...model, loss: lossOf(model, y), sums, means, lasts };
}

// The slope of the loss along one weight, by running the layer at w + h and at w − h.
function numericSlope(model, tap, step) {
  const at = (value) => lossOf(model, forward(model, model.weights.map((old, t) => (t === tap ? value : old))));
  const [up, down] = [at(model.weights[tap] + step), at(model.weights[tap] - step)];
  return { up, down, slope: (up - down) / (2 * step) };
}

// One step of training where the copies of a weight stay one: by the sum, or by a wrong rule (mean, last).
function sharedStep(model, rate, rule) {
  const gradient = { sum: model.sums, mean: model.means, last: model.lasts }[rule];
  const weights = model.weights.map((value, tap) => value - rate * gradient[tap]);
  const y = forward(model, weights);
  return { weights, y, loss: lossOf(model, y) };
}

// One step where each edge has its own copy and takes its own gradient: copies[tap][output], null where there is no edge.
function separateStep(model, rate) {
  const places = product(model.outputs);
  const copies = model.weights.map(() => Array(places).fill(null));
  const y = Array(places).fill(0);
  model.edges.forEach((list, tap) => {
    for (const { output, input, product: part } of list) {
      copies[tap][output] = model.weights[tap] - rate * part;
      y[output] += copies[tap][output] * model.x[input];
    }
  });
  const spreads = copies.map((row) => {
    const values = row.filter((value) => value !== null);
    return values.length ? [Math.min(...values), Math.max(...values)] : [null, null];
  });
  return { copies, spreads, y, loss: lossOf(model, y) };
}

// The loss after a step by each rule for many step sizes: the layer is linear, so y moves along a straight line.
function lossCurves(model, rates, rules) {
  const along = {
    sum: () => forward(model, model.sums),
    mean: () => forward(model, model.means),
    last: () => forward(model, model.lasts),
    separate: () => {
      const moved = Array(model.y.length).fill(0);
      for (const { output, input, product: part } of model.edges.flat()) moved[output] += part * model.x[input];
      return moved;
    },
  };
  return Object.fromEntries(rules.map((rule) => {
    const moved = along[rule]();
    return [rule, rates.map((rate) => lossOf(model, model.y.map((value, o) => value - rate * moved[o])))];
  }));
}

// The step along −dw at which the squared loss is smallest, or null where there is none.
function bestRate(model) {
  const bend = forward(model, model.sums).reduce((sum, value) => sum + value * value, 0);
  return model.given || bend === 0 ? null : model.sums.reduce((sum, value) => sum + value * value, 0) / bend;
}
