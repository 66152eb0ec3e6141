// The running sum: one bar an edge, each beginning where the last one ended; beside them the whole sum, the numeric
// gradient as a line across all, and the wrong rules. Bars that are not yet reached are not drawn.
class Waterfall {
  constructor({ onPick }) {
    this.onPick = onPick;
    this.axis = s("g", {});
    this.bars = s("g", { class: "bars" });
    this.rests = s("path", { class: "rests" });
    this.totals = s("g", { class: "totals" });
    this.line = s("line", { class: "numeric-line" });
    this.names = s("g", {});
    this.title = s("text", { class: "title label" });
    this.node = s("g", { class: "waterfall", "data-part": "waterfall" }, this.axis, this.line, this.bars, this.rests, this.totals, this.names, this.title);
  }

  layout({ x, y, width, height }) {
    Object.assign(this, { x, y, width, height });
    put(this.title, { x, y: y + 12 });
    return this;
  }

  // products: of all edges; step: how many are added; columns: [{ name, words, value, kind }]; edgeName(i): below a bar.
  draw({ products, step, columns, slope, style, title, edgeName }) {
    const narrow = this.width < 560;
    const each = narrow ? 54 : 78;
    const [left, right] = [this.x + 40, this.x + this.width - columns.length * each - 12];
    const [top, bottom] = [this.y + 40, this.y + this.height - 22];
    const sums = products.reduce((list, part) => [...list, list.at(-1) + part], [0]);
    const all = [...sums, slope, ...columns.map(({ value }) => value ?? 0)];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const span = high - low || 1;
    const floor = bottom - (low < 0 ? 20 : 2); // room for a number under a bar that hangs from zero
    const level = (value) => floor - ((value - low) / span) * (floor - top);
    const wide = (right - left) / Math.max(1, products.length);
    put(this.title, { text: "" });
    this.title.append(title, ...(narrow ? [] : [s("tspan", { class: "size", dx: 8, text: "each bar begins where the last one ended" })]));
    this.drawAxis({ low, high, level, left, right: this.x + this.width, narrow });
    this.drawBars({ products, sums, step, level, left, wide, bottom, style, edgeName });
    put(this.line, { x1: left, x2: this.x + this.width, y1: level(slope), y2: level(slope) });
    this.drawColumns({ columns, level, each, right: right + 12, bottom, style });
  }

  drawAxis({ low, high, level, left, right }) {
    const grid = high > low ? ticks(low, high, 4) : { values: [0], digits: 0 };
    this.axis.replaceChildren(...grid.values.flatMap((value) => [
      s("line", { class: Math.abs(value) < 1e-12 ? "zero" : "grid", x1: left, x2: right, y1: level(value), y2: level(value) }),
      s("text", { class: "tick", x: left - 6, y: level(value) + 4, "text-anchor": "end", text: number(value, grid.digits) }),
    ]));
  }

  drawBars({ products, sums, step, level, left, wide, bottom, style, edgeName }) {
    const gap = wide > 8 ? 3 : 0.5;
    const every = Math.ceil(34 / wide);
    if (this.bars.children.length !== products.length) {
      this.bars.replaceChildren(...products.map((_, i) => s("rect", { rx: 1.5, "data-bar": i, click: () => this.onPick(i + 1) })));
    }
    let rests = "";
    products.forEach((part, i) => {
      const [from, to] = [level(sums[i]), level(sums[i + 1])];
      const x = left + i * wide + gap / 2;
      const shown = i < step;
      const box = { x, y: Math.min(from, to), width: wide - gap, height: Math.max(1.5, Math.abs(from - to)) };
      put(this.bars.children[i], { ...box, style, class: part < 0 ? "down" : "up", visibility: shown ? null : "hidden", "data-now": i === step - 1 });
      if (shown && i + 1 < products.length) rests += `M${x + wide - gap} ${to}h${gap}`;
    });
    put(this.rests, { d: rests });
    const middle = (i) => left + (i + 0.5) * wide;
    const values = wide < 30 ? [] : products.slice(0, step).map((part, i) =>
      s("text", { class: "small label", x: middle(i), y: Math.min(level(sums[i]), level(sums[i + 1])) - 5, "text-anchor": "middle", text: signed(part, decimals(part)) }));
    const names = products.map((_, i) => i).filter((i) => i % every === 0);
    this.names.replaceChildren(...values, ...names.map((i) => s("text", { class: "tick", x: middle(i), y: bottom + 16, "text-anchor": "middle", text: edgeName(i) })));
  }

  drawColumns({ columns, level, each, right, bottom, style }) {
    this.totals.replaceChildren(...columns.flatMap(({ name, words, value, kind }, i) => {
      const x = right + i * each + 5;
      const label = s("text", { class: "tick", x: x + each / 2 - 5, y: bottom + 16, "text-anchor": "middle", text: words });
      if (value === null) return [label];
      const [from, to] = [level(0), level(value)];
      const box = { x, y: Math.min(from, to), width: each - 10, height: Math.max(1.5, Math.abs(from - to)), rx: 1.5 };
      const number_ = { class: "label strong", x: x + each / 2 - 5, y: value < 0 ? Math.max(from, to) + 15 : Math.min(from, to) - 6, "text-anchor": "middle" };
      return [s("rect", { ...box, class: kind, style: kind === "sum" ? style : null, "data-total": name }), s("text", { ...number_, text: short(value, 3) }), label];
    }));
  }
}

// Decimals that tell a value apart, three at most.
const decimals = (value) => [0, 1, 2].find((digits) => Math.abs(value - Number(value.toFixed(digits))) < 1e-9) ?? 3;
