// The sentences and the code: the same numbers as in the picture.
const AXIS_WORDS = { 1: ["inputs"], 2: ["rows", "columns"] };
const AXIS_NAMES = { 1: ["length"], 2: ["height", "width"] };

const levelName = (level) => (level ? `layer ${level}` : "the input");
const unitName = (index) => (index.length > 1 ? `(${index.join(", ")})` : String(index[0]));
const stretch = (first, last) => (first === last ? short(first) : `${short(first)}–${short(last)}`);
const times = (values) => values.map(short).join(" × ");

// Counts are exact up to 2⁵³.
function countWords(value) {
  if (value <= Number.MAX_SAFE_INTEGER) return thousands(value);
  const power = Math.floor(Math.log10(value));
  return `about ${(value / 10 ** power).toFixed(2)} · 10^${power}`;
}

const kindWords = ({ kind, kernel_size: kernel }) => `${kind} ${kernel.join(" × ")}`;

// What the unit sees: { before, strong, after }.
function sightWords({ axes, rank }, [level, ...index]) {
  const names = AXIS_WORDS[rank];
  const start = `Unit ${unitName(index)} of ${levelName(level)} `;
  if (!level) return { before: start, strong: "is an input", after: ": it sees itself." };
  const fields = axes.map((axis, i) => fieldOf(axis, level, index[i]));
  const whole = fields.map(({ first, last }, i) => `${names[i]} ${stretch(first, last)}`).join(", ");
  const sees = axes.map((axis, i) => reached(pathsDown(axis, level, index[i])[0]));
  const wide = `${times(fields.map(({ field }) => field))}${rank === 1 ? " wide" : ""}`;
  const centers = `center ${unitName(fields.map(({ center }) => short(center)))}`;
  const jumps = `jump ${times(fields.map(({ jump }) => jump))}`;
  if (sees.includes(null)) return { before: `${start}sees ${whole} (`, strong: wide, after: `): only padding, no input.` };
  const cut = fields.some(({ first, last }, i) => first < 0 || last >= axes[i].sizes[0]);
  const left = sees.map(({ first, last }, i) => `${names[i]} ${stretch(first, last)}`).join(", ");
  const cutWords = cut ? ` The rest is padding: within the input it is ${left} (${times(sees.map(({ first, last }) => last - first + 1))}).` : "";
  const gaps = sees.some((seen) => seen.gaps);
  const reachWords = `${thousands(product(sees.map(({ count }) => count)))} of the ${thousands(product(sees.map(({ first, last }) => last - first + 1)))}`;
  const gapWords = gaps ? ` Only ${reachWords} positions there are reached: the empty ones are gaps.` : "";
  return { before: `${start}sees ${whole} (`, strong: wide, after: `), ${centers}, ${jumps}.${cutWords}${gapWords}` };
}

// What it reaches above, and the paths to the input.
function reachWords({ axes, rank, depth }, [level, ...index], weighted) {
  const parts = [];
  if (level < depth) {
    const up = axes.map((axis, i) => reached(pathsUp(axis, level, index[i]).at(-1)));
    if (up.includes(null)) parts.push(`No unit of ${levelName(depth)} sees it.`);
    else {
      const where = up.map(({ first, last }, i) => `${rank === 1 ? "" : `${AXIS_WORDS[rank][i]} `}${stretch(first, last)}`).join(", ");
      const total = product(up.map(({ count }) => count));
      parts.push(`It reaches ${plural(total, "unit")} of ${levelName(depth)}: ${where}.`);
    }
  }
  if (weighted && level) {
    const most = product(axes.map((axis, i) => Math.max(...pathsDown(axis, level, index[i])[0])));
    const all = product(axes.map((axis, i) => pathsDown(axis, level, index[i])[0].reduce((a, b) => a + b, 0)));
    if (all) {
      const share = Number(((100 * most) / all).toPrecision(2));
      parts.push(`${countWords(all)} paths lead down to the input, ${countWords(most)} (${share} %) of them to each of the inputs with most.`);
    }
  }
  return parts.join(" ");
}

// 1 + L·(K − 1) beside the recurrence, for the level.
function closedWords({ axes, rank }, level) {
  if (!level) return "";
  const found = axes.map((axis) => closedForm(axis, level));
  const fields = times(axes.map(({ seen }) => seen[level].field));
  const bad = found.findIndex(({ fault }) => fault);
  if (bad >= 0) {
    const where = rank === 2 && found.some(({ fault }) => fault !== found[bad].fault) ? ` (${AXIS_NAMES[2][bad]})` : "";
    return `1 + L·(K − 1) does not hold here: ${found[bad].fault}${where}. The recurrence gives ${fields}.`;
  }
  const told = [...new Set(found.map(({ kernel, value }) => `1 + ${level}·(${kernel} − 1) = ${value}`))];
  return `1 + L·(K − 1) = ${told.join(" and ")}, as the recurrence gives.`;
}

// r + (k − 1)·d·j for one level and axis, with numbers.
function recurrenceWords({ steps, seen }, level) {
  if (!level) return "1";
  const [{ kernel, dilation }, { field, jump }] = [steps[level - 1], seen[level - 1]];
  return `${field} + (${kernel} − 1)·${dilation}·${jump} = ${seen[level].field}`;
}

const pythonList = (values) => `[${values.join(", ")}]`;

function listedLayers({ layers }, depth) {
  const rows = layers.slice(0, depth).map(({ kernel_size: k, stride, padding, dilation, ceil_mode: ceil }) =>
    `    (${[k, stride, dilation].map(pythonList).join(", ")}, [${padding.map((pair) => `(${pair.join(", ")})`).join(", ")}], ${ceil ? "True" : "False"}),`,
  );
  return `layers = [  # kernel, stride, dilation, padding (before, after) for each axis; ceil_mode\n${rows.join("\n")}\n]`;
}

function numpyListing(view, { depth }) {
  const { input_size: size, unit: [level, ...index] } = view;
  return `import numpy as np

${listedLayers(view, depth)}
size = ${pythonList(size)}
level, unit = ${level}, ${pythonList(index)}

ways = []
for axis in range(len(size)):
    n, field, jump, start, sizes = size[axis], 1, 1, 0, [size[axis]]
    for kernel, stride, dilation, padding, ceil_mode in layers:
        K, S, D, (before, after) = kernel[axis], stride[axis], dilation[axis], padding[axis]
        extent, padded = D * (K - 1) + 1, before + n + after
        outputs = (padded - extent) // S + 1
        if ceil_mode and (outputs - 1) * S + extent < padded and outputs * S < before + n:
            outputs += 1
        n, start, field, jump = outputs, start - before * jump, field + (K - 1) * D * jump, jump * S
        sizes.append(n)
        print(f"axis {axis}: size {n}, jump {jump}, field {field}, start {start}")
    paths = np.zeros(sizes[level])
    paths[unit[axis]] = 1
    for below in range(level - 1, -1, -1):
        kernel, stride, dilation, padding, _ = layers[below]
        down = np.zeros(sizes[below])
        for tap in range(kernel[axis]):
            at = np.arange(len(paths)) * stride[axis] + tap * dilation[axis] - padding[axis][0]
            inside = (at >= 0) & (at < sizes[below])
            down[at[inside]] += paths[inside]
        paths = down
    ways.append(paths)
paths = ways[0] if len(ways) == 1 else np.outer(*ways)
print(paths)  # how many paths lead from each input to the unit; 0: it is not seen`;
}

function torchListing(view, { depth, axes, rank }) {
  const { input_size: size, unit: [level, ...index] } = view;
  const list = axes[0].sizes.map((_, l) => pythonList(axes.map(({ sizes }) => sizes[l]))).slice(1, depth + 1);
  return `import torch
from torch.nn import functional as F

${listedLayers(view, depth)}
sizes = [${list.join(", ")}]

x = torch.ones(1, 1, ${size.join(", ")}, dtype=torch.float64, requires_grad=True)
maps = [x]
for (kernel, stride, dilation, padding, ceil_mode), n in zip(layers, sizes):
    # All weights are 1, pools as well: then a gradient counts paths.
    ones = torch.ones(1, 1, *kernel, dtype=torch.float64)
    ends = [(before, after + ceil_mode * (s - 1)) for (before, after), s in zip(padding, stride)]
    y = F.pad(maps[-1], [p for pair in reversed(ends) for p in pair])
    y = F.conv${rank}d(y, ones, stride=stride, dilation=dilation)
    maps.append(y[(..., *map(slice, n))])
maps[${level}][0, 0, ${index.join(", ")}].backward()
paths = x.grad[0, 0]
print(paths)`;
}
