// The sentences and the code: the same numbers as in the picture.
function probability(score) {
  const p = 1 / (1 + Math.exp(-score));
  if (p > 0.999) return "> 0.999";
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

const at = (row, column) => `row ${short(row, 1)}, column ${short(column, 1)}`;

// As many decimals as tell the scores apart.
function decimals(low, high) {
  const range = high - low;
  return range > 0 && Number.isFinite(range) ? Math.min(6, Math.max(2, 2 - Math.floor(Math.log10(range)))) : 2;
}

function windowWords({ model, window, threshold, digits }, score) {
  const { shape, size, layers } = model;
  const inputs = shape[0] * size[0] * size[1];
  const sizes = [inputs, ...layers.map(({ bias }) => bias.length)].join(" → ");
  const channels = shape[0] === 1 ? "" : `${shape[0]} colors × `;
  const before = `Window at ${at(...window)}: ${channels}${size[0]} × ${size[1]} pixels = ${inputs} numbers → net ${sizes} → score `;
  if (score === null) return { before, score: "", after: "not yet computed." };
  const side = score > threshold ? "above" : "not above";
  const after = ` (probability ${probability(score)}), ${side} the threshold ${number(threshold, digits)}.`;
  return { before, score: signed(score, digits), after };
}

// What the map says, how far that is from the truth, and what the last change cost.
function verdictWords({ decision, map, count, model, stride, threshold, digits, truth }) {
  const { best, above, known, found } = decision;
  if (best < 0) return "No score is computed yet.";
  const [row, column] = centerOf(best, map.shape, stride, model.size);
  const all = map.values.length;
  const scanned = count < all ? ` of ${thousands(all)} scanned so far` : "";
  const brightest = `The brightest of ${plural(known, "window")}${scanned} is ${signed(map.values[best], digits)}, with its center at ${at(row, column)}`;
  const comparison = `${found ? "" : "not "}above ${number(threshold, digits)}, so the answer is ${found ? "yes" : "no"}`;
  const distance = truth ? Math.hypot(row - truth.row, column - truth.column) : 0;
  const off = truth ? ` The flower’s center is at ${at(truth.row, truth.column)}: ${short(distance, 1)} pixels away.` : "";
  return `${brightest}; it is ${comparison}.${off} ${plural(above, "window")} above the threshold.`;
}

// The center of the window of a cell of the map, in pixels; pixel (r, c) is centered on (r, c).
function centerOf(cell, [, columns], stride, size) {
  const [i, j] = [Math.floor(cell / columns) * stride[0], (cell % columns) * stride[1]];
  return [i + (size[0] - 1) / 2, j + (size[1] - 1) / 2];
}

const millions = (count) => (count >= 1e5 ? `${(count / 1e6).toFixed(1)} million` : thousands(count));

function costWords({ spent, whole }, left) {
  if (left) return `${plural(left, "window")} not yet computed (hatched).`;
  return `Last change: ${millions(spent)} multiply-adds in the first layer; all windows from scratch are ${millions(whole)}.`;
}

// The lines that make the picture as it stands.
function pictureLines({ model, shift, flower_at: place }) {
  if (model.sprite) {
    const [height, width] = model.sprite.size;
    return `# image: shape (${model.shape.join(", ")}), values 0 … 1; flower: (${model.shape[0] + 1}, ${height}, ${width}), the last channel its opacity
x = image.copy()
patch, mask = flower[:-1], flower[-1]
rows, columns = slice(${place[0]}, ${place[0] + height}), slice(${place[1]}, ${place[1] + width})
x[:, rows, columns] = x[:, rows, columns] * (1 - mask) + patch * mask`;
  }
  const moved = shift.some(Boolean) ? `np.roll(image, (${shift.join(", ")}), axis=(1, 2))` : "image";
  return `# image: shape (${model.shape.join(", ")}), values 0 … 1
x = ${moved}`;
}

function numpyListing(view) {
  const { model, stride, threshold } = view;
  const [[channels], [height, width], [down, right]] = [model.shape, model.size, stride];
  const inputs = channels * height * width;
  return `import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

${pictureLines(view)}

# layers: [(W, b), …], W of shape (out, in); the first takes ${channels} × ${height} × ${width} = ${inputs} numbers
windows = sliding_window_view(x, (${height}, ${width}), axis=(1, 2))[:, ::${down}, ::${right}]  # (${channels}, H', W', ${height}, ${width})
v = windows.transpose(1, 2, 0, 3, 4).reshape(-1, ${inputs})  # (H'·W', ${inputs}), C order
for i, (W, b) in enumerate(layers):
    if i > 0:
        v = np.maximum(v, 0)
    v = v @ W.T + b
scores = v[:, 0].reshape(windows.shape[1:3])  # the map

row, column = np.unravel_index(scores.argmax(), scores.shape)
found = scores.max() > ${threshold}
print(f"brightest {scores.max():+.2f}, window at row {row * ${down}}, column {column * ${right}}, flower: {found}")`;
}

function torchListing(view) {
  const { model, stride, threshold } = view;
  const [[channels], [height, width], [down, right]] = [model.shape, model.size, stride];
  const inputs = channels * height * width;
  const lines = pictureLines(view).replace("image.copy()", "image.clone()").replace("np.roll(image, (", "torch.roll(image, (").replace("axis=", "dims=");
  return `import torch

${lines}

# net: torch.nn.Sequential of Linear and ReLU, ${inputs} inputs
windows = x.unfold(1, ${height}, ${down}).unfold(2, ${width}, ${right})  # (${channels}, H', W', ${height}, ${width})
v = windows.permute(1, 2, 0, 3, 4).flatten(2)  # (H', W', ${inputs}), C order
with torch.no_grad():
    scores = net(v)[:, :, 0]  # the map

row, column = divmod(int(scores.argmax()), scores.shape[1])
found = bool(scores.max() > ${threshold})
print(f"brightest {scores.max():+.2f}, window at row {row * ${down}}, column {column * ${right}}, flower: {found}")`;
}
