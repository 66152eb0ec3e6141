// The sentences and the listings: the same numbers as in the picture.

// Indices as the reader's arrays have them: without channels where none were given.
function naming(model, bare) {
  const { filters, depth, kernel, outputs, n } = model;
  const single = bare && filters * depth === 1;
  const name = (index, shape) => {
    const full = unravel(index, shape);
    const kept = single ? full.slice(1) : full;
    return kept.length === 1 ? String(kept[0]) : `[${kept.join(", ")}]`;
  };
  return {
    output: (row) => name(row, [filters, ...outputs]),
    input: (column) => name(column, [depth, ...n]),
    weight: (set) => `w[${unravel(set, [filters, depth, ...kernel]).slice(single ? 2 : 0).join(", ")}]`,
  };
}

const edgeWords = (names, columns) => (entry) =>
  `output ${names.output(Math.floor(entry / columns))} ← input ${names.input(entry % columns)}`;

// What stands under the picture when nothing is pointed at: [before, strong, after].
function stageWords(model, stage, names) {
  const { rows, columns, places, ties } = model;
  const { step, cut, tied } = stage;
  const now = thousands(weightsAt(model, stage));
  if (step === 0) return [`Full: each of ${plural(rows, "output")} has its own weight to each of ${plural(columns, "input")}, ${rows} · ${columns} = `, now, " weights, and none is tied to another."];
  const insideOf = (row) => ties.subarray(row * columns, (row + 1) * columns).filter((set) => set >= 0).length;
  if (step < rows) {
    const kept = insideOf(cut - 1);
    return [`Output ${names.output(cut - 1)} keeps ${plural(kept, "weight")}, those to its window, and loses ${columns - kept}. Left: `, now, " weights."];
  }
  if (step === rows) return ["Sparse, or locally connected: every output sees only its window, still with weights of its own: ", now, " weights. What is empty is no connection, not a 0 that could be learned."];
  if (step < 2 * rows) return [`Output ${names.output(tied - 1)} gives up its own ${plural(insideOf(tied - 1), "weight")} and takes the shared ones of its filter. Left: `, now, " weights."];
  const idle = places.filter((list) => list.length === 0).length;
  const note = idle ? ` ${plural(idle, "weight")} of them ${idle === 1 ? "meets" : "meet"} nothing but padding.` : "";
  return [`Shared: all rows hold the same blocks, each moved on by the stride: this matrix is the convolution, with `, now, ` weights in ${thousands(model.counts.sparse)} places.${note}`];
}

// What is said of the weight that is lit.
function weightWords(model, members, found, names) {
  const { columns, weights, places } = model;
  const edge = edgeWords(names, columns);
  if (found.own !== undefined) {
    return [`This weight, number ${found.own} of the full matrix, stands at `, "1 place", `: ${edge(found.own)}. It is tied to no other.`];
  }
  const name = `${tieLetter(found.set)} = ${names.weight(found.set)} = ${short(weights[found.set], 4)}`;
  if (!places[found.set].length) return [`${name} stands `, "nowhere", ": it meets nothing but padding."];
  if (!members.length) return [`${name} stands `, "nowhere yet", ": no row shares at this stage."];
  const listed = members.slice(0, 12).map(edge).join(", ");
  const rest = members.length > 12 ? `, … (${members.length - 12} more)` : "";
  return [`${name} stands at `, plural(members.length, "place"), `: ${listed}${rest}.`];
}

function rowWords(model, stage, row, names, y) {
  const { columns, weights } = model;
  const seen = Array.from({ length: columns }, (_, c) => row * columns + c).filter((entry) => entryAt(model, stage, entry));
  const inputs = seen.map((entry) => names.input(entry % columns));
  const listed = inputs.length > 12 ? `${inputs.slice(0, 10).join(", ")}, … (${inputs.length - 10} more)` : inputs.join(", ");
  const shares = row < stage.tied;
  const kind = shares ? `the shared weights ${seen.map((entry) => tieLetter(model.ties[entry])).join(", ")}` : "weights of its own";
  const before = `Output ${names.output(row)} sees ${plural(seen.length, "input")} (${listed}) with ${kind}.`;
  if (!y || !shares) return [before, "", ""];
  const factor = (value) => (value < 0 ? `(${short(value, 4)})` : short(value, 4));
  const terms = seen.map((entry) => `${factor(weights[model.ties[entry]])}·${factor(y.x[entry % columns])}`);
  return [`${before} y = ${terms.join(" + ")} = `, short(y.values[row], 4), ""];
}

function columnWords(model, stage, column, names) {
  const rows = Array.from({ length: model.rows }, (_, r) => r).filter((r) => entryAt(model, stage, r * model.columns + column));
  const listed = rows.slice(0, 12).map(names.output).join(", ") + (rows.length > 12 ? ", …" : "");
  return [`Input ${names.input(column)} is seen by `, plural(rows.length, "output"), rows.length ? `: ${listed}.` : "."];
}

function countWords({ counts, biases }, bias) {
  const total = (name) => counts[name] + (bias ? biases[name] : 0);
  const [full, sparse, shared] = ["full", "sparse", "shared"].map(total);
  const tail = bias ? " (biases counted)" : "";
  return `Parameters${tail}: full ${thousands(full)}, sparse ${thousands(sparse)}, shared ${thousands(shared)}: sharing leaves 1 in ${short(full / shared, 1)}.`;
}

function productWords({ values, slid }) {
  const apart = Math.max(...values.map((value, i) => Math.abs(value - slid[i])));
  return apart < 1e-9 ? "y = W x equals the convolution of x with w." : `y = W x differs from the convolution by ${apart}.`;
}

// ---- show me the code

const python = (value) => JSON.stringify(value).replaceAll(",", ", ");

function numpyListing({ w, n, stride, padding, x }) {
  const rank = n.length;
  const [i, u] = [["i", "j"].slice(0, rank), ["u", "v"].slice(0, rank)];
  const sizes = n.map((_, a) => `(${n[a]} + 2 * ${padding[a]} - w.shape[${a + 2}]) // ${stride[a]} + 1`);
  const spots = i.map((name, a) => `out[${a}]`);
  const from = i.map((name, a) => `${name} * ${stride[a]} + ${u[a]} - ${padding[a]}`);
  const inside = from.map((_, a) => `0 <= r[${a}] < n[${a}]`).join(" and ");
  const given = x.length ? `

x = np.array(${python(x)}, dtype=float)
y = W @ x.ravel()
print(y.reshape(C_out, *out))` : "";
  return `import numpy as np

w = np.array(${python(w)}, dtype=float)  # (C_out, C_in, ${rank === 1 ? "K" : "K_H, K_W"})
n = (${n.join(", ")},)
C_out, C_in, *K = w.shape
out = (${sizes.join(", ")},)

ties = np.full((C_out, *out, C_in, *n), -1)  # -1: no connection
number = np.arange(w.size).reshape(w.shape)
for ${i.join(", ")} in np.ndindex(*out):
    for ${u.join(", ")} in np.ndindex(*K):
        r = (${from.join(", ")},)
        if ${inside}:
            ties[:, ${i.join(", ")}, :, ${rank === 1 ? "r[0]" : "r[0], r[1]"}] = number[:, :, ${u.join(", ")}]
ties = ties.reshape(C_out * ${spots.join(" * ")}, -1)
W = np.append(w.ravel(), 0.0)[ties]

full, sparse, shared = ties.size, (ties >= 0).sum(), w.size
print(W)
print(full, sparse, shared)${given}`.replaceAll(/for (\w) in np/g, "for ($1,) in np");
}

function torchListing({ w, n, stride, padding, x }) {
  const conv = `torch.nn.functional.conv${n.length}d`;
  const given = x.length ? `

x = torch.tensor(${python(x)}, dtype=torch.float64)
y = ${conv}(x[None], w, ${"stride=("}${stride.join(", ")},), padding=(${padding.join(", ")},))[0]
print(y, torch.allclose((W @ x.ravel()).reshape(y.shape), y))` : "";
  return `import torch

w = torch.tensor(${python(w)}, dtype=torch.float64)
n = (${n.join(", ")},)
C_in = w.shape[1]
N = C_in * ${n.map((_, a) => `n[${a}]`).join(" * ")}

# Column by column: what the layer makes of an input that is 1 in one place and 0 elsewhere.
units = torch.eye(N, dtype=torch.float64).reshape(N, C_in, *n)
W = ${conv}(units, w, stride=(${stride.join(", ")},), padding=(${padding.join(", ")},)).reshape(N, -1).T
print(W)
print(W.numel(), w.numel())${given}`;
}
