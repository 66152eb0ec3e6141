// One step of training: the loss after it against the step size, and the copies of each weight after it, once tied and
// once each on its own.
const RULES = [
  ["sum", "sum, tied"],
  ["separate", "each copy alone"],
  ["mean", "mean, tied"],
  ["last", "last edge, tied"],
];

class TrainingPanel {
  constructor({ onStep, onReset }) {
    this.axis = s("g", {});
    this.curves = RULES.map(([name]) => s("path", { class: `curve ${name}` }));
    this.dots = RULES.map(([name]) => s("circle", { class: `dot ${name}`, r: 5 }));
    this.labels = RULES.map(() => s("text", { class: "small label" }));
    this.cursor = s("line", { class: "cursor-line" });
    this.title = s("text", { class: "title label" });
    this.letters = s("g", {});
    this.key = s("text", { class: "small" });
    const size = () => "";
    this.tied = new TieGrid({ name: "tied", title: "Tied: w − η · sum, copied to all", size, onPoint: (r, c) => this.point(this.tied, r, c) });
    this.alone = new TieGrid({ name: "alone", title: "Each copy alone: w − η · its own term", size, onPoint: (r, c) => this.point(this.alone, r, c) });
    this.pictures = [new Raster(), new Raster()];
    this.svg = s("svg", { role: "group", "aria-label": "Loss after one step, and the copies of each weight after it" });
    this.svg.append(this.axis, this.cursor, ...this.curves, ...this.dots, ...this.labels, this.title, this.tied.node, this.alone.node, ...this.pictures.map(({ node }) => node), this.letters, this.key);
    this.words = h("p", { class: "training-words", "aria-live": "polite" });
    this.stage = h("div", { class: "training-stage" }, this.svg);
    this.tip = new Tooltip(this.stage);
    this.take = h("button", { type: "button", name: "take", click: onStep, text: "Take this step (sum)" });
    this.reset = h("button", { type: "button", name: "reset", click: onReset, text: "Back to the first w" });
    this.controls = h("div", { class: "training-controls" }, h("div", { class: "buttons" }, this.take, this.reset));
    this.node = h("div", { class: "training" }, h("h4", { text: "One step of training: add up over the edges, step once, copy to all" }), this.stage, this.words, this.controls);
  }

  layout(width, model) {
    const narrow = width < 640;
    const places = product(model.outputs);
    const chart = narrow ? width - 2 : Math.round(width * 0.42);
    Object.assign(this, { left: 46, right: chart - 12, top: 26, bottom: 196, chart });
    const from = narrow ? 2 : chart + 26;
    const room = width - from - 24;
    const wide = Math.min(40, room / places, Math.max(7, 200 / model.weights.length));
    const cell = wide >= 8 ? Math.floor(wide) : Math.floor(wide * 4) / 4;
    const place = { x: from + 20, cell, rows: model.weights.length, columns: places };
    // Thousands of copies are pixels, fewer are cells with numbers.
    this.many = place.rows * places > 600;
    const top = narrow ? this.bottom + 48 : 0;
    if (this.many) Object.assign(place, { rows: 1, columns: 1, cell: place.rows * cell });
    this.tied.layout({ ...place, y: top });
    this.alone.layout({ ...place, y: this.tied.bottom + 14 });
    [this.tied, this.alone].forEach((grid, i) => {
      const box = { x: grid.x, y: grid.top, width: this.many ? places * cell : 0, height: this.many ? model.weights.length * cell : 0 };
      this.pictures[i].layout(box);
      put(grid.cells, { visibility: this.many ? "hidden" : null });
    });
    this.cell = cell;
    put(this.title, { x: 2, y: 12 });
    put(this.key, { text: `color: the step, purple up, orange down${this.many ? ", grey no edge" : ""}`, x: this.alone.x, y: this.alone.bottom + 18 });
    put(this.svg, { width, height: Math.max(this.bottom + 40, this.alone.bottom + 26) });
  }

  // after: { sum, separate, mean, last } at this rate; curves: the same for `rates`; wrong rules only where shown.
  draw({ model, names, after, rate, rates, curves, shown }) {
    this.names = names;
    const most = Math.max(model.loss, ...RULES.filter(([name]) => shown[name]).map(([name]) => Math.min(after[name].loss, 1.6 * Math.abs(model.loss) + 1e-9)));
    const least = Math.min(0, ...RULES.filter(([name]) => shown[name]).flatMap(([name]) => curves[name]).filter((loss) => loss > -3 * Math.abs(model.loss) - 1));
    const high = most + 0.12 * (most - least || 1);
    const x = (value) => this.left + (value / rates.at(-1)) * (this.right - this.left);
    const y = (value) => this.bottom - ((value - least) / (high - least || 1)) * (this.bottom - this.top);
    put(this.title, { text: "Loss after one step" });
    this.drawAxis({ x, y, most: rates.at(-1), least, high });
    put(this.cursor, { x1: x(rate), x2: x(rate), y1: this.top, y2: this.bottom });
    const ends = [];
    RULES.forEach(([name, words], i) => {
      const inside = (loss) => loss <= high && loss >= least - 1e-9;
      const points = (curves[name] ?? []).map((loss, k) => (inside(loss) ? [x(rates[k]), y(loss)] : null));
      let path = "";
      points.forEach((point, k) => point && (path += `${points[k - 1] ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`));
      put(this.curves[i], { d: shown[name] ? path : "" });
      const { loss } = after[name];
      put(this.dots[i], { cx: x(rate), cy: y(Math.min(Math.max(loss, least), high)), visibility: shown[name] && inside(loss) ? null : "hidden", "data-loss": loss });
      const last = points.findLast((point) => point);
      put(this.labels[i], { text: shown[name] ? words : "" });
      if (shown[name] && last) ends.push({ i, at: last });
    });
    this.placeLabels(ends);
    this.drawCopies(model, after);
  }

  // At the end of each curve, moved apart where they would touch.
  placeLabels(ends) {
    ends.sort((a, b) => a.at[1] - b.at[1]);
    let above = this.top - 4;
    for (const { i, at } of ends) {
      const y = Math.max(at[1] - 7, above + 15);
      above = y;
      const toLeft = at[0] > this.right - 96;
      put(this.labels[i], { x: toLeft ? this.right : at[0] + 8, y, "text-anchor": toLeft ? "end" : "start" });
    }
  }

  drawAxis({ x, y, most, least, high }) {
    const [rates, losses] = [ticks(0, most, 4), ticks(least, high, 4)];
    this.axis.replaceChildren(
      ...losses.values.flatMap((value) => [
        s("line", { class: "grid", x1: this.left, x2: this.right, y1: y(value), y2: y(value) }),
        s("text", { class: "tick", x: this.left - 6, y: y(value) + 4, "text-anchor": "end", text: number(value, losses.digits) }),
      ]),
      ...rates.values.map((value) => s("text", { class: "tick", x: x(value), y: this.bottom + 17, "text-anchor": "middle", text: number(value, rates.digits) })),
      s("text", { class: "tick", x: (this.left + this.right) / 2, y: this.bottom + 35, "text-anchor": "middle", text: "learning rate η" }),
    );
  }

  // New values in the cells, colored by how far the step took them: one color a row where the copies are tied.
  drawCopies(model, after) {
    const places = product(model.outputs);
    const tied = after.sum.weights.map((value, tap) => after.separate.copies[tap].map((copy) => (copy === null ? null : value)));
    const rows = [[this.tied, tied.flat()], [this.alone, after.separate.copies.flat()]];
    const moved = (value, i) => value - model.weights[Math.floor(i / places)];
    const most = Math.max(1e-12, ...rows.flatMap(([, values]) => values.map((value, i) => (value === null ? 0 : Math.abs(moved(value, i))))));
    const scale = centered(most);
    if (this.many) {
      // Grey where there is no edge.
      const color = (values) => (r, c) => (values[r * places + c] === null ? [128, 128, 128] : scale(moved(values[r * places + c], r * places + c)));
      rows.forEach(([, values], i) => this.pictures[i].paint(model.weights.length, places, color(values)));
    }
    for (const [grid, values] of this.many ? [] : rows) {
      const digits = grid.cell >= 36 ? 2 : grid.cell >= 29 ? 1 : null;
      grid.values = values;
      grid.paint((i) => {
        if (values[i] === null) return null;
        const color = scale(moved(values[i], i));
        return { fill: css(color), ink: inkOn(color), text: digits === null ? "" : short(values[i], digits) };
      });
    }
    const letters = [this.tied, this.alone].flatMap((grid) => model.weights.map((_, tap) => s("text", {
      ...{ class: "small strong", x: grid.x - 5, y: grid.top + (tap + 0.5) * this.cell + 4, "text-anchor": "end" },
      text: this.cell > 10 ? tieLetter(tap) : "",
    })));
    this.letters.replaceChildren(...letters);
  }

  point(grid, row, column) {
    if (row === null) return this.tip.hide();
    const value = grid.values[row * grid.columns + column];
    const said = value === null ? "no edge: padding" : short(value, 4);
    return this.tip.show(...grid.center(row - 0.5, column), `${tieLetter(row)} at output ${this.names.at.output(column)}: ${said}`);
  }
}
