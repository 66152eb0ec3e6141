// What the reader sees and does: input, kernel, products and output as grids of cells; steps over the outputs.
const KERNELS = [
  ["given", "as given"],
  ["cross", "the deck’s ×"],
  ["edge", "vertical edge"],
  ["corner", "one corner"],
  ["blur", "mean of 3 × 3"],
];
const KERNEL_VALUES = {
  cross: [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
  edge: [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
  corner: [[1, 2, 0], [3, 0, 0], [0, 0, 0]],
  blur: Array(3).fill(Array(3).fill(1 / 9)),
};
const OPTIONS = [
  ["stride", "Stride", 1, 4],
  ["padding", "Padding", 0, 4],
  ["dilation", "Dilation", 1, 4],
];

class ConvStepper extends DemoView {
  constructor(model, el) {
    const state = ["x", "w", "b", "stride", "padding", "dilation", "padding_mode", "flip", "step"];
    const keys = "Left and right arrow keys step through the outputs, space plays, Home and End jump.";
    super(model, { kind: "conv-stepper", heading: "What does a convolution compute?", state, keys });
    this.given = this.w;
    this.pin = null;
    this.compute(); // the controls show it as soon as they are made
    this.input = new Grid({
      name: "input",
      title: "Input",
      onEdit: (row, column, value) => this.editInput(row, column, value),
      onPoint: (row, column) => this.pointInput(row, column),
    });
    this.kernel = new Grid({ name: "kernel", title: "Kernel", onEdit: (...cell) => this.editKernel(...cell) });
    this.products = new Grid({ name: "products", title: "Products" });
    this.output = new Grid({
      name: "output",
      title: "Output",
      onPick: (row, column) => this.pick(row, column),
      onPoint: (row, column) => this.pointOutput(row, column),
    });
    this.sum = s("text", { class: "sum label strong", "text-anchor": "middle" });
    this.times = s("text", { class: "operator", text: "⋆" });
    this.equals = s("text", { class: "operator", text: "=" });
    const grids = [this.input, this.kernel, this.products, this.output].map(({ node }) => node);
    this.svg.append(...grids, this.sum, this.times, this.equals);
    this.steps = new Steps({
      label: "Output",
      show: (step) => this.stepName(step),
      hint: "Click a cell of the input or the kernel and type; click an output to pin it. ← → step, space plays.",
      onStep: (step) => this.change({ step }),
      onState: (playing) => this.quiet(playing),
    });
    this.begin(el, this.steps.node, this.explain, this.settings());
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.pin && this.change({ pin: null }));
  }

  // ---- parts

  settings() {
    this.sliders = [];
    const pairs = OPTIONS.map(([name, label, min, max]) => {
      const sliders = ["height", "width"].map((axis, i) => {
        const control = slider({
          ...{ name: `${name}-${axis}`, label: `${label}, ${axis}`, min, max: Math.max(max, this[name][i]), value: this[name][i] },
          onInput: (value) => this.change({ [name]: this[name].map((old, j) => (j === i ? value : old)) }, { reshape: true }),
        });
        if (this.data.rank === 1 && i === 0) control.disable("One axis only: the input is a single row.");
        this.sliders.push([control, () => this[name][i]]);
        return control.node;
      });
      return h("div", { class: "pair" }, ...sliders);
    });
    const modes = [["zeros", "zeros"], ["reflect", "reflect"], ["replicate", "replicate"], ["circular", "circular"]];
    this.mode = choice({
      ...{ name: "padding_mode", label: "Padding mode", options: modes, value: this.padding_mode },
      onInput: (mode) => this.change({ padding_mode: mode }, { reshape: true }),
    });
    this.preset = choice({
      ...{ name: "preset", label: "Kernel", options: this.data.rank === 1 ? KERNELS.slice(0, 1) : KERNELS, value: "given" },
      onInput: (name) => this.change({ w: KERNEL_VALUES[name] ?? this.given }, { reshape: true }),
    });
    this.bias = field({ name: "bias", label: "Bias", value: this.b, onInput: (b) => this.change({ b }) });
    this.turn = toggle({
      ...{ name: "flip", label: "Turn the kernel by 180°", value: this.flip },
      note: "The convolution of mathematics; CNNs leave it out.",
      onInput: (flip) => this.change({ flip }),
    });
    const others = [this.preset, this.mode, this.bias, this.turn].map(({ node }) => node);
    return h("div", {}, h("div", { class: "settings" }, ...pairs), h("div", { class: "settings narrow" }, ...others));
  }

  // ---- drawing

  compute() {
    this.now = stepperModel(this);
  }

  layout(width) {
    const { padded, outputs, kernel } = this.now;
    const count = Math.max(1, outputs[0] * outputs[1]);
    this.steps.resize(count, Math.min(this.step, count - 1));
    this.step = this.steps.at;
    if (this.pin && (this.pin[0] >= outputs[0] || this.pin[1] >= outputs[1])) this.pin = null;
    const [outRows, outColumns] = outputs.map((size) => Math.max(size, 1));
    const narrow = width < 560;
    const gap = narrow ? 30 : 56;
    const across = padded[1] + kernel.columns + outColumns;
    const room = narrow ? (width - 4) / Math.max(padded[1], outColumns) : (width - 2 * gap - 4) / across;
    const cell = Math.max(13, Math.min(44, Math.floor(room)));
    const small = narrow ? Math.min(38, Math.floor((width - gap) / (2 * kernel.columns))) : cell;
    this.input.layout({ x: 2, y: 2, cell, rows: padded[0], columns: padded[1] });
    let [x, y] = narrow ? [2, this.input.bottom + 14] : [2 + this.input.width + gap, 2];
    this.kernel.layout({ x, y, cell: small, rows: kernel.rows, columns: kernel.columns });
    const beside = narrow ? { x: x + this.kernel.width + gap, y } : { x, y: this.kernel.bottom + 14 };
    this.products.layout({ ...beside, cell: small, rows: kernel.rows, columns: kernel.columns });
    put(this.sum, { x: beside.x + this.products.width / 2, y: this.products.bottom + 20 });
    [x, y] = narrow ? [2, this.products.bottom + 36] : [x + this.kernel.width + gap, 2];
    this.output.layout({ x, y, cell, rows: outRows, columns: outColumns });
    const level = this.kernel.top + (kernel.rows * small) / 2 + 8;
    put(this.times, { x: this.input.x + this.input.width + gap / 2, y: level, visibility: narrow ? "hidden" : null });
    put(this.equals, { x: this.output.x - gap / 2, y: level, visibility: narrow ? "hidden" : null });
    const bottom = Math.max(this.input.bottom, this.products.bottom + 28, this.output.bottom);
    put(this.svg, { width, height: bottom + 6 });
  }

  draw() {
    const { fault, outputs, output, paddedValues, kernel } = this.now;
    const isPadding = (i) => this.isPadding(i);
    const [up, left] = fault ? [0, 0] : remainder(this.now);
    const unused = (i) => {
      const [r, c] = unravel(i, this.now.padded);
      return !fault && (r >= this.now.padded[0] - up || c >= this.now.padded[1] - left);
    };
    const [least, most] = [Math.min(0, ...paddedValues), Math.max(...paddedValues)];
    const scale = least < 0 ? scaleFor(paddedValues) : grey(0, most || 1);
    const kind = (i) => (isPadding(i) ? "padding" : null);
    this.input.fill(paddedValues, { scale, kind, hatched: unused });
    this.kernel.fill(kernel.values, { scale: centered(Math.max(...kernel.values.map(Math.abs))) });
    for (const [control, value] of this.sliders) control.set(value());
    this.mode.set(this.padding_mode);
    this.bias.set(this.b);
    this.turn.set(this.flip);
    if (fault) this.drawFault(fault);
    else this.drawStep(outputs, output);
    this.refreshFolds();
  }

  drawFault(fault) {
    this.say("No output", false);
    this.output.fill([null]);
    this.products.fill(this.now.kernel.values.map(() => null));
    for (const grid of [this.input, this.output]) for (const kind of ["window", "pin", "reach"]) grid.frame(kind, null);
    put(this.sum, { text: "" });
    this.words.replaceChildren(`There is no output: ${fault}. Add padding, or take a smaller kernel or dilation.`);
    put(this.verdict, { text: "" });
  }

  drawStep(outputs, output) {
    const { now: model, step } = this;
    this.say(`Output ${outputs[0]} × ${outputs[1]}`);
    const position = unravel(step, outputs);
    const products = productsOf(model, position);
    this.output.fill(output.map((value, i) => (i <= step ? value : null)), { scale: scaleFor(output) });
    const values = products.map(({ product: value }) => value);
    this.products.fill(values, { scale: centered(Math.max(...values.map(Math.abs))) });
    this.input.frame("window", this.windowArea(position));
    this.output.frame("window", { row: position[0], column: position[1] });
    this.input.frame("pin", this.pin && this.windowArea(this.pin));
    this.output.frame("pin", this.pin && { row: this.pin[0], column: this.pin[1] });
    const result = short(output[step], 4);
    put(this.sum, { text: `sum${this.b ? ` + ${short(this.b)}` : ""} = ${result}` });
    const place = `Output row ${position[0]}, column ${position[1]}: `;
    this.words.replaceChildren(place, arithmetic(products, this.b), h("strong", { text: result }));
    const [down, right] = remainder(model);
    const last = (count, noun) => count && `the last ${count === 1 ? noun : plural(count, noun)}`;
    const rest = [last(down, "row"), last(right, "column")].filter(Boolean).join(" and ");
    const unusedWords = rest ? ` No window reaches ${rest} (hatched).` : "";
    put(this.verdict, { text: `Size: ${sizeWords(model)}.${unusedWords}` });
    const picture = `Input, kernel, products and output; the window stands at output row ${position[0]}, column ${position[1]}.`;
    put(this.svg, { "aria-label": picture });
  }

  windowArea([row, column]) {
    const [rows, columns] = this.now.axes.map((axis) => extent(axis.kernel, axis.dilation));
    const [{ stride: down }, { stride: right }] = this.now.axes;
    return { row: row * down, column: column * right, rows, columns };
  }

  isPadding(i) {
    const [r, c] = unravel(i, this.now.padded);
    const { sizes } = this.now;
    return r < this.padding[0] || c < this.padding[1] || r >= this.padding[0] + sizes[0] || c >= this.padding[1] + sizes[1];
  }

  stepName(step) {
    const { outputs } = this.now;
    if (!outputs[0]) return "none";
    const [row, column] = unravel(step, outputs);
    return `${step + 1} of ${outputs[0] * outputs[1]} (row ${row}, column ${column})`;
  }

  // ---- hands

  received(name) {
    if (name === "w") this.given = this.w;
  }

  moves() {
    const go = (by) => () => this.steps.go(this.steps.at + by);
    return { ArrowLeft: go(-1), ArrowRight: go(1), Home: () => this.steps.go(0), End: () => this.steps.go(Infinity) };
  }

  editInput(row, column, value) {
    if (this.isPadding(row * this.now.padded[1] + column)) return;
    const x = this.x.map((line) => [...line]);
    x[row - this.padding[0]][column - this.padding[1]] = value;
    this.change({ x });
  }

  editKernel(row, column, value) {
    const w = this.w.map((line) => [...line]);
    const [r, c] = this.flip ? [w.length - 1 - row, w[0].length - 1 - column] : [row, column];
    w[r][c] = value;
    this.change({ w });
  }

  // A pinned output stays outlined while others are looked at; the same click again takes the pin away.
  pick(row, column) {
    if (this.now.fault) return;
    const same = this.pin && this.pin[0] === row && this.pin[1] === column;
    this.pin = same ? null : [row, column];
    this.steps.go(Math.max(row * this.now.outputs[1] + column, 0));
  }

  pointOutput(row, column) {
    const inside = row !== null && !this.now.fault;
    this.input.frame("reach", inside ? this.windowArea([row, column]) : null);
    if (!inside) return this.tip.hide();
    const value = this.now.output[row * this.now.outputs[1] + column];
    return this.tip.show(...this.output.center(row, column), `Output (${row}, ${column}) = ${short(value, 4)}`);
  }

  pointInput(row, column) {
    if (row === null || this.now.fault) {
      for (const old of this.seen ?? []) old.removeAttribute("data-seen");
      return this.tip.hide();
    }
    const found = readers(this.now, [row, column]);
    for (const old of this.seen ?? []) old.removeAttribute("data-seen");
    this.seen = found.map(([r, c]) => this.output.boxes[r * this.now.outputs[1] + c]);
    for (const box of this.seen) put(box, { "data-seen": true });
    const value = this.now.paddedValues[row * this.now.padded[1] + column];
    const where = this.isPadding(row * this.now.padded[1] + column) ? "Padding" : "Input";
    const [i, j] = [row - this.padding[0], column - this.padding[1]];
    const words = `${where} (${i}, ${j}) = ${short(value, 4)}\nused by ${plural(found.length, "output")}`;
    return this.tip.show(...this.input.center(row, column), words);
  }

  // ---- numbers and code

  tables() {
    const { outputs, output, fault, axes } = this.now;
    if (fault) return [];
    const rows = output.map((value, i) => {
      const [row, column] = unravel(i, outputs);
      const [top, left] = [row * axes[0].stride - this.padding[0], column * axes[1].stride - this.padding[1]];
      return [row, column, top, left, value - this.b, value].map((each) => short(each, 6));
    });
    const heads = ["row", "column", "window’s first row", "first column", "sum of products", "output"];
    return [table("One row an output; the padding has negative rows and columns", heads, rows)];
  }

  code() {
    return { numpy: numpyListing(this), torch: torchListing(this) };
  }
}

function render({ model, el }) {
  const view = new ConvStepper(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { convolve, outputSize, productsOf, readers, remainder, samePadding, sourceOf, stepperModel };
export default { render };
