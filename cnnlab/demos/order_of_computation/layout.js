// Where each number of a panel stands: every layer lies over the inputs that it looks at, at the same scale, so that a
// unit is as wide as its step in inputs and sits over the middle of what it sees (deck row D18).
const LABELS = 58;

function layoutNet({ geometry, layers, channels }, { x, y, width }) {
  const { maps, size } = geometry;
  const rank = size.length;
  const counts = [channels, ...layers.map(({ features }) => features)];
  const wide = rank === 1 ? 1 : Math.max(...counts);
  const gap = 8;
  const room = (width - LABELS - gap * (wide - 1)) / (wide * size[rank - 1]);
  const cell = rank === 1 ? room : Math.min(room, 15);
  let top = y;
  return maps.map((places, i) => {
    const { from, count } = fieldOf(layers, i, Array(rank).fill(0));
    const jumps = places.map((_, a) => geometry.above[0][a] / geometry.above[i][a]);
    const shift = jumps.map((jump, a) => from[a] + (count[a] - jump) / 2); // of place 0, in inputs
    const row = i ? (counts[i] > 4 ? 13 : 18) : Math.min(18, Math.max(4, 60 / channels));
    const layer = { index: i, places, counts: counts[i], size, cell, jumps, rank, top, x: x + LABELS, row, shift, gap };
    layer.height = rank === 1 ? counts[i] * row : size[0] * cell;
    layer.width = rank === 1 ? size[0] * cell : counts[i] * size[1] * cell + (counts[i] - 1) * gap;
    top += layer.height + (rank === 1 ? 22 : 12);
    return layer;
  });
}

// The rectangle of a stretch of places of one neuron; place and count hold one entry an axis.
function boxOf(layer, neuron, place, count = place.map(() => 1)) {
  const { cell, jumps, shift, x, top, row, rank, gap } = layer;
  const along = (a) => ({ from: (shift[a] + place[a] * jumps[a]) * cell, size: count[a] * jumps[a] * cell });
  if (rank === 1) {
    const { from, size } = along(0);
    return { x: x + from, y: top + neuron * row, width: size, height: row };
  }
  const [down, right] = [along(0), along(1)];
  const offset = neuron * (layer.size[1] * cell + gap);
  return { x: x + offset + right.from, y: top + down.from, width: right.size, height: down.size };
}

// The same stretch in every map of the layer: one rectangle over all neurons on one axis, one a map on two.
function regionOf(layer, place, count) {
  if (layer.rank > 1) return Array.from({ length: layer.counts }, (_, d) => boxOf(layer, d, place, count));
  const box = boxOf(layer, 0, place, count);
  return [{ ...box, height: layer.counts * layer.row }];
}
