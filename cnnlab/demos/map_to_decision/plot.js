// The map with the arrows of the gradient back to its cells, and beside it the gradient of every way. A map of one axis is
// drawn as bars, a map of two as a grid of cells.
class MapPlot {
  constructor(shape, rank, pickWay) {
    Object.assign(this, { shape, flat: rank === 1, frozen: null });
    this.title = s("text", { class: "title label" });
    this.axis = s("g", {});
    this.bars = s("g", { class: "bars" });
    this.numbers = s("g", { class: "bar-numbers" });
    this.limit = s("line", { class: "limit" });
    this.limitLabel = s("text", { class: "small label" });
    this.levels = s("g", { class: "levels" });
    this.raising = s("path", { class: "arrow plus" });
    this.lowering = s("path", { class: "arrow minus" });
    this.node = s("g", { class: "node" }, s("rect", { height: 30, rx: 15 }), s("text", { "text-anchor": "middle", class: "strong" }));
    this.picked = s("rect", { class: "picked", rx: 2 });
    this.ghost = s("rect", { class: "ghost", rx: 2, visibility: "hidden" });
    this.area = s("rect", { class: "area" });
    this.grid = new Grid({ name: "map", title: "Map" });
    this.ways = new Map();
    this.absent = s("text", { class: "tick" });
    this.wayNodes = s("g", {}, this.absent);
    const front = this.flat ? [this.title, this.axis, this.bars, this.limit, this.levels, this.numbers, this.limitLabel] : [this.grid.node];
    this.nodes = [...front, this.lowering, this.raising, this.node, this.picked, this.ghost, this.area, this.wayNodes];
    this.pickWay = pickWay;
  }

  layout(width, model) {
    const narrow = width < 620;
    const [rows, columns] = this.shape;
    Object.assign(this, { width, narrow });
    this.bottom = this.flat ? this.layoutBars(columns, model.ways.length) : this.layoutGrid(rows, columns, model.ways.length);
    return this;
  }

  layoutBars(columns, count) {
    const { width, narrow } = this;
    const [left, right] = [40, width - (narrow ? 8 : 108)];
    const [top, bottom] = [26, narrow ? 190 : 226];
    Object.assign(this, { left, right, top, base: bottom, step: (right - left) / columns });
    put(this.area, { x: left, y: top, width: right - left, height: bottom - top });
    put(this.title, { x: left, y: 12, text: `Map: ${plural(columns, "score")}` });
    if (this.bars.children.length !== columns) {
      this.bars.replaceChildren(...Array.from({ length: columns }, () => s("rect", { rx: 1.5 })));
      this.numbers.replaceChildren(...Array.from({ length: columns }, () => s("text", { class: "small label", "text-anchor": "middle" })));
    }
    this.fan = { from: bottom + 24, to: bottom + 84, x: (left + right) / 2 };
    return this.layoutWays(left, this.fan.to + 44, right - left, 1, count);
  }

  layoutGrid(rows, columns, count) {
    const { width, narrow } = this;
    const share = narrow ? width - 4 : width * 0.56;
    const cell = Math.max(12, Math.min(46, Math.floor(share / columns), Math.floor(380 / rows)));
    this.grid.layout({ x: 2, y: 0, cell, rows, columns });
    Object.assign(this, { left: 2, top: this.grid.top, cell, step: cell, right: 2 + columns * cell, base: this.grid.bottom });
    put(this.area, { x: 2, y: this.top, width: columns * cell, height: rows * cell });
    this.fan = { from: null, to: this.base + 40, x: 2 + (columns * cell) / 2 };
    const beside = this.right + 36;
    const under = narrow || width - beside < 220;
    const end = this.layoutWays(under ? 2 : beside, under ? this.fan.to + 48 : 0, width - (under ? 4 : beside), 2, count);
    return Math.max(end, this.fan.to + 34);
  }

  // Where each way's gradient is drawn: strips under one another along the bars, or small maps two in a row.
  layoutWays(x, y, width, perRow, count) {
    this.waysAt = { x, y, width, perRow };
    const [rows, columns] = this.shape;
    const gap = 26;
    const wide = perRow === 1 ? width : (width - gap * (perRow - 1)) / perRow;
    const mini = this.flat ? null : Math.min(wide / columns, 150 / rows);
    this.wayBox = { wide, high: this.flat ? 36 : rows * mini, mini, gap };
    const lines = perRow === 1 ? count : Math.ceil(4 / perRow);
    return y + lines * (this.wayBox.high + 32) + (perRow === 1 && count < 4 ? 36 : 0);
  }

  wayNode(how) {
    if (!this.ways.has(how)) {
      const parts = { name: s("text", { class: "way-name" }), box: s("rect", { class: "way-box", rx: 4 }), plus: s("path", { class: "plus" }), minus: s("path", { class: "minus" }), base: s("path", { class: "grid" }), mark: s("rect", { class: "way-mark", width: 4, rx: 2 }) };
      const node = s("g", { class: "way", "data-way": how, click: () => this.pickWay(how) }, ...Object.values(parts));
      this.wayNodes.append(node);
      this.ways.set(how, { node, ...parts });
    }
    return this.ways.get(how);
  }

  // The middle of a cell, or for bars of its column under the chart.
  target(i) {
    const [row, column] = [Math.floor(i / this.shape[1]), i % this.shape[1]];
    if (this.flat) return [this.left + (i + 0.5) * this.step, this.fan.from];
    return [this.left + (column + 0.5) * this.cell, this.top + (row + 0.86) * this.cell]; // below its number
  }

  cellAt(x, y) {
    const [rows, columns] = this.shape;
    const column = Math.min(Math.max(Math.floor((x - this.left) / this.step), 0), columns - 1);
    const row = this.flat ? 0 : Math.min(Math.max(Math.floor((y - this.top) / this.cell), 0), rows - 1);
    return row * columns + column;
  }

  y(score) {
    return this.base - ((score - this.low) / (this.high - this.low)) * (this.base - this.top);
  }

  scoreAt(y) {
    return this.low + ((this.base - y) / (this.base - this.top)) * (this.high - this.low);
  }

  draw({ model, how, threshold, cell }) {
    if (this.flat) this.drawBars(model, threshold);
    else this.grid.fill(model.y, { words: (value) => short(value, this.cell > 38 ? 2 : 1) });
    this.drawLevels(model);
    const way = model.ways.find((one) => one.how === how);
    this.drawArrows(way);
    this.outline(this.picked, cell, model);
    this.drawWays(model, how);
  }

  drawBars({ y }, threshold) {
    const [low, high] = [Math.min(0, threshold, ...y), Math.max(0, threshold, ...y)];
    const margin = 0.12 * (high - low || 1);
    // While a bar is dragged the axis stays, or the bar would run away from the hand; it only grows.
    const span = [low - margin, high + margin];
    [this.low, this.high] = this.frozen ? [Math.min(this.frozen[0], span[0]), Math.max(this.frozen[1], span[1])] : span;
    const zero = this.y(0);
    const widest = this.step * (this.step > 6 ? 0.72 : 0.9);
    const fits = this.step >= 36;
    y.forEach((value, i) => {
      const level = this.y(value);
      const x = this.left + (i + 0.5) * this.step;
      put(this.bars.children[i], { x: x - widest / 2, y: Math.min(zero, level), width: widest, height: Math.max(1.5, Math.abs(level - zero)), class: value > threshold ? "above" : null });
      put(this.numbers.children[i], { x, y: value >= 0 ? level - 5 : level + 14, text: fits ? short(value, 1) : "" });
    });
    const grid = ticks(this.low, this.high, 5);
    const lines = grid.values.map((value) => s("line", { class: "grid", x1: this.left, x2: this.right, y1: this.y(value), y2: this.y(value) }));
    const labels = grid.values.map((value) => s("text", { class: "tick", x: this.left - 6, y: this.y(value) + 4, "text-anchor": "end", text: number(value, grid.digits) }));
    const every = Math.max(1, Math.ceil(26 / this.step));
    const places = y.map((_, i) => (i % every ? null : s("text", { class: "tick", x: this.left + (i + 0.5) * this.step, y: this.base + 16, "text-anchor": "middle", text: String(i) })));
    this.axis.replaceChildren(...lines, ...labels, ...places.filter(Boolean));
    put(this.limit, { x1: this.left, x2: this.right, y1: this.y(threshold), y2: this.y(threshold) });
    put(this.limitLabel, { x: this.left + 4, y: this.y(threshold) - 5, text: `threshold ${number(threshold, 2)}` });
  }

  // How high each way's answer lies among the bars; labels that would touch are moved apart.
  drawLevels({ ways }) {
    if (!this.flat || this.narrow) return this.levels.replaceChildren();
    const inside = ways.filter(({ Y }) => Number.isFinite(Y) && Y >= this.low && Y <= this.high).map(({ how, Y }) => ({ how, Y, level: this.y(Y) }));
    inside.sort((a, b) => a.level - b.level);
    let last = -Infinity;
    for (const one of inside) {
      one.text = Math.max(one.level, last + 16);
      last = one.text;
    }
    const marks = inside.flatMap(({ how, Y, level, text }) => [
      s("path", { class: "level", d: `M${this.right - 6} ${level}H${this.right + 4}L${this.right + 14} ${text}` }),
      s("text", { class: "small", x: this.right + 18, y: text + 4, text: `${NAMES[how]} ${shown(Y)}` }),
    ]);
    return this.levels.replaceChildren(...marks);
  }

  // From the answer back to the cells: the wider, the more that score moves the answer; hollow where it lowers it.
  drawArrows({ how, Y, gradient }) {
    const most = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const [x, y] = [this.fan.x, this.fan.to];
    const paths = ["", ""];
    gradient.forEach((value, i) => {
      const share = Math.abs(value) / most;
      if (share > (this.flat ? 0.01 : 0.03)) paths[Number(value < 0)] += arrow([x, y], this.target(i), 0.6 + 5.4 * share, value < 0);
    });
    put(this.raising, { d: paths[0] });
    put(this.lowering, { d: paths[1] });
    const text = `${NAMES[how]}: Y = ${shown(Y)}`;
    const wide = text.length * 8.4 + 28;
    const left = Math.max(2, x - wide / 2);
    put(this.node.children[0], { x: left, y, width: wide });
    put(this.node.children[1], { x: left + wide / 2, y: y + 20, text });
  }

  drawWays({ ways }, chosen) {
    const { x, y, perRow } = this.waysAt;
    const { wide, high, gap } = this.wayBox;
    ways.forEach((way, k) => {
      const { how, Y, gradient, found } = way;
      const parts = this.wayNode(how);
      const [left, top] = [x + (k % perRow) * (wide + gap), y + Math.floor(k / perRow) * (high + 32)];
      const answer = Number.isNaN(Y) ? "no answer" : `${found ? "✓ yes" : "✗ no"}`;
      const most = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const largest = this.flat && !this.narrow ? `   dY/dy, largest ${slope(most)}` : "";
      put(parts.name, { x: left, y: top + 13, text: `${NAMES[how]}  ${shown(Y)}  ${answer}${largest}` });
      put(parts.node, { "data-chosen": how === chosen ? true : null });
      const size = this.flat ? [wide, high] : [this.shape[1] * this.wayBox.mini, high];
      put(parts.box, { x: left, y: top + 20, width: size[0], height: size[1] });
      put(parts.mark, { x: left - 9, y: top + 2, height: size[1] + 18 });
      const [plus, minus, base] = this.flat ? strip(gradient, left, top + 20, this.step, high) : squares(gradient, this.shape, left, top + 20, this.wayBox.mini);
      put(parts.plus, { d: plus });
      put(parts.minus, { d: minus });
      put(parts.base, { d: base });
    });
    const [left, top] = [x + (ways.length % perRow) * (wide + gap), y + Math.floor(ways.length / perRow) * (high + 32)];
    const lines = ways.length < 4 ? ["MLP: none was given;", "pass mlp=[(W, b), …]"] : [];
    this.absent.replaceChildren(...lines.map((text, i) => s("tspan", { x: left, y: top + 13 + 17 * i, text })));
  }

  outline(node, cell, { y }) {
    put(node, { visibility: cell === null ? "hidden" : null });
    if (cell === null) return;
    if (!this.flat) {
      const [row, column] = [Math.floor(cell / this.shape[1]), cell % this.shape[1]];
      put(node, { x: this.left + column * this.cell, y: this.top + row * this.cell, width: this.cell, height: this.cell });
      return;
    }
    const [from, to] = [this.y(0), this.y(y[cell])].sort((a, b) => a - b);
    put(node, { x: this.left + cell * this.step + 1, y: from - 2, width: Math.max(3, this.step - 2), height: to - from + 4 });
  }
}

// The outline of an arrow with a head; a hollow one has a single line for its shaft.
function arrow([x, y], [toX, toY], thick, hollow) {
  const [dx, dy] = [toX - x, toY - y];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const head = 2.4 + thick;
  const at = (along, aside) => `${(toX - ux * along - uy * aside).toFixed(1)} ${(toY - uy * along + ux * aside).toFixed(1)}`;
  const back = head * 1.6;
  const tip = `M${at(back, head)}L${at(0, 0)}L${at(back, -head)}`;
  if (hollow) return `${tip}ZM${at(back, 0)}L${x.toFixed(1)} ${y.toFixed(1)}`;
  const half = thick / 2;
  return `${tip}L${at(back, -half)}L${at(length, -half)}L${at(length, half)}L${at(back, half)}Z`;
}

// Gradients as bars along the cells: up where a larger score raises the answer, down where it lowers it.
function strip(gradient, left, top, step, high) {
  const most = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  if (!Number.isFinite(most)) return ["", "", ""];
  const [up, down] = [Math.max(0, ...gradient), Math.max(0, ...gradient.map((value) => -value))];
  const unit = (high - 4) / (up + down || 1);
  const zero = top + 2 + up * unit;
  const wide = step * (step > 6 ? 0.72 : 0.9);
  const bar = (value, i) => {
    const x = left + (i + 0.5) * step - wide / 2;
    return `M${x} ${zero}h${wide}v${-value * unit}h${-wide}Z`;
  };
  const paths = [(value) => value > 0, (value) => value < 0].map((keep) => gradient.map((value, i) => (keep(value) ? bar(value, i) : "")).join(""));
  return [...paths, `M${left} ${zero}h${gradient.length * step}`];
}

// Gradients as squares in the cells of a small map: the area is the size, hollow where it lowers the answer.
function squares(gradient, [, columns], left, top, mini) {
  const most = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  if (!Number.isFinite(most)) return ["", "", ""];
  const square = (value, i) => {
    const size = (mini - 2) * Math.sqrt(Math.abs(value) / (most || 1));
    if (size < 0.4) return "";
    const [x, y] = [left + ((i % columns) + 0.5) * mini - size / 2, top + (Math.floor(i / columns) + 0.5) * mini - size / 2];
    return `M${x} ${y}h${size}v${size}h${-size}Z`;
  };
  return [gradient.map((value, i) => (value > 0 ? square(value, i) : "")).join(""), gradient.map((value, i) => (value < 0 ? square(value, i) : "")).join(""), ""];
}
