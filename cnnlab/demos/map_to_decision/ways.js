// The gradient of every way side by side: strips along the bars of a map of one axis, or small maps, two in a row.
class Ways {
  // pick(how): a way was clicked, to be shown large.
  constructor(shape, flat, pick) {
    Object.assign(this, { shape, flat, pick, parts: new Map() });
    this.absent = s("text", { class: "tick" });
    this.node = s("g", {}, this.absent);
  }

  // count of ways; step is the width of a bar. Returns where it ends.
  layout({ x, y, width, count, step, narrow }) {
    const [rows, columns] = this.shape;
    const [perRow, gap] = [this.flat ? 1 : 2, 26];
    const wide = (width - gap * (perRow - 1)) / perRow;
    const mini = Math.min(wide / columns, 150 / rows);
    const high = this.flat ? 36 : rows * mini;
    Object.assign(this, { x, y, wide, high, mini, gap, perRow, step, narrow });
    const lines = this.flat ? count : 2;
    return y + lines * (high + 32) + (this.flat && count < 4 ? 36 : 0);
  }

  corner(k) {
    return [this.x + (k % this.perRow) * (this.wide + this.gap), this.y + Math.floor(k / this.perRow) * (this.high + 32)];
  }

  partsOf(how) {
    if (!this.parts.has(how)) {
      const parts = {
        name: s("text", { class: "way-name" }),
        box: s("rect", { class: "way-box", rx: 4 }),
        plus: s("path", { class: "plus" }),
        minus: s("path", { class: "minus" }),
        base: s("path", { class: "grid" }),
        mark: s("rect", { class: "way-mark", width: 4, rx: 2 }),
      };
      const node = s("g", { class: "way", "data-way": how, click: () => this.pick(how) }, ...Object.values(parts));
      this.node.append(node);
      this.parts.set(how, { node, ...parts });
    }
    return this.parts.get(how);
  }

  draw(ways, chosen) {
    ways.forEach(({ how, Y, gradient, found }, k) => {
      const parts = this.partsOf(how);
      const [left, top] = this.corner(k);
      const answer = Number.isNaN(Y) ? "no answer" : `${found ? "✓ yes" : "✗ no"}`;
      const most = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const largest = this.flat && !this.narrow ? `   dY/dy, largest ${slope(most)}` : "";
      put(parts.name, { x: left, y: top + 13, text: `${NAMES[how]}  ${shown(Y)}  ${answer}${largest}` });
      put(parts.node, { "data-chosen": how === chosen ? true : null });
      put(parts.box, { x: left, y: top + 20, width: this.flat ? this.wide : this.shape[1] * this.mini, height: this.high });
      put(parts.mark, { x: left - 9, y: top + 2, height: this.high + 18 });
      const [plus, minus, base] = this.flat
        ? strip(gradient, left, top + 20, this.step, this.high)
        : squares(gradient, this.shape, left, top + 20, this.mini);
      put(parts.plus, { d: plus });
      put(parts.minus, { d: minus });
      put(parts.base, { d: base });
    });
    const [left, top] = this.corner(ways.length);
    const lines = ways.length < 4 ? ["MLP: none was given;", "pass mlp=[(W, b), …]"] : [];
    this.absent.replaceChildren(...lines.map((text, i) => s("tspan", { x: left, y: top + 13 + 17 * i, text })));
  }
}
