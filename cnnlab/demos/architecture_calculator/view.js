// What the reader sees and does: a net as a table, and above it where its parameters, work and memory sit.
const COMMON = [
  ["3 × 3, P 1, S 1", { kernel_size: 3, padding: 1, stride: 1 }],
  ["5 × 5, P 2, S 1", { kernel_size: 5, padding: 2, stride: 1 }],
  ["1 × 1", { kernel_size: 1, padding: 0, stride: 1 }],
  ["3 × 3, P 1, S 2", { kernel_size: 3, padding: 1, stride: 2 }],
];
const DTYPES = [["float32", "float32, 4 bytes"], ["float16", "float16, 2 bytes"], ["float64", "float64, 8 bytes"]];
const MOST_ROWS = 200;

class ArchitectureCalculator extends DemoView {
  constructor(model, el) {
    const state = ["rows", "input_shape", "batch", "dtype", "selected"];
    const keys = "Left and right arrow keys choose a row.";
    super(model, { kind: "architecture-calculator", heading: "What does each layer cost?", state, keys });
    this.keepGiven();
    this.now = tabulate(this);
    this.skyline = new Skyline();
    this.svg.append(this.skyline.node);
    put(this.svg, { role: "img" });
    put(this.stage, { pointermove: (event) => this.point(event), pointerleave: () => this.tip.hide(), click: (event) => this.pick(event) });
    this.table = new RowTable(this);
    this.memory = h("p", { class: "memory" });
    this.explain.firstChild.append(this.memory);
    this.begin(el, this.explain, this.tools(), this.table.node, this.settings());
  }

  // ---- parts

  tools() {
    const act = (name, icon, label, text, onClick) => button({ name, icon, label, text, onClick });
    this.add = act("add", "add", "Add a row after the selected one (Alt Enter)", "Add", () => this.insert());
    this.drop = act("remove", "remove", "Remove the selected row (Alt Backspace)", "Remove", () => this.remove());
    this.raise = act("up", "up", "Move the selected row up (Alt ↑)", "Up", () => this.move(-1));
    this.lower = act("down", "down", "Move the selected row down (Alt ↓)", "Down", () => this.move(1));
    const buttons = h("div", { class: "buttons" }, ...[this.add, this.drop, this.raise, this.lower].map(({ node }) => node));
    const chips = COMMON.map(([text, options], i) => h("button", { type: "button", class: "chip", name: `common-${i}`, text, click: () => this.common(options) }));
    const common = h("div", { class: "buttons chips", role: "group", "aria-label": "Common settings of a convolution" }, h("span", { class: "control-name", text: "Convolution:" }), ...chips);
    return h("div", { class: "row-tools" }, buttons, common);
  }

  settings() {
    const names = [["given", "as given"], ...this.data.presets.map(({ name, label }) => [name, label])];
    this.preset = choice({ name: "preset", label: "Net", options: names, value: "given", onInput: (name) => this.take(name) });
    this.input = h("input", { type: "text", name: "input_shape", autocomplete: "off" });
    this.input.addEventListener("input", () => {
      const shape = shapeTyped(this.input.value);
      put(this.input, { "aria-invalid": shape ? null : "true", title: shape ? null : "Type channels and sizes, such as 3x32x32" });
      if (shape) this.change({ input_shape: shape });
    });
    this.input.addEventListener("blur", () => {
      put(this.input, { "aria-invalid": null, title: null });
      this.draw();
    });
    const input = h("label", { class: "choice" }, h("span", { class: "control-name", text: "Input, channels × sizes" }), this.input);
    this.examples = field({ name: "batch", label: "Batch size N", value: this.batch, least: 1, most: 1e6, whole: true, onInput: (batch) => this.change({ batch }) });
    this.number = choice({ name: "dtype", label: "A number is", options: DTYPES, value: this.dtype, onInput: (dtype) => this.change({ dtype }) });
    const node = h("div", { class: "settings narrow" }, this.preset.node, input, this.examples.node, this.number.node);
    this.root.insertBefore(node, this.stage);
    return h("p", { class: "control-note", text: "In a cell: ↑ ↓ go to the row above or below, Alt ↑ ↓ moves the row, Alt Enter adds one, Alt Backspace removes it. 3x5 means height 3, width 5. Multiply-adds are those of one example, memory is that of the batch." });
  }

  // ---- drawing

  layout(width) {
    this.width = width;
  }

  draw() {
    this.selected = Math.min(this.selected, this.rows.length - 1);
    this.now = tabulate(this);
    const { now: table, selected, rows } = this;
    const height = this.skyline.layout(this.width, rows.length);
    put(this.svg, { width: this.width, height, viewBox: `0 0 ${this.width} ${height}` });
    this.skyline.draw(this, table, selected);
    this.table.draw();
    const parts = rowWords(rows[selected], table.rows[selected], selected + 1);
    this.words.replaceChildren(...parts.map((part) => (Array.isArray(part) ? h("strong", { text: part[0] }) : part)));
    put(this.verdict, { text: costWords(table.rows[selected], this.batch, this.dtype) });
    put(this.memory, { text: memoryWords(memory(table, this.input_shape, this.batch, this.dtype), table, this.batch, this.dtype) });
    if (table.bad < 0) this.say(`${plural(table.totals.parameters, "parameter")}, ${plural(table.totals.macs, "multiply-add")}`);
    else this.say(`Row ${table.bad + 1} does not fit`, false);
    put(this.svg, { "aria-label": this.sentence() });
    if (document.activeElement !== this.input) this.input.value = this.input_shape.join("×");
    this.examples.set(this.batch);
    this.number.set(this.dtype);
    put(this.add.node, { disabled: rows.length >= MOST_ROWS });
    put(this.drop.node, { disabled: rows.length === 1 });
    put(this.raise.node, { disabled: selected === 0 });
    put(this.lower.node, { disabled: selected === rows.length - 1 });
    this.refreshFolds();
  }

  sentence() {
    const { totals } = this.now;
    const most = (name) => this.now.rows.reduce((best, one, i) => ((one?.[name] ?? 0) > (this.now.rows[best]?.[name] ?? 0) ? i : best), 0) + 1;
    const where = STRIPS.map(([name, title]) => `most ${title.toLowerCase()} in row ${most(name)}`).join(", ");
    return `Blocks for the outputs of ${plural(this.rows.length, "row")}, and bars: ${where}. In all ${plural(totals.parameters, "parameter")}.`;
  }

  // ---- changes

  keepGiven() {
    this.given = { rows: this.rows, input_shape: this.input_shape };
  }

  received(name) {
    if (name === "rows" || name === "input_shape") this.keepGiven();
  }

  select(i) {
    if (i >= 0 && i !== this.selected) this.change({ selected: i });
  }

  setRow(i, row) {
    this.change({ rows: this.rows.map((old, j) => (j === i ? row : old)) });
  }

  insert(row = rowOfKind("conv", this.rows[this.selected])) {
    if (this.rows.length >= MOST_ROWS) return;
    const at = this.selected + 1;
    this.change({ rows: [...this.rows.slice(0, at), row, ...this.rows.slice(at)], selected: at });
    this.table.focus(at);
  }

  remove() {
    if (this.rows.length === 1) return;
    const left = this.rows.filter((_, i) => i !== this.selected);
    const at = Math.min(this.selected, left.length - 1);
    const inside = this.table.node.contains(document.activeElement);
    this.change({ rows: left, selected: at });
    if (inside) this.table.focus(at);
  }

  move(by) {
    const [from, to] = [this.selected, this.selected + by];
    if (to < 0 || to >= this.rows.length) return;
    const rows = [...this.rows];
    [rows[from], rows[to]] = [rows[to], rows[from]];
    const inside = this.table.node.contains(document.activeElement);
    this.change({ rows, selected: to });
    if (inside) this.table.focus(to);
  }

  // A common setting changes the selected convolution; elsewhere it adds one.
  common(options) {
    const row = this.rows[this.selected];
    if (row.kind === "conv") this.setRow(this.selected, { ...row, ...options, dilation: 1 });
    else this.insert({ ...rowOfKind("conv"), ...options });
  }

  mend() {
    const { bad, fault } = this.now;
    this.change({ rows: mended(this.rows, bad, fault.fix), selected: bad });
    this.table.focus(bad);
  }

  take(name) {
    const { rows, input_shape: shape } = this.data.presets.find((preset) => preset.name === name) ?? this.given;
    this.change({ rows, input_shape: shape, selected: 0 });
    this.table.node.scrollTop = 0;
  }

  // ---- hands

  rowAt(event) {
    return this.skyline.at(event.clientX - this.svg.getBoundingClientRect().left);
  }

  point(event) {
    const i = this.rowAt(event);
    if (i === null) return this.tip.hide();
    const outcome = this.now.rows[i];
    const name = `${i + 1} ${KIND_NAMES[this.rows[i].kind]}`;
    const { totals } = this.now;
    const lines = outcome?.shape && [
      `${name}: ${crossed(outcome.shape)}`,
      `${plural(outcome.parameters, "parameter")} (${percent(outcome.parameters / (totals.parameters || 1))})`,
      `${plural(outcome.macs, "multiply-add")} (${percent(outcome.macs / (totals.macs || 1))})`,
    ];
    return this.tip.show(this.skyline.x(i), 46, lines ? lines.join("\n") : `${name}: empty`);
  }

  pick(event) {
    const i = this.rowAt(event);
    if (i !== null) this.select(i);
  }

  moves() {
    const go = (to) => () => this.select(Math.min(Math.max(to, 0), this.rows.length - 1));
    return { ArrowLeft: go(this.selected - 1), ArrowRight: go(this.selected + 1), Home: go(0), End: go(Infinity) };
  }

  // ---- numbers and code

  tables() {
    const heads = ["row", "layer", "output", "parameters", "share", "multiply-adds", "share", "numbers stored", "bytes", "sees", "jump"];
    const { totals } = this.now;
    const bytes = BYTES[this.dtype] * this.batch;
    const part = (value, all) => (all ? `${((100 * value) / all).toFixed(1)} %` : "–");
    const rows = this.now.rows.flatMap((one, i) => {
      if (!one?.shape) return [];
      const { shape, parameters, macs, entries, field, jump } = one;
      const costs = [thousands(parameters), part(parameters, totals.parameters), thousands(macs), part(macs, totals.macs)];
      return [[String(i + 1), KIND_NAMES[this.rows[i].kind], crossed(shape), ...costs, thousands(entries), thousands(entries * bytes), crossed(field), crossed(jump)]];
    });
    return [table("One example; bytes for the whole batch", heads, rows)];
  }

  code() {
    return { cnnlab: cnnlabListing(this, this.now), torch: torchListing(this, this.now) };
  }
}

function render({ model, el }) {
  const view = new ArchitectureCalculator(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with cnnlab.summary; a front end uses the default only.
export { memory, mended, shapeTyped, sizesTyped, tabulate };
export default { render };
