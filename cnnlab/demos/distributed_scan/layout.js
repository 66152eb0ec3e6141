// Where places and units of the window's net stand: each block of a level over the inputs that it looks at.
const LETTERS = ["A", "B", "C"];
const LETTER_ROOM = 15;

// height: what the diagram may take; the gaps between levels grow with it.
function layoutWiring({ inside, layers, x: input }, { x, y, width, height }) {
  const { maps, above, size } = inside;
  const rank = size.length;
  const counts = [input.shape[0], ...layers.map(({ features }) => features)];
  const cell = rank === 1 ? width / size[0] : Math.min(26, width / size[1], 180 / size[0]);
  const levels = maps.map((places, i) => {
    const jumps = places.map((_, a) => above[0][a] / above[i][a]);
    const { from, count } = fieldOf(layers, i, places.map(() => 0));
    const wide = boxWidth({ i, places, rank, cell, units: counts[i], step: jumps[rank - 1] * cell, whole: size[rank - 1] * cell });
    const columns = i ? Math.max(1, Math.min(counts[i], Math.floor(wide / 14))) : 1;
    const rows = Math.ceil(counts[i] / columns);
    const high = i ? rows * 15 + LETTER_ROOM + 5 : rank === 1 ? Math.max(20, Math.min(80, 10 * counts[0])) : cell;
    const pitch = rank === 1 ? [0, jumps[0] * cell] : i ? [high + 6, wide + 6] : [cell, cell];
    const level = { i, places, units: counts[i], rows, columns, rank, pitch, wide, high };
    const middle = (from[0] + count[0] / 2) * cell;
    level.x = rank === 1 ? x + middle : x + (width - (places[1] - 1) * pitch[1]) / 2;
    level.height = (rank === 1 ? 0 : (places[0] - 1) * pitch[0]) + high;
    return level;
  });
  const used = levels.reduce((sum, level) => sum + level.height, 0);
  const [least, most] = rank === 1 ? [46, 92] : [24, 60];
  const gap = Math.min(most, Math.max(least, (height - used) / layers.length));
  levels.reduce((down, level) => Object.assign(level, { y: down }).y + level.height + gap, y);
  return levels;
}

function boxWidth({ i, places, rank, cell, units, step, whole }) {
  if (!i) return cell;
  if (rank === 2) return Math.max(30, Math.min(units, 4) * 15 + 6);
  return product(places) === 1 ? Math.min(whole, units * 30 + 14) : step - 5;
}

function blockBox({ rank, pitch, wide, high, x, y }, place) {
  const [row, column] = rank === 1 ? [0, place[0]] : place;
  return { x: x + column * pitch[1] - wide / 2, y: y + row * pitch[0], width: wide, height: high };
}

// The middle of unit d in its block; the channels of an input are strips of its cell.
function unitAt(level, d, place) {
  const box = blockBox(level, place);
  const { columns, rows, units, i } = level;
  const [row, column] = [Math.floor(d / columns), d % columns];
  const inRow = row === rows - 1 ? units - row * columns : columns;
  const top = i ? LETTER_ROOM : 0;
  return [box.x + ((column + 0.5) / inRow) * box.width, box.y + top + ((row + 0.5) / rows) * (box.height - top - (i ? 3 : 0))];
}
