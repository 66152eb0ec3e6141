// The sentences: the same numbers as in the picture.
const factorText = (value) => (value < 0 ? `(${short(value, 4)})` : short(value, 4));
const times = (list) => list.join(" × ");
const spatial = (list, rank) => list.slice(3 - rank);

function placeWords(position, rank) {
  return spatial(position, rank).map((place, i) => `${axisNames(rank)[i]} ${place}`).join(", ");
}

// The dot product of one filter at one position, channel by channel, and its result.
function dotWords({ rank, biases }, dot, filter, position) {
  const sums = dot.map(({ channel, sum }) => `channel ${channel}: ${short(sum, 4)}`);
  const shown = sums.length > 8 ? [...sums.slice(0, 7), `… (${sums.length - 7} more)`] : sums;
  const bias = biases ? `, bias: ${short(biases[filter], 4)}` : "";
  const total = dot.reduce((all, { sum }) => all + sum, biases ? biases[filter] : 0);
  return { before: `Filter ${filter} at ${placeWords(position, rank)}: ${shown.join(", ")}${bias}; together `, result: short(total, 4), after: "." };
}

function filterNote({ kernel, depth, rank, biases, filters, groups, channels }, filter, { oneByOne, givenGroups }) {
  const weights = times([...spatial(kernel, rank)]);
  const size = depth * product(kernel);
  const notes = [];
  if (product(kernel) === 1) {
    const point = times(Array(rank).fill(1));
    notes.push(`A ${point} filter has no spatial extent: it is a perceptron over the depth of the stack, ${plural(size, "weight")}${biases ? " and a bias" : ""}. All ${plural(filters, "filter")} together are one layer of an MLP that runs at every position (Network in Network).`);
    if (oneByOne) notes.push("Only the center tap of each filter is kept.");
  } else notes.push(`Each output is a ${size}-dimensional dot product${biases ? " and a bias" : ""}: ${plural(depth, "channel")} × ${weights} weights.`);
  if (groups > 1) {
    const first = firstChannel(filter, filters, groups, depth);
    const sees = depth === 1 ? `channel ${first}` : `channels ${first} to ${first + depth - 1}`;
    const depthwise = depth === 1 ? " Depthwise: one channel a group." : "";
    notes.push(`groups = ${groups}: filter ${filter} sees ${sees} of ${channels} only. The blocks of weights between groups are left out: another layer, with fewer weights.${depthwise}`);
  }
  if (groups < givenGroups) notes.push(`The weights were given for groups = ${givenGroups}; the others are 0 until you change them.`);
  return notes.join(" ");
}

function volumeSizeWords({ axes, sizes, outputs, rank }) {
  return spatial([0, 1, 2], rank).map((i) => {
    const { kernel, stride, before, dilation } = axes[i];
    const reach = dilation === 1 ? `${kernel}` : `${dilation}·(${kernel} − 1) − 1`;
    return `${AXES[i]} ⌊(${sizes[i]} + 2·${before} − ${reach})/${stride}⌋ + 1 = ${outputs[i]}`;
  }).join(", ");
}

// The rows of the table of costs: [name, formula = result] for a number of groups.
function countRows(model, groups) {
  const { filters, channels, kernel, rank, outputs, biases } = model;
  const { parameters, macs, weightsOfFilter } = volumeCounts(model, groups);
  const block = [groups > 1 ? `(${channels}/${groups})` : channels, ...spatial(kernel, rank)].join("·");
  const [out, each] = [spatial(outputs, rank), `${filters}·${block}`];
  return [
    ["Output", times([filters, ...out])],
    ["Parameters", `${each}${biases ? ` + ${filters}` : ""} = ${thousands(parameters)}`],
    ["Multiply-adds", `${[filters, ...out].join("·")} outputs × ${weightsOfFilter} = ${thousands(macs)}`],
  ];
}

function batchWords({ channels, filters, sizes, outputs, rank }) {
  const [from, to] = [times(["N", channels, ...spatial(sizes, rank)]), times(["N", filters, ...spatial(outputs, rank)])];
  return `A batch of N inputs is one array: ${from} → ${to}, with the same weights for each, and N times the multiply-adds.`;
}

const axisNames = (rank) => ({ 1: ["position"], 2: ["row", "column"], 3: ["depth", "row", "column"] })[rank];

// Every product of one dot product.
function productTable({ rank }, dot, filter, position) {
  const terms = dot.flatMap(({ channel, terms: list }) =>
    list.map(({ tap, at, input, weight, product: value }) => {
      const places = [tap, at].map((index) => spatial(index, rank).join(", "));
      return [String(channel), ...places, short(input, 6), short(weight, 6), short(value, 6)];
    }),
  );
  const heads = ["channel", "tap", "input at", "input", "weight", "product"];
  return table(`Filter ${filter} at ${placeWords(position, rank)}: one row a product`, heads, terms);
}

// Every position of one map, with what each channel adds.
function mapTable({ rank, outputs, maps, biases }, partials, filter) {
  const [places, depth] = [product(outputs), partials.shape[0]];
  const rows = [...positions(outputs)].map((index, p) => {
    const sums = Array.from({ length: depth }, (_, c) => partials.values[c * places + p]);
    const all = [...sums, ...(biases ? [biases[filter]] : []), maps.values[filter * places + p]];
    return [...spatial(index, rank).map(String), ...all.map((value) => short(value, 6))];
  });
  const channels = Array.from({ length: depth }, (_, c) => `channel ${partials.first + c}`);
  const heads = [...axisNames(rank), ...channels, ...(biases ? ["bias"] : []), "output"];
  return table(`Activation map ${filter}: one row a position`, heads, rows);
}
