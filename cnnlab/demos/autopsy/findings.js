// What the differences have in common, as { kind, words }. Each is computed from all cells that can be compared.
const axisName = (axis, names) => (names[axis] ? `axis ${axis} (${names[axis]})` : `axis ${axis}`);
const indexWords = (index) => `[${index.join(", ")}]`;

// As many digits as tell a number apart, also a large or a small one.
function exact(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e6 || size < 1e-4) ? size.toExponential(3).replace("e", " · 10^").replace("^+", "^") : String(Number(size.toPrecision(6)));
  return (value < 0 ? "−" : "") + text.replace("^-", "^−");
}

// expected and got: { values, shape } of one rank; names: what the axes stand for, where that is known.
function findings(expected, got, { tolerance, names = [], dtypes = {} }) {
  const over = overlay(expected, got, tolerance);
  const found = [...ofKind(dtypes), ...ofShape(expected, got, over, names)];
  if (over.where.length) {
    found.push(...notFinite(over), ...ofValues(over), ...ofOrder(expected, got, over, names), ...ofPlace(over, names));
  }
  return found;
}

function ofKind({ expected, got }) {
  if (!got || !expected || got === expected) return [];
  if (/int|bool/.test(got) && /float/.test(expected)) return [{ kind: "integer", words: `The answer holds ${got} numbers where ${expected} is expected: fractions are lost.` }];
  if (/float(16|32)/.test(got) && /float(32|64)/.test(expected)) return [{ kind: "precision", words: `The answer is ${got} where ${expected} is expected: digits are lost.` }];
  return [{ kind: "dtype", words: `The answer has dtype ${got} where ${expected} is expected.` }];
}

function ofShape(expected, got, { same }, names) {
  if (same) return [];
  const found = [];
  expected.shape.forEach((size, axis) => {
    const by = got.shape[axis] - size;
    if (by) found.push({ kind: "size", words: `A${axisName(axis, names).slice(1)} has ${got.shape[axis]} in place of ${size}: ${Math.abs(by)} too ${by > 0 ? "many" : "few"}.` });
  });
  return found;
}

function notFinite({ got, where }) {
  const bad = where.filter((i) => !Number.isFinite(got[i]));
  if (!bad.length) return [];
  const nan = bad.filter((i) => Number.isNaN(got[i])).length;
  const counted = (count, what) => count && `${plural(count, "number")} ${count === 1 ? "is" : "are"} ${what}`;
  const parts = [counted(nan, "NaN"), counted(bad.length - nan, "infinite")].filter(Boolean).join(" and ");
  return [{ kind: "finite", words: `${parts[0].toUpperCase()}${parts.slice(1)}: look for 0/0, the logarithm of 0 or an overflow.` }];
}

// One rule that turns every expected number into the one that came.
function ofValues({ expected, got, inExpected, inGot, wrong, where, cells, tolerance }) {
  const both = [...expected.keys()].filter((i) => inExpected[i] && inGot[i]);
  if (both.some((i) => !Number.isFinite(got[i]) || !Number.isFinite(expected[i]))) return [];
  const near = (a, b) => Math.abs(a - b) <= tolerance;
  const all = (rule) => both.every((i) => near(got[i], rule(expected[i])));
  const found = [];
  const [e0, g0] = [expected[both[0]], got[both[0]]];
  const constant = cells > 1 && both.every((i) => near(got[i], g0));
  if (constant && !both.every((i) => near(expected[i], e0))) {
    found.push({ kind: "same", words: `Every number is ${exact(g0)}${g0 === 0 ? ": was the result ever written" : ""}${g0 === 0 ? "?" : "."}` });
  }
  const offset = got[where[0]] - expected[where[0]];
  if (where.length > 1 && where.every((i) => Math.abs(got[i] - expected[i] - offset) <= 2 * tolerance)) {
    const words = where.length === cells ? "Every number is" : `All ${where.length} wrong numbers are`;
    found.push({ kind: "offset", words: `${words} off by the same ${exact(offset)}.` });
  }
  const top = both.reduce((best, i) => (Math.abs(expected[i]) > Math.abs(expected[best]) ? i : best));
  const factor = got[top] / expected[top];
  const slack = tolerance * (1 + Math.abs(factor));
  if (cells > 1 && !constant && Number.isFinite(factor) && factor !== 0 && both.every((i) => Math.abs(got[i] - factor * expected[i]) <= slack)) {
    found.push({ kind: "scale", words: factorWords(factor) });
  }
  if (cells > 1 && !constant) {
    const rules = [
      ["truncated", Math.trunc, "cut to whole numbers toward 0: the result is stored as integers"],
      ["floored", Math.floor, "rounded down to whole numbers"],
      ["rounded", roundEven, "rounded to whole numbers"],
      ["relu", (v) => Math.max(v, 0), "right where it is positive and 0 elsewhere: a ReLU"],
      ["absolute", Math.abs, "without its sign"],
    ];
    const hit = rules.find(([, rule]) => all(rule));
    if (hit) found.push({ kind: hit[0], words: `Every expected number is ${hit[2]}.` });
  }
  const relative = Math.max(...where.map((i) => Math.abs(got[i] - expected[i]))) / Math.max(...both.map((i) => Math.abs(expected[i])));
  if (relative < 1e-5 && !found.length) {
    found.push({ kind: "rounding", words: `All differences are small, at most ${exact(relative)} of the largest number: rounding, or a smaller dtype on the way.` });
  }
  return found;
}

// As NumPy rounds: halves go to the even neighbor.
function roundEven(value) {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}

function factorWords(factor) {
  if (Math.abs(factor + 1) < 1e-9) return "Every sign is turned: got = −expected.";
  const inverse = Math.round(1 / factor);
  if (Math.abs(inverse) > 1 && Math.abs(factor * inverse - 1) < 1e-6) return `Every number is divided by ${exact(inverse)}: a mean in place of a sum?`;
  return `Every number is multiplied by ${exact(factor)}.`;
}

// The right numbers in another place.
function ofOrder(expected, got, { tolerance }, names) {
  const axes = expected.shape.map((_, axis) => axis);
  const swaps = axes.flatMap((a) => axes.slice(a + 1).map((b) => axes.map((axis) => (axis === a ? b : axis === b ? a : axis))));
  if (axes.length > 3) swaps.push([...axes].reverse());
  const swap = swaps.find((order) => agree(got, reorder(expected, order), tolerance));
  if (swap) {
    const moved = swap.map((axis, place) => (axis === place ? null : axis)).filter((axis) => axis !== null).sort();
    const which = swap.every((axis, place) => axis === axes.length - 1 - place) && axes.length > 3 ? "all axes are in the opposite order" : `${moved.map((axis) => axisName(axis, names)).join(" and ")} are swapped`;
    return [{ kind: "transposed", words: `It is the right answer transposed: ${which}.` }];
  }
  if (!sameShape(expected.shape, got.shape)) return shifted(expected, got, tolerance, names);
  const turned = subsets(axes.filter((axis) => expected.shape[axis] > 1)).find((set) => agree(got, flip(expected, set), tolerance));
  if (turned) return [{ kind: "flipped", words: `It is the right answer backward along ${turned.map((axis) => axisName(axis, names)).join(" and ")}.` }];
  const moved = shifted(expected, got, tolerance, names);
  if (moved.length) return moved;
  const [a, b] = [expected, got].map(({ values }) => Float64Array.from(values).sort());
  if (a.every((value, i) => Math.abs(value - b[i]) <= tolerance)) {
    return [{ kind: "order", words: "All numbers are right but stand in another order: a reshape or a loop that runs through other axes first." }];
  }
  return [];
}

// got[i] = expected[i − by] along one axis wherever both exist.
function shifted(expected, got, tolerance, names) {
  for (let axis = 0; axis < expected.shape.length; axis += 1) {
    for (const by of [1, -1]) {
      const size = Math.min(got.shape[axis] - Math.max(by, 0), expected.shape[axis] - Math.max(-by, 0));
      const others = expected.shape.every((n, other) => other === axis || n === got.shape[other]);
      if (size < 1 || !others) continue;
      const part = expected.shape.map((n, other) => (other === axis ? size : n));
      const count = product(part);
      let [same, low, high] = [count > 1, Infinity, -Infinity];
      for (let i = 0; i < count && same; i += 1) {
        const [from, to] = [unravel(i, part), unravel(i, part)];
        from[axis] += Math.max(-by, 0);
        to[axis] += Math.max(by, 0);
        const value = expected.values[ravel(from, expected.shape)];
        [low, high] = [Math.min(low, value), Math.max(high, value)];
        same = Math.abs(got.values[ravel(to, got.shape)] - value) <= tolerance;
      }
      if (!same || high - low <= 2 * tolerance) continue; // equal numbers look shifted in every way
      return [{ kind: "shifted", words: `It is the right answer shifted by one along ${axisName(axis, names)}: got[i] is expected[i ${by > 0 ? "− 1" : "+ 1"}].` }];
    }
  }
  return [];
}

// Where the wrong cells lie: at one index of an axis, everywhere but at one, or at the border.
function ofPlace({ shape, wrong, where, inExpected, inGot }, names) {
  if (wrong.every((is, i) => is || !inExpected[i] || !inGot[i])) return [];
  const found = [];
  const both = [...wrong.keys()].filter((i) => inExpected[i] && inGot[i]);
  let bySpace = false;
  shape.forEach((size, axis) => {
    if (size < 2) return;
    const faulty = new Set(where.map((i) => unravel(i, shape)[axis]));
    const compared = [...new Set(both.map((i) => unravel(i, shape)[axis]))];
    const only = [...faulty][0];
    const edge = only === size - 1 ? ", the last" : only === 0 ? ", the first" : "";
    if (faulty.size === 1 && compared.length > 1) {
      found.push({ kind: "one", words: `Wrong only at index ${only}${edge} of ${axisName(axis, names)}; the rest is right.` });
      bySpace ||= axis >= shape.length - 2;
    } else if (faulty.size === compared.length - 1 && compared.length > 2) {
      const right = compared.find((place) => !faulty.has(place));
      found.push({ kind: "but", words: `Right only at index ${right} of ${axisName(axis, names)}.` });
    }
  });
  const axes = shape.map((_, axis) => axis).filter((axis) => axis >= shape.length - 2 && shape[axis] > 2);
  if (bySpace || !axes.length) return found;
  const depth = Math.max(...where.map((i) => Math.min(...axes.map((axis) => Math.min(unravel(i, shape)[axis], shape[axis] - 1 - unravel(i, shape)[axis]))))) + 1;
  if (axes.every((axis) => shape[axis] > 2 * depth)) {
    found.push({ kind: "border", words: `Wrong only at the border, in the outer ${depth === 1 ? "ring" : `${depth} rings`} of ${axes.map((axis) => axisName(axis, names)).join(" and ")}; all inside is right. Look at the padding.` });
  }
  return found;
}
