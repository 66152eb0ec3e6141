// The folded numbers: counts, ties, the whole matrix, and y = W x beside the convolution.
function matrixTables({ now, names, product: given }) {
  const { counts, biases } = now;
  const stages = STAGES.map(([name, title]) => [title, counts[name], biases[name], counts[name] + biases[name], short(counts.full / counts[name], 4)].map(String));
  const sets = now.places.map((list, set) => [tieLetter(set), names.weight(set), short(now.weights[set], 6), String(list.length), list.map(edgeWords(names, now.columns)).join("; ")]);
  const matrix = Array.from({ length: now.rows }, (_, r) => {
    const cells = Array.from({ length: now.columns }, (_, c) => now.ties[r * now.columns + c]);
    return [names.output(r), ...cells.map((set) => (set < 0 ? "" : short(now.weights[set], 6)))];
  });
  const product = given && table("y = W x, and the convolution of x with w", ["output", "W x", "convolution"], given.values.map((value, r) => [names.output(r), short(value, 6), short(given.slid[r], 6)]));
  return [
    table("Parameters", ["layer", "weights", "biases", "both", "full / this, weights"], stages),
    table("The shared weights and their places", ["letter", "weight", "value", "places", "output ← input"], sets),
    table("The shared matrix; empty where there is no connection", ["output", ...Array.from({ length: now.columns }, (_, c) => names.input(c))], matrix),
    ...(product ? [product] : []),
  ];
}
