// The picture: for each row its output as a block, and how much of the parameters, multiply-adds and memory it holds.
const STRIPS = [
  ["parameters", "Parameters", (table) => thousands(table.totals.parameters)],
  ["macs", "Multiply-adds", (table) => thousands(table.totals.macs)],
  ["entries", "Activations", (table, view) => bytesWords(memory(table, view.input_shape, view.batch, view.dtype).outputs)],
];
const SHAPE_STRIP = 78;
const STRIP = 54;
const FAMILIES = { conv: "scan", maxpool: "pool", avgpool: "pool", globalpool: "pool", linear: "full" };

class Skyline {
  constructor() {
    this.highlight = s("rect", { class: "highlight", rx: 3 });
    this.fixed = s("g");
    this.columns = s("g");
    this.node = s("g", {}, this.highlight, this.fixed, this.columns);
    this.count = -1;
  }

  layout(width, count) {
    const narrow = width < 560;
    const left = narrow ? 4 : 138;
    const head = narrow ? 20 : 4;
    const wide = (width - left - 4) / count;
    Object.assign(this, { narrow, left, head, wide, count });
    this.tops = [head];
    STRIPS.forEach((_, i) => this.tops.push(this.tops.at(-1) + (i ? STRIP : SHAPE_STRIP) + head + 12));
    this.bottom = this.tops.at(-1) + STRIP;
    if (this.columns.children.length !== count) {
      const make = () => s("g", {}, s("rect", { class: "block" }), ...STRIPS.map(() => s("rect", { class: "bar" })), ...STRIPS.map(() => s("text", { class: "small", "text-anchor": "middle" })), s("text", { class: "tick", "text-anchor": "middle" }));
      this.columns.replaceChildren(...Array.from({ length: count }, make));
    }
    return this.bottom + 22;
  }

  x(i) {
    return this.left + (i + 0.5) * this.wide;
  }

  // The lower edge of a strip: 0 is the one of shapes.
  floor(strip) {
    return this.tops[strip] + (strip ? STRIP : SHAPE_STRIP);
  }

  draw(view, table, selected) {
    this.drawFixed(view, table);
    const shapes = [view.input_shape, ...table.rows.filter((one) => one?.shape).map(({ shape }) => shape)];
    const largest = Math.max(...shapes.map(([, ...spatial]) => Math.max(1, ...spatial)));
    const deepest = Math.max(...shapes.map(([channels]) => channels));
    [...this.columns.children].forEach((column, i) => this.drawColumn(column, i, view.rows[i], table, { largest, deepest }));
    put(this.highlight, { x: this.left + selected * this.wide, y: 0, width: this.wide, height: this.bottom + 20 });
  }

  drawColumn(column, i, row, table, { largest, deepest }) {
    const outcome = table.rows[i];
    const fits = outcome?.shape;
    const [block, ...rest] = column.children;
    const [bars, texts, tick] = [rest.slice(0, 3), rest.slice(3, 6), rest[6]];
    put(column, { class: FAMILIES[row.kind] ?? "small-layer" });
    const [channels, ...spatial] = fits ?? [0];
    const tall = fits ? (spatial.length ? 8 + (SHAPE_STRIP - 8) * share(Math.max(...spatial), largest) : 6) : 0;
    const room = Math.min(this.wide - 2, 60);
    const wide = fits ? Math.max(2, room * share(channels, deepest)) : 0;
    put(block, { x: this.x(i) - wide / 2, y: this.floor(0) - tall, width: wide, height: tall, rx: Math.min(2, wide / 3) });
    STRIPS.forEach(([name], k) => {
      const part = fits && table.totals[name] ? outcome[name] / table.totals[name] : 0;
      const most = Math.max(...table.rows.map((one) => one?.[name] ?? 0));
      const high = part ? Math.max(1, ((STRIP - 14) * outcome[name]) / most) : 0;
      const w = Math.min(30, Math.max(2, this.wide * 0.72));
      put(bars[k], { x: this.x(i) - w / 2, y: this.floor(k + 1) - high, width: w, height: high });
      const said = part && (outcome[name] === most || (part >= 0.03 && this.wide > 40));
      const x = Math.min(Math.max(this.x(i), this.left + 14), this.left + this.wide * this.count - 14);
      put(texts[k], { x, y: this.floor(k + 1) - high - 4, text: said && this.first(table, name, i) ? `${percent(part)}` : "" });
    });
    const every = Math.ceil(22 / this.wide);
    put(tick, { x: this.x(i), y: this.bottom + 15, text: i % every === 0 ? String(i + 1) : "" });
  }

  // Of rows with the same share in a crowded picture only the first is labelled.
  first(table, name, i) {
    return this.wide > 40 || table.rows.findIndex((one) => one?.[name] === table.rows[i][name]) === i;
  }

  drawFixed(view, table) {
    const lines = this.tops.map((_, k) => s("path", { class: "grid", d: `M${this.left} ${this.floor(k)}h${this.wide * this.count}` }));
    const title = (k, name, value) => {
      const y = this.narrow ? this.tops[k] - 4 : this.floor(k) - 26;
      if (this.narrow) return [s("text", { x: this.left, y }, s("tspan", { class: "strong", text: name }), s("tspan", { dx: 8, text: value }))];
      return [s("text", { class: "strong", x: 0, y, text: name }), s("text", { class: "small", x: 0, y: y + 17, text: value })];
    };
    const shape = title(0, "Output", this.narrow ? "tall: large maps, wide: many channels" : "tall: large maps");
    if (!this.narrow) shape.push(s("text", { class: "small", x: 0, y: this.floor(0) + 8, text: "wide: many channels" }));
    const strips = STRIPS.flatMap(([, name, total], k) => title(k + 1, name, total(table, view)));
    this.fixed.replaceChildren(...lines, ...shape, ...strips);
  }

  // The row under a point, or null.
  at(x) {
    const i = Math.floor((x - this.left) / this.wide);
    return i >= 0 && i < this.count ? i : null;
  }
}

// Sizes and channels over many orders: by the logarithm, so that halving takes the same step everywhere.
const share = (value, most) => Math.log2(1 + value) / Math.log2(1 + most);

const percent = (part) => (part >= 0.995 && part < 1 ? ">99 %" : `${Math.round(100 * part)} %`);
