// The grids and where they stand: above the input, one window, the output and what is kept beside it; below, in the
// same columns, the gradients or the shifted input. Above goes from left to right, gradients from right to left.
const PLAIN = () => null; // no color: the number alone

class PoolPlot {
  constructor(view) {
    const grid = (name, title, hands = {}, size) => new Grid({ name, title, ...hands, ...(size === undefined ? {} : { size }) });
    const pick = { onPick: (row, column) => view.pick(row, column) };
    const point = (which) => ({ onPoint: (row, column) => view.point(which, row, column) });
    const padded = () => view.inputSize();
    this.input = grid("input", "Input x", { onEdit: (...cell) => view.editInput(...cell), ...point("input") }, padded);
    this.window = grid("window", "Window");
    this.output = grid("output", "Output y", { ...pick, ...point("output") });
    this.kept = grid("kept", "Kept", {}, "");
    this.dx = grid("dx", "Gradient dx", point("dx"), padded);
    this.share = grid("share", "Shares");
    this.dy = grid("dy", "Upstream dy", { onEdit: (...cell) => view.editUpstream(...cell), ...point("dy") });
    this.moved = grid("moved", "Shifted x", point("moved"), padded);
    this.movedWindow = grid("moved-window", "Window");
    this.movedOutput = grid("moved-output", "Its output", point("moved-output"));
    this.difference = grid("difference", "Unchanged", {}, "");
    this.rows = {
      forward: [this.input, this.window, this.output, this.kept],
      backward: [this.dx, this.share, this.dy],
      shift: [this.moved, this.movedWindow, this.movedOutput, this.difference],
    };
    this.nodes = {};
    this.signs = {};
    for (const [name, grids] of Object.entries(this.rows)) {
      this.signs[name] = grids.slice(1).map(() => s("text", { class: "operator" }));
      this.nodes[name] = s("g", { class: `row ${name}` }, ...grids.map(({ node }) => node), ...this.signs[name]);
    }
    this.drag(view);
  }

  // ---- places

  // The places of the grids for a size of cell: as many on a line as the width takes.
  flow(shapes, cell, width, gap) {
    let [x, y, tall] = [2, 2, 0];
    const places = shapes.map(([rows, columns]) => {
      const wide = columns * cell;
      if (x > 2 && x + wide > width - 2) [x, y, tall] = [2, y + tall + 14, 0];
      const at = { x, y, cell, rows, columns };
      x += wide + gap;
      tall = Math.max(tall, 22 + rows * cell);
      return at;
    });
    return { places, bottom: y + tall, right: Math.max(...places.map((at) => at.x + at.columns * cell)) };
  }

  layout(width, { padded, beyond, axes, outputs, how }, view) {
    this.kept.title = how === "max" ? "Winner’s index" : "Divided by";
    const whole = padded.map((size, i) => size + beyond[i]);
    const window = axes.map(({ kernel }) => kernel);
    const out = outputs.map((size) => Math.max(size, 1));
    const shapes = [whole, window, out, out];
    const gap = width < 560 ? 22 : 60;
    const most = width < 560 ? 44 : 52;
    let cell = most;
    const fits = (size) => {
      const { bottom, right } = this.flow(shapes, size, width, gap);
      return right <= width - 2 && bottom <= (width < 560 ? 560 : 330);
    };
    while (cell > 13 && !fits(cell)) cell -= 1;
    const { places, bottom } = this.flow(shapes, cell, width, gap);
    const signs = { forward: "→", backward: "←", shift: "→" };
    let low = 0;
    for (const [name, grids] of Object.entries(this.rows)) {
      const shown = name === "forward" || name === view;
      put(this.nodes[name], { display: shown ? null : "none" });
      if (!shown) continue;
      const top = name === "forward" ? 0 : bottom + 18;
      grids.forEach((grid, i) => grid.layout({ ...places[i], y: places[i].y + top }));
      this.signs[name].forEach((sign, i) => {
        const [before, at] = [grids[i], grids[i + 1]];
        const level = at.top + Math.min(at.rows, before.rows) * (cell / 2) + 8;
        const beside = before.y === at.y && gap > 40 && i < 2;
        put(sign, { x: at.x - gap / 2, y: level, text: beside ? signs[name] : "" });
      });
      low = top + bottom;
    }
    return low + 6;
  }

  // ---- numbers

  fillForward(model, step, { whole, includePad }) {
    const { how, axes, windows, output, sizes } = model;
    const { taps, winner, equal } = windows[step];
    const scale = this.scale(model);
    this.fillInput(this.input, model, { step, scale, includePad });
    const outside = (value, where) => value ?? outsideValue(how, where, includePad);
    const kind = (i) => (taps[i].where !== "input" ? taps[i].where : how === "max" && i !== winner && equal.includes(i) ? "tied" : null);
    this.window.fill(taps.map(({ value, where }) => outside(value, where)), { scale, words: inCell, kind });
    this.output.fill(output.map((value, i) => (whole || i <= step ? value : null)), { scale, words: inCell });
    const kept = windows.map((entry, i) => (whole || i <= step ? this.remembered(entry, sizes) : null));
    const kinds = (i) => (kept[i] === null ? "empty" : "plain");
    this.kept.fill(kept, { scale: PLAIN, words: (value) => (value < 0 ? "none" : String(value)), kind: kinds });
    this.frames(this.input, model, step);
    const columns = axes[1].kernel;
    this.window.frame("winner", how === "max" && winner >= 0 ? { row: Math.floor(winner / columns), column: winner % columns } : null);
    this.output.frame("window", { row: windows[step].position[0], column: windows[step].position[1] });
  }

  // What the backward pass needs of a window: where its maximum stood, or how many cells its mean counts.
  remembered({ winner, taps, divisor }, sizes) {
    if (divisor !== undefined) return divisor;
    return winner < 0 ? -1 : taps[winner].row * sizes[1] + taps[winner].column;
  }

  // The input with its padding and what lies beyond.
  fillInput(grid, model, { step, scale, includePad }) {
    const { how, axes, sizes, padded, beyond, unused, x, windows } = model;
    const shape = padded.map((size, i) => size + beyond[i]);
    const { taps, position } = windows[step];
    const tapped = new Set(taps.map(({ row, column }) => `${row},${column}`));
    const cells = [...positions(shape)].map(([r, c]) => {
      const [row, column] = [r - axes[0].padding, c - axes[1].padding];
      const inside = row >= 0 && column >= 0 && row < sizes[0] && column < sizes[1];
      const where = inside ? null : r >= padded[0] || c >= padded[1] ? "beyond" : "padding";
      const skipped = this.within([r, c], axes, position) && !tapped.has(`${row},${column}`);
      const idle = r >= shape[0] - unused[0] || c >= shape[1] - unused[1];
      return { where, skipped, idle, value: inside ? x[row][column] : outsideValue(how, where, includePad) };
    });
    const kind = (i) => cells[i].where ?? (cells[i].skipped ? "skipped" : null);
    grid.fill(cells.map(({ value }) => value), { scale, words: inCell, kind, hatched: (i) => cells[i].idle });
  }

  within(cell, axes, position) {
    return axes.every(({ stride, kernel, dilation }, i) => {
      const offset = cell[i] - position[i] * stride;
      return offset >= 0 && offset < extent(kernel, dilation);
    });
  }

  // The window and its winner on a grid of the input.
  frames(grid, { axes, windows, how }, step) {
    const { position, taps, winner } = windows[step];
    const [rows, columns] = axes.map(({ kernel, dilation }) => extent(kernel, dilation));
    const [row, column] = position.map((p, i) => p * axes[i].stride);
    grid.frame("window", { row, column, rows, columns });
    const won = how === "max" && winner >= 0 ? taps[winner] : null;
    grid.frame("winner", won && { row: won.row + axes[0].padding, column: won.column + axes[1].padding });
  }

  // A dot under a number for each window that it wins.
  wins(grid, { axes, windows, sizes, how }, upto) {
    const counts = new Map();
    for (const { winner, taps } of windows.slice(0, upto + 1)) {
      if (how !== "max" || winner < 0) continue;
      const cell = taps[winner].row * sizes[1] + taps[winner].column;
      counts.set(cell, (counts.get(cell) ?? 0) + 1);
    }
    const marks = [...counts].map(([cell, count]) => {
      const [row, column] = unravel(cell, sizes);
      return { row: row + axes[0].padding, column: column + axes[1].padding, count };
    });
    grid.dots("wins", marks);
  }

  fillBackward(model, dy, step, { values, from, final }) {
    const { how, axes, windows, sizes, padded, beyond } = model;
    const limit = Math.max(...dy.map(Math.abs), ...[...values].map(Math.abs));
    const scale = centered(limit);
    const shape = padded.map((size, i) => size + beyond[i]);
    const cells = [...positions(shape)].map(([r, c]) => {
      const [row, column] = [r - axes[0].padding, c - axes[1].padding];
      if (row < 0 || column < 0 || row >= sizes[0] || column >= sizes[1]) return { value: null, kind: "padding" };
      const cell = row * sizes[1] + column;
      return { value: from[cell].length || final[cell] ? values[cell] : null, kind: null };
    });
    this.dx.fill(cells.map(({ value }) => value), { scale, words: inCell, kind: (i) => cells[i].kind });
    const { taps, winner, counted } = windows[step];
    const gets = (i) => (how === "max" ? taps[i].where === "input" : counted[i]);
    const parts = shares(windows[step], dy[step], how).map((part, i) => (gets(i) ? part : null));
    const kind = (i) => (taps[i].where === "input" ? null : taps[i].where);
    this.share.fill(parts, { scale, words: inCell, kind, hatched: (i) => parts[i] !== null && taps[i].where !== "input" });
    this.dy.fill(dy, { scale, words: inCell });
    this.frames(this.dx, model, step);
    const columns = axes[1].kernel;
    this.share.frame("winner", how === "max" && winner >= 0 ? { row: Math.floor(winner / columns), column: winner % columns } : null);
    this.dy.frame("window", { row: windows[step].position[0], column: windows[step].position[1] });
  }

  fillShift(before, after, step, includePad) {
    const scale = this.scale(before);
    const { taps, winner, position } = after.windows[step];
    this.fillInput(this.moved, after, { step, scale, includePad });
    const kind = (i) => (taps[i].where === "input" ? null : taps[i].where);
    this.movedWindow.fill(taps.map(({ value, where }) => value ?? outsideValue(after.how, where, includePad)), { scale, words: inCell, kind });
    this.movedOutput.fill(after.output, { scale, words: inCell });
    const kept = before.output.map((value, i) => (same(value, after.output[i]) ? 1 : 0));
    const marks = (i) => (kept[i] ? "plain kept" : "plain changed");
    this.difference.fill(kept, { scale: PLAIN, words: (value) => (value ? "✓" : "✗"), kind: marks });
    this.frames(this.moved, after, step);
    this.wins(this.moved, after, after.windows.length - 1);
    const columns = after.axes[1].kernel;
    this.movedWindow.frame("winner", after.how === "max" && winner >= 0 ? { row: Math.floor(winner / columns), column: winner % columns } : null);
    for (const grid of [this.movedOutput, this.difference]) grid.frame("window", { row: position[0], column: position[1] });
  }

  // One scale for inputs and outputs, so that a number keeps its color; −∞ has none.
  scale({ x, output }) {
    const color = scaleFor([...x.flat(), ...output.filter(Number.isFinite)]);
    return (value) => (Number.isFinite(value) ? color(value) : null);
  }

  empty(model) {
    for (const grids of Object.values(this.rows)) {
      for (const grid of grids) {
        if (grid === this.input || !grid.rows) continue;
        grid.fill(Array(grid.rows * grid.columns).fill(null));
      }
    }
    for (const grid of Object.values(this.rows).flat()) {
      for (const kind of ["window", "winner"]) grid.frame(kind, null);
      grid.dots("wins", []);
    }
    const color = scaleFor(model.x.flat());
    const { padded, axes } = model;
    const value = ([r, c]) => model.x[r - axes[0].padding]?.[c - axes[1].padding] ?? null;
    const cells = [...positions(padded)].map(value);
    this.input.fill(cells, { scale: color, words: inCell, kind: (i) => (cells[i] === null ? "padding" : null) });
  }

  // ---- hands

  // Take the shifted input and pull it by whole cells.
  drag(view) {
    const { node } = this.moved;
    node.classList.add("draggable");
    node.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const [from, x, y] = [view.shift, event.clientX, event.clientY];
      const pull = (moved) => {
        const cells = [moved.clientY - y, moved.clientX - x].map((way) => Math.round(way / this.moved.cell));
        view.moveTo([from[0] + cells[0], from[1] + cells[1]]);
      };
      const release = () => node.removeEventListener("pointermove", pull);
      node.setPointerCapture(event.pointerId);
      node.addEventListener("pointermove", pull);
      node.addEventListener("pointerup", release, { once: true });
      node.addEventListener("pointercancel", release, { once: true });
    });
  }
}

// What a cell outside the input counts as: −∞ for a maximum, 0 for a mean that counts the padding, else nothing.
function outsideValue(how, where, includePad) {
  if (how === "max") return -Infinity;
  return where === "padding" && includePad ? 0 : null;
}
