// The sentences and the code: the same numbers as in the picture.
const inBrackets = (value) => (value < 0 ? `(${exact(value)})` : exact(value));

// What is wrong, in one paragraph.
function countWords({ over, errors, data, names, firstWrong }) {
  const { block } = data;
  if (!data.got) return data.words;
  const remark = [data.words, data.how].filter(Boolean).join(" ");
  const sizes = over.same ? "" : `The answer has shape ${shapeWords(data.shapes.got)}; it should have ${shapeWords(data.shapes.expected)}. `;
  const cut = block
    ? `The whole array has ${thousands(block.cells)} cells${block.wrong === null ? "" : `, of which ${thousands(block.wrong)} are wrong`}; shown and judged here is a block of ${thousands(over.expected.length)} that begins at ${indexWords(block.start)}. `
    : "";
  const lead = `${cut}${sizes}${remark ? `${remark} ` : ""}`;
  if (!over.cells) return `${lead}No cell can be compared.`;
  if (!over.where.length) return `${lead}${over.same ? "All" : "In these, all"} ${plural(over.cells, "cell")} are right${over.tolerance ? ` (within ${exact(over.tolerance)})` : ""}.`;
  const first = unravel(firstWrong, over.shape);
  const counted = `${thousands(over.where.length)} of ${plural(over.cells, "cell")} ${over.where.length === 1 ? "is" : "are"} wrong, the first at ${indexWords(shifted0(first, block))}`;
  const size = errors ? `; the largest error is ${exact(errors.largest)} at ${indexWords(shifted0(unravel(errors.at, over.shape), block))}, a typical one ${exact(errors.typical)} (median)` : "";
  return `${lead}${counted}${size}.`;
}

const shapeWords = (shape) => (shape === null ? "no shape" : `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`);
const shifted0 = (index, block) => (block ? index.map((place, axis) => place + block.start[axis]) : index);

// The cell that is looked at: expected, got, difference.
function cellNumbers({ over, at }) {
  const [e, g] = [over.expected[at], over.got[at]];
  const parts = [over.inExpected[at] ? `expected ${exact(e)}` : "nothing expected", over.inGot[at] ? `got ${exact(g)}` : "nothing there"];
  if (over.inExpected[at] && over.inGot[at]) parts.push(over.wrong[at] ? `difference ${exact(g - e)}` : "right");
  return parts.join(", ");
}

function tapName(tap, { depth, kernel }) {
  const parts = depth > 1 ? [`channel ${tap.channel}`] : [];
  const axes = { 1: ["column"], 2: ["row", "column"], 3: ["slice", "row", "column"] }[kernel.length];
  return [...parts, ...axes.map((axis, i) => `${axis} ${tap.tap[i]}`)].join(", ");
}

// The sum as far as it is taken: before, result, after.
function sumWords(view) {
  const { sum, taken, index, over, at, data } = view;
  const { taps, bias } = sum;
  const place = `Cell ${indexWords(shifted0(index, data.block))}: `;
  const end = `; ${cellNumbers(view)}.`;
  if (taken === 0) return { before: `${place}the sum begins with ${bias ? "the bias " : ""}`, result: exact(bias), after: `, before ${plural(taps.length, "product")}${end}` };
  const now = taps[taken - 1];
  if (taken < taps.length) {
    const before = taken > 1 ? taps[taken - 2].sum : bias;
    const zero = now.padding ? ", a zero of the padding" : "";
    return {
      before: `${place}product ${taken} of ${taps.length} (${tapName(now, sum)}${zero}) is ${inBrackets(now.input)} · ${inBrackets(now.weight)} = ${exact(now.product)}; the running sum goes from ${exact(before)} to `,
      result: exact(now.sum),
      after: end,
    };
  }
  const terms = taps.map(({ input, weight }) => `${inBrackets(input)}·${inBrackets(weight)}`);
  const shown = terms.length > 12 ? [...terms.slice(0, 9), `… (${terms.length - 9} more)`] : terms;
  const off = over.inExpected[at] && Math.abs(over.expected[at] - now.sum) > over.tolerance ? " This is not the number that is expected: x, w, b or an option is another than in the check." : "";
  return { before: `${place}${bias ? `bias ${exact(bias)} + ` : ""}${shown.join(" + ")} = `, result: exact(now.sum), after: `${end}${off}` };
}

// What the suspects say, in one sentence.
function suspectWords({ lined, over, data }) {
  if (!lined.length || !data.got || (over.same && !over.where.length)) return "";
  const matching = lined.filter(({ matches }) => matches);
  const tried = plural(lined.length, "suspect");
  if (!matching.length) return `None of ${tried} gives these numbers: it is another mistake, or two at once.`;
  const [{ name, cells }] = matching;
  const all = cells === 1 ? "its only cell" : `all ${thousands(cells)} cells`;
  if (matching.length === 1) return `The answer matches ${name} at ${all}.`;
  return `The answer matches ${plural(matching.length, "suspect")} at ${all}: ${matching.map((suspect) => suspect.name).join("; ")}. This case cannot tell them apart.`;
}

function pythonArray(name, { values, shape }) {
  const text = (value) => (Number.isNaN(value) ? "nan" : Number.isFinite(value) ? String(value) : value < 0 ? "-inf" : "inf");
  const numbers = [...values].map(text);
  const lines = [];
  for (let i = 0; i < numbers.length; i += 8) lines.push(`    ${numbers.slice(i, i + 8).join(", ")},`);
  return `${name} = np.array([\n${lines.join("\n")}\n]).reshape(${shape.length ? shape.join(", ") : "()"})`;
}

function numpyListing({ data, expected, got, over }) {
  const arrays = [pythonArray("expected", expected), ...(got ? [pythonArray("got", got)] : [])];
  const head = `import numpy as np\nfrom numpy import inf, nan\n\n${arrays.join("\n")}\n`;
  if (!got) return `${head}\n# ${data.words}\nprint(expected)`;
  const cut = over.same ? "" : "both = tuple(slice(min(n, m)) for n, m in zip(expected.shape, got.shape))\nexpected, got = expected[both], got[both]\n\n";
  return `${head}
${cut}with np.errstate(invalid="ignore"):
    wrong = ~(abs(got - expected) <= ${over.tolerance})
print(wrong.sum(), "of", wrong.size, "cells are wrong")
if wrong.any():
    first = np.unravel_index(wrong.argmax(), wrong.shape)
    print("first at", tuple(map(int, first)), "expected", expected[first], "got", got[first])`;
}

function torchListing({ convolution }) {
  if (!convolution) return "";
  const { x, w, b, axes, groups } = convolution;
  const pads = [...axes].reverse().map(({ before, after }) => `${before}, ${after}`).join(", ");
  const [stride, dilation] = ["stride", "dilation"].map((name) => `(${axes.map((axis) => axis[name]).join(", ")},)`);
  return `import numpy as np
import torch

${pythonArray("x", x)}
${pythonArray("w", w)}
b = ${b ? `torch.tensor([${b.join(", ")}], dtype=torch.float64)` : "None"}

padded = torch.nn.functional.pad(torch.from_numpy(x).double(), (${pads}))
y = torch.nn.functional.conv${axes.length}d(padded, torch.from_numpy(w).double(), b, stride=${stride}, dilation=${dilation}, groups=${groups})
print(y)`;
}
