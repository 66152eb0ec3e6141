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
    this.node = s(
      "g",
      { class: "node" },
      s("rect", { height: 30, rx: 15 }),
      s("text", { "text-anchor": "middle", class: "strong" }),
    );
    this.picked = s("rect", { class: "picked", rx: 2 });
    this.ghost = s("rect", { class: "ghost", rx: 2, visibility: "hidden" });
    this.area = s("rect", { class: "area" });
    this.grid = new Grid({ name: "map", title: "Map" });
    this.ways = new Ways(shape, this.flat, pickWay);
    const front = this.flat
      ? [this.title, this.axis, this.bars, this.limit, this.levels, this.numbers, this.limitLabel]
      : [this.grid.node];
    this.nodes = [...front, this.lowering, this.raising, this.node, this.picked, this.ghost, this.area, this.ways.node];
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
      this.numbers.replaceChildren(
        ...Array.from({ length: columns }, () => s("text", { class: "small label", "text-anchor": "middle" })),
      );
    }
    this.fan = { from: bottom + 24, to: bottom + 84, x: (left + right) / 2 };
    return this.ways.layout({ x: left, y: this.fan.to + 44, width: right - left, count, step: this.step, narrow });
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
    const end = this.ways.layout({
      x: under ? 2 : beside,
      y: under ? this.fan.to + 48 : 0,
      width: width - (under ? 4 : beside),
      count,
      narrow,
    });
    return Math.max(end, this.fan.to + 34);
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
    this.ways.draw(model.ways, how);
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
      put(this.bars.children[i], {
        x: x - widest / 2,
        y: Math.min(zero, level),
        width: widest,
        height: Math.max(1.5, Math.abs(level - zero)),
        class: value > threshold ? "above" : null,
      });
      put(this.numbers.children[i], { x, y: value >= 0 ? level - 5 : level + 14, text: fits ? short(value, 1) : "" });
    });
    const grid = ticks(this.low, this.high, 5);
    const lines = grid.values.map((value) =>
      s("line", { class: "grid", x1: this.left, x2: this.right, y1: this.y(value), y2: this.y(value) }),
    );
    const labels = grid.values.map((value) =>
      s("text", {
        class: "tick",
        x: this.left - 6,
        y: this.y(value) + 4,
        "text-anchor": "end",
        text: number(value, grid.digits),
      }),
    );
    const every = Math.max(1, Math.ceil(26 / this.step));
    const places = y.map((_, i) =>
      i % every
        ? null
        : s("text", {
            class: "tick",
            x: this.left + (i + 0.5) * this.step,
            y: this.base + 16,
            "text-anchor": "middle",
            text: String(i),
          }),
    );
    this.axis.replaceChildren(...lines, ...labels, ...places.filter(Boolean));
    put(this.limit, { x1: this.left, x2: this.right, y1: this.y(threshold), y2: this.y(threshold) });
    put(this.limitLabel, { x: this.left + 4, y: this.y(threshold) - 5, text: `threshold ${number(threshold, 2)}` });
  }

  // How high each way's answer lies among the bars; labels that would touch are moved apart.
  drawLevels({ ways }) {
    if (!this.flat || this.narrow) return this.levels.replaceChildren();
    const inside = ways
      .filter(({ Y }) => Number.isFinite(Y) && Y >= this.low && Y <= this.high)
      .map(({ how, Y }) => ({ how, Y, level: this.y(Y) }));
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
    const drawn = [...gradient.keys()].filter((i) => Math.abs(gradient[i]) > (this.flat ? 0.01 : 0.03) * most);
    const thickest = Math.min(6, 0.35 * this.step, 240 / drawn.length); // many arrows must not run into one another
    for (const i of drawn) {
      const thick = Math.max(0.4, (thickest * Math.abs(gradient[i])) / most);
      paths[Number(gradient[i] < 0)] += arrow(
        [x, y],
        this.target(i),
        thick,
        Math.min(2.4 + thick, 0.45 * this.step),
        gradient[i] < 0,
      );
    }
    const style = !this.flat && drawn.length > 120 ? "opacity: 0.25" : null; // so many would hide the map
    put(this.raising, { d: paths[0], style });
    put(this.lowering, { d: paths[1], style });
    const text = `${NAMES[how]}: Y = ${shown(Y)}`;
    const wide = text.length * 8.4 + 28;
    const left = Math.max(2, x - wide / 2);
    put(this.node.children[0], { x: left, y, width: wide });
    put(this.node.children[1], { x: left + wide / 2, y: y + 20, text });
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
