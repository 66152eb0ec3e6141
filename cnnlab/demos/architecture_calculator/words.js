// The sentences: the formula of the selected row, with its numbers.
const KINDS = [
  ["conv", "conv"],
  ["maxpool", "max pool"],
  ["avgpool", "avg pool"],
  ["relu", "ReLU"],
  ["tanh", "tanh"],
  ["sigmoid", "sigmoid"],
  ["batchnorm", "batch norm"],
  ["dropout", "dropout"],
  ["flatten", "flatten"],
  ["globalpool", "global pool"],
  ["linear", "linear"],
];
const KIND_NAMES = Object.fromEntries(KINDS);

const dotted = (sizes) => sizes.map(thousands).join("·");
const crossed = (sizes) => (sizes ? sizes.map(thousands).join(" × ") : "–");

// 512 B, 40.0 KiB, 3.1 MiB: as cnnlab.summary writes bytes, with Python's rounding of halves to even tenths.
function bytesWords(count) {
  if (count < 1024) return `${count} B`;
  let power = 1;
  while (power < 4 && count >= 1024 ** (power + 1)) power += 1;
  const tenths = (count / 1024 ** power) * 10;
  const half = tenths % 1 === 0.5;
  const rounded = half ? 2 * Math.round(tenths / 2) : Math.round(tenths);
  return `${(rounded / 10).toFixed(1)} ${["KiB", "MiB", "GiB", "TiB"][power - 1]}`;
}

// ⌊(32 + 2·2 − 5)/1⌋ + 1 = 32 for each axis; axes with the same numbers together.
function sizeFormulas(axes, input, output) {
  const titles = AXIS_TITLES[axes.length];
  const told = axes.map(({ kernel, stride, dilation, before, after, ceil }, i) => {
    const pads = before === after ? (before ? ` + 2·${before}` : "") : ` + ${before + after}`;
    const reach = dilation === 1 ? `${kernel}` : `${dilation}·(${kernel} − 1) − 1`;
    const [open, close] = ceil ? ["⌈", "⌉"] : ["⌊", "⌋"];
    const formula = `${open}(${input[i]}${pads} − ${reach})/${stride}${close} + 1`;
    const shown = ceil ? Math.ceil((input[i] + before + after - extent(kernel, dilation)) / stride) + 1 : output[i];
    const dropped = shown === output[i] ? "" : ` less one that would start behind the input = ${output[i]}`;
    return `${formula} = ${shown}${dropped}`;
  });
  const groups = new Map();
  told.forEach((words, i) => groups.set(words, [...(groups.get(words) ?? []), titles[i]]));
  return [...groups].map(([words, names]) => `${names.join(" and ")} ${words}`).join(", ");
}

// The selected row as parts of a sentence; a part in brackets is set in strong letters.
function rowWords(row, outcome, place) {
  const start = `Row ${place}, ${KIND_NAMES[row.kind]}`;
  if (!outcome) return [`${start}: empty until the row above that does not fit is mended.`];
  if (outcome.fault) return [`${start}: `, [outcome.fault.words], "."];
  const { input, shape, axes, parameters, macs } = outcome;
  const parts = [`${start} on ${crossed(input)}: `];
  if (axes) parts.push(`${sizeFormulas(axes, input.slice(1), shape.slice(1))}. `);
  if (row.kind === "conv") {
    const [filters, taps] = [row.out_channels, axes.map(({ kernel }) => kernel)];
    const depth = row.groups === 1 ? `${input[0]}` : `${input[0]}/${row.groups}`;
    parts.push(`${filters}·(${depth}·${dotted(taps)})${row.bias ? ` + ${filters}` : ""} = `, [`${plural(parameters, "parameter")}`]);
    parts.push(`; ${dotted(shape)} outputs × ${thousands(outcome.weights)} = `, [`${plural(macs, "multiply-add")}`], ".");
  } else if (row.kind === "linear") {
    const [from, to] = [thousands(input[0]), thousands(shape[0])];
    parts.push(`${to}·${from}${row.bias ? ` + ${to}` : ""} = `, [`${plural(parameters, "parameter")}`]);
    parts.push(`; ${to} outputs × ${from} = `, [`${plural(macs, "multiply-add")}`], ".");
  } else if (row.kind === "flatten") {
    parts.push(`${dotted(input)} = `, [`${plural(shape[0], "number")}`], " in one vector. No parameters, and no memory of its own: the same numbers, seen otherwise.");
  } else if (row.kind === "globalpool") {
    parts.push(`the ${row.how === "max" ? "largest" : "mean"} of ${dotted(input.slice(1))} places of each channel leaves `, [`${plural(shape[0], "number")}`], ". Nothing to learn.");
  } else if (row.kind === "batchnorm") {
    parts.push("the shape stays; ", parameters ? [`2·${thousands(input[0])} = ${plural(parameters, "parameter")}`] : "no parameters", parameters ? ", a scale and a shift for each channel." : ".");
  } else if (axes) {
    parts.push("The channels stay; ", ["no parameters"], ": it compares or adds, and learns nothing.");
  } else {
    const share = row.kind === "dropout" ? ` In training each number is set to 0 with probability ${short(row.p)}.` : "";
    parts.push("each number by itself: the shape stays, ", ["no parameters"], `.${share}`);
  }
  return parts;
}

function costWords(outcome, batch, dtype) {
  if (!outcome || outcome.fault) return "";
  const { shape, entries, field, jump } = outcome;
  const bytes = BYTES[dtype];
  const many = batch > 1 ? ` × ${thousands(batch)} examples` : "";
  const kept = entries ? `Memory: ${dotted(shape)} = ${thousands(entries)} numbers × ${bytes} bytes${many} = ${bytesWords(entries * bytes * batch)}.` : "";
  if (!field) return kept;
  const far = jump ? `, neighbors ${crossed(jump)} apart` : "";
  return `${kept} One number sees ${crossed(field)} of the input${far}.`.trim();
}

function memoryWords({ weights, forward, training }, { totals }, batch, dtype) {
  const many = `${plural(batch, "example")}, ${dtype}`;
  return (
    `For ${many}: weights ${thousands(totals.parameters)} × ${BYTES[dtype]} bytes = ${bytesWords(weights)}; ` +
    `forward only ${bytesWords(forward)} (weights, and the largest input and output of one layer together); ` +
    `training ${bytesWords(training)} (weights, their gradients, the input, and all outputs kept for the way back; an optimizer's own memory comes on top).`
  );
}
