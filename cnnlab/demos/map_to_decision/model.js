// The numbers of the demo: four ways from a map to one number, and the gradient of each. Maps are flat, in row-major order.
const WAYS = ["max", "mean", "softmax", "mlp"];

// The map moved by rows and columns. What leaves comes in on the other side, or is lost and the smallest score fills up.
function movedMap(values, [rows, columns], [down, right], wrap) {
  const least = values.reduce((a, b) => Math.min(a, b));
  return values.map((_, i) => {
    const [r, c] = [Math.floor(i / columns) - down, (i % columns) - right];
    const inside = r >= 0 && r < rows && c >= 0 && c < columns;
    if (!inside && !wrap) return least;
    return values[((r + rows) % rows) * columns + ((c + columns) % columns)];
  });
}

// The first of the largest.
function winnerOf(y) {
  return y.reduce((best, value, i) => (value > y[best] ? i : best), 0);
}

// p = softmax(y/τ); the largest goes first, so that no exponent is above 0.
function softmaxOf(y, temperature) {
  const most = y[winnerOf(y)];
  const powers = y.map((value) => Math.exp((value - most) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

// The same without that, each step rounded to float32: { powers, sum, p, Y, gradient } may hold Infinity and NaN.
function plainSoftmax32(y, temperature) {
  const f = Math.fround;
  const tau = f(temperature);
  const scores = y.map(f);
  const powers = scores.map((value) => f(Math.exp(f(value / tau))));
  const sum = powers.reduce((a, b) => f(a + b), 0);
  const p = powers.map((power) => f(power / sum));
  const Y = p.reduce((total, weight, i) => f(total + f(weight * scores[i])), 0);
  const gradient = p.map((weight, i) => f(weight * f(1 + f(f(scores[i] - Y) / tau))));
  return { powers, sum, p, Y, gradient };
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

// The MLP's input and the sums of each of its layers.
function mlpStages(y, { layers, sigmoid }) {
  const stages = [sigmoid ? y.map((value) => 1 / (1 + Math.exp(-value))) : y];
  layers.forEach(({ weight, bias }, l) => {
    const below = l ? stages[l].map((sum) => Math.max(0, sum)) : stages[l];
    stages.push(Array.from(bias, (start, o) => below.reduce((sum, value, i) => sum + weight[o * below.length + i] * value, start)));
  });
  return stages;
}

// Backpropagation: from dY/dY = 1 down to the scores.
function mlpGradient(y, net) {
  const stages = mlpStages(y, net);
  let gradient = [1];
  for (let l = net.layers.length - 1; l >= 0; l -= 1) {
    const { weight } = net.layers[l];
    const inputs = stages[l].length;
    const above = gradient;
    gradient = Array.from({ length: inputs }, (_, i) => above.reduce((sum, value, o) => sum + value * weight[o * inputs + i], 0));
    if (l) gradient = gradient.map((value, i) => (stages[l][i] > 0 ? value : 0));
  }
  return net.sigmoid ? gradient.map((value, i) => value * stages[0][i] * (1 - stages[0][i])) : gradient;
}

// { Y, gradient } of one way; `plain` leaves the maximum in, in float32.
function aggregate(y, how, { temperature, net, plain = false }) {
  if (how === "max") {
    const winner = winnerOf(y);
    return { Y: y[winner], gradient: y.map((_, i) => (i === winner ? 1 : 0)) };
  }
  if (how === "mean") return { Y: y.reduce((a, b) => a + b, 0) / y.length, gradient: y.map(() => 1 / y.length) };
  if (how === "mlp") return { Y: mlpStages(y, net).pop()[0], gradient: mlpGradient(y, net) };
  if (plain) {
    const { Y, gradient } = plainSoftmax32(y, temperature);
    return { Y, gradient };
  }
  const p = softmaxOf(y, temperature);
  const Y = dot(p, y);
  return { Y, gradient: p.map((weight, i) => weight * (1 + (y[i] - Y) / temperature)) };
}

// dY/dy of one cell by two-sided differences, always in float64 and with the maximum subtracted.
function numericGradient(y, how, options, cell) {
  const step = 1e-5 * Math.max(1, Math.abs(y[cell]));
  const at = (by) => aggregate(y.map((value, i) => (i === cell ? value + by : value)), how, { ...options, plain: false }).Y;
  return (at(step) - at(-step)) / (2 * step);
}

// Everything the picture shows for a state.
function decisionModel({ scores, shape, shift, wrap, offset, temperature, threshold, subtract, net }) {
  const y = movedMap(scores, shape, shift, wrap).map((value) => value + offset);
  const still = scores.map((value) => value + offset);
  const options = { temperature, net, plain: !subtract };
  const ways = WAYS.filter((how) => how !== "mlp" || net).map((how) => {
    const { Y, gradient } = aggregate(y, how, options);
    return { how, Y, gradient, found: Y > threshold, before: aggregate(still, how, options).Y };
  });
  const winner = winnerOf(y);
  const ties = y.reduce((count, value) => count + (value === y[winner]), 0);
  return { y, shape, ways, options, winner, ties, p: subtract ? softmaxOf(y, temperature) : plainSoftmax32(y, temperature).p };
}
