// The sentences: the same numbers as in the picture.
const numberWords = (value, digits) => (value === -Infinity ? "−∞" : Number.isNaN(value) ? "NaN" : short(value, digits));
const cellWords = (value) => numberWords(value, 4);
const inCell = (value) => numberWords(value, 2);
const term = (value) => (value < 0 ? `(${cellWords(value)})` : cellWords(value));
const place = ([row, column]) => `row ${row}, column ${column}`;

function listedValues(values, joint) {
  const shown = values.length > 16 ? [...values.slice(0, 12), `… (${values.length - 12} more)`] : values;
  return shown.join(joint);
}

// What the words say, in pieces: what stands between * and * is set in bold by `emphasize`.
function emphasize(text) {
  return text.split("*").map((part, i) => (i % 2 ? h("strong", { text: part }) : part));
}

function forwardWords({ how, windows }, step) {
  const { position, taps, winner, y, divisor } = windows[step];
  const values = taps.filter(({ where }) => where === "input").map(({ value }) => value);
  const start = `Output ${place(position)}: `;
  if (how === "average") {
    const sum = listedValues(values.map(term), " + ");
    return `${start}the mean (${sum}) / ${divisor} = *${cellWords(y)}*.`;
  }
  if (winner < 0) return `${start}no input lies in this window, so its maximum is *−∞*.`;
  const { row, column } = taps[winner];
  const from = values.length === 1 ? `the only input is` : `the largest of ${listedValues(values.map(cellWords), ", ")} is`;
  return `${start}${from} *${cellWords(y)}*, at input ${place([row, column])}.`;
}

// What else there is to say about a window: ties, and cells outside the input.
function windowNote({ how, windows }, step, includePad) {
  const { taps, equal, y } = windows[step];
  const count = (where) => taps.filter((tap) => tap.where === where).length;
  const [padding, beyond] = [count("padding"), count("beyond")];
  const notes = [];
  if (how === "max") {
    if (equal.length > 1) notes.push(`${cellWords(y)} stands there ${equal.length} times: the first in row-major order wins, and it alone gets the gradient.`);
    if (padding + beyond) notes.push(`${plural(padding + beyond, "cell")} outside the input ${padding + beyond === 1 ? "is" : "are"} −∞ and never ${padding + beyond === 1 ? "wins" : "win"}.`);
    return notes.join(" ");
  }
  if (padding && includePad) notes.push(`${plural(padding, "zero")} of the padding ${padding === 1 ? "counts" : "count"}.`);
  if (padding && !includePad) notes.push("Only inputs count: count_include_pad is off.");
  if (beyond) notes.push(`${plural(beyond, "cell")} beyond the padding never ${beyond === 1 ? "counts" : "count"}.`);
  return notes.join(" ");
}

function backwardWords(model, dy, step, { values, from, final }) {
  const { how, windows, sizes } = model;
  const { position, taps, winner, divisor } = windows[step];
  const start = `The gradient ${cellWords(dy[step])} of output ${place(position)} `;
  if (how === "average") {
    const inside = taps.filter(({ where }) => where === "input").length;
    return `${start}is spread evenly: ${term(dy[step])} / ${divisor} = *${cellWords(dy[step] / divisor)}* to each of ${plural(inside, "input")}.`;
  }
  if (winner < 0) return `${start}reaches *no input*: there is none in the window.`;
  const { row, column } = taps[winner];
  const cell = row * sizes[1] + column;
  const terms = from[cell].map(({ part }) => term(part));
  const sum = terms.length > 1 ? `${listedValues(terms, " + ")} = ` : "";
  const far = final[cell] ? "" : " so far";
  return `${start}goes to the winner, input ${place([row, column])}: dx = ${sum}*${cellWords(values[cell])}*${far}.`;
}

function backwardNote({ how, windows }, dy, step, { values }) {
  const total = (list) => cellWords(list.reduce((sum, value) => sum + value, 0));
  const given = dy.slice(0, step + 1);
  const sums = `Sum of dx ${step === windows.length - 1 ? "" : "so far "}${total([...values])}, sum of dy ${total(given)}`;
  const { taps, counted } = windows[step];
  const lost = how === "average" ? taps.filter(({ where }, i) => counted[i] && where === "padding").length : 0;
  const [falls, are] = lost === 1 ? ["falls", "is"] : ["fall", "are"];
  return `${sums}.${lost ? ` ${plural(lost, "share")} of this window ${falls} on padding and ${are} lost.` : ""}`;
}

function shiftName([down, right]) {
  const parts = [];
  if (down) parts.push(`${Math.abs(down)} ${down > 0 ? "down" : "up"}`);
  if (right) parts.push(`${Math.abs(right)} to the ${right > 0 ? "right" : "left"}`);
  return parts.length ? `moved ${parts.join(" and ")}` : "not moved";
}

function shiftWords(before, after, shift) {
  const kept = unchanged(before.output, after.output);
  const inputs = before.x.flat();
  const changed = inputs.length - unchanged(inputs, after.x.flat());
  const total = before.output.length;
  return `The input is ${shiftName(shift)}: ${changed} of ${plural(inputs.length, "input")} changed, and *${kept} of ${total}* outputs ${total === 1 ? "is" : "are"} unchanged.`;
}

function shiftNote(before, after, step) {
  const [was, is] = [before.output[step], after.output[step]];
  const now = same(was, is) ? "unchanged" : `${cellWords(was)} → ${cellWords(is)}`;
  return `Output ${place(before.windows[step].position)}: ${now}.`;
}

// ⌊(H + 2P − D·(K − 1) − 1)/S⌋ + 1 with its numbers; ⌈…⌉ in ceil mode, and why one window fewer.
function poolSizeWords({ axes, sizes, outputs }) {
  return axes.map(({ kernel, stride, padding, dilation, ceil }, i) => {
    const reach = dilation === 1 ? `${kernel}` : `${dilation}·(${kernel} − 1) − 1`;
    const [left, right] = ceil ? ["⌈", "⌉"] : ["⌊", "⌋"];
    const rounded = Math.ceil((sizes[i] + 2 * padding - extent(kernel, dilation)) / stride) + 1;
    const fewer = ceil && rounded > outputs[i] ? " − 1" : "";
    const because = fewer ? " (a last window may not start in the padding at the end)" : "";
    return `${AXIS[i]} ${left}(${sizes[i]} + 2·${padding} − ${reach})/${stride}${right} + 1${fewer} = ${outputs[i]}${because}`;
  }).join(", ");
}

// All numbers: one row an output, one row an input.
function poolTables({ how, axes, windows, sizes, x }, dy, { values, from }, after) {
  const outputs = windows.map(({ position, taps, winner, y, divisor }, i) => {
    const [top, left] = position.map((p, axis) => p * axes[axis].stride - axes[axis].padding);
    const won = winner < 0 ? ["none", "none"] : how === "max" ? [taps[winner].row, taps[winner].column] : [];
    const middle = how === "max" ? won : [divisor];
    return [...position, top, left, ...middle, cellWords(y), short(dy[i], 6), cellWords(after.output[i])].map(String);
  });
  const middle = how === "max" ? ["winner’s row", "winner’s column"] : ["divided by"];
  const heads = ["row", "column", "window’s first row", "first column", ...middle, "y", "dy", "y after the shift"];
  const inputs = x.flat().map((value, i) => {
    const [row, column] = unravel(i, sizes);
    const holds = windows.filter(({ taps }) => taps.some((tap) => tap.row === row && tap.column === column)).length;
    return [row, column, short(value, 6), holds, from[i].length, short(values[i], 6)].map(String);
  });
  const given = how === "max" ? "windows it wins" : "shares it gets";
  return [
    table("One row an output; the padding has negative rows and columns", heads, outputs),
    table("One row an input; dx is the gradient with all outputs added", ["row", "column", "x", "windows that hold it", given, "dx"], inputs),
  ];
}
