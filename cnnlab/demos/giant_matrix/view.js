// What the reader sees and does: the matrix, the kernel, and the same layer as a network or as planes, all in the colors of
// the weights; a morph in whole rows from full to sparse to shared.
const SIZES = [
  ["n", "Inputs", 1],
  ["stride", "Stride", 1],
  ["padding", "Padding", 0],
];

class GiantMatrix extends DemoView {
  constructor(model, el) {
    const state = ["w", "n", "stride", "padding", "x", "morph", "picked", "bias", "cells"];
    const keys = "Left and right arrow keys change one row, space plays, Home and End jump to the full and the shared matrix.";
    super(model, { kind: "giant-matrix", heading: "What does sharing weights make of the weight matrix?", state, keys });
    this.now = giantModel(this, this.data.limits);
    this.hover = null;
    this.ownLooks = [];
    this.cards = new StageCards({ onPick: (stage) => this.change({ morph: stage }, { reshape: true }) });
    this.root.insertBefore(this.cards.node, this.stage);
    const matrixCell = (r, c) => (r === null ? null : { entry: r * this.now.columns + c });
    this.matrix = new TieGrid({
      ...{ name: "matrix", title: "Weight matrix W", size: (rows, columns) => `${plural(rows, "output")} × ${plural(columns, "input")}` },
      onPoint: (r, c) => this.point(matrixCell(r, c), "matrix"),
      onPick: (r, c) => this.pick(r * this.now.columns + c),
    });
    this.kernel = new TieGrid({
      ...{ name: "kernel", title: "Kernel w", size: () => this.kernelWords() },
      onPoint: (r, c) => this.point(r === null ? null : { set: this.setAt(r, c) }, "kernel"),
      onPick: (r, c) => this.pick(this.now.places[this.setAt(r, c)][0]),
    });
    this.inputs = new Grid({ name: "x", title: "x", onEdit: (_, c, value) => this.editInput(c, value), onPoint: (r, c) => this.point(r === null ? null : { column: c }) });
    this.outputs = new Grid({ name: "y", title: "y", onPoint: (r) => this.point(r === null ? null : { row: r }) });
    const draws = { onPoint: (target) => this.point(target), onPick: (entry) => this.pick(entry) };
    this.network = new Network(draws);
    this.planes = new Planes({ ...draws, onPick: (target) => this.point(target) });
    this.heading = s("text", { class: "title label" });
    this.ticks = s("g", {});
    this.svg.append(this.heading, this.ticks, this.inputs.node, this.matrix.node, this.outputs.node, this.kernel.node);
    this.svg.append(n1(this) ? this.network.node : this.planes.node);
    this.steps = new Steps({
      ...{ label: "Rows changed", show: (step) => this.stepName(step), perSecond: 6 },
      hint: "Point at a weight, an edge, a unit or a tap; click pins it. ← → change one row, space plays, Home and End jump.",
      onStep: (step) => this.change({ morph: step / this.now.rows }),
      onState: (playing) => this.quiet(playing),
    });
    this.begin(el, this.steps.node, this.explain, this.settings());
  }

  // ---- parts

  settings() {
    const axes = n1(this) ? [""] : [", height", ", width"];
    this.sliders = [];
    const rows = SIZES.map(([name, label, min]) => {
      const controls = axes.map((axis, i) => {
        const control = slider({
          ...{ name: `${name}${axis.replace(", ", "-")}`, label: label + axis, min, max: 4, value: this[name][i] },
          onInput: (value) => this.resizeTo({ [name]: this[name].map((old, j) => (j === i ? value : old)) }),
        });
        this.sliders.push([control, name, i]);
        return control.node;
      });
      return axes.length === 1 ? controls[0] : h("div", { class: "pair" }, ...controls);
    });
    this.value = slider({ name: "value", label: "Value of the pinned weight", min: -2, max: 2, step: 0.05, show: (value) => short(value, 4), onInput: (value) => this.editWeight(value) });
    this.shown = choice({
      ...{ name: "cells", label: "In the shared cells", options: [["letters", "letters"], ["values", "values"]], value: this.cells },
      onInput: (cells) => this.change({ cells }),
    });
    this.biased = toggle({
      ...{ name: "bias", label: "Count biases", value: this.bias, note: "One an output; shared, one a filter." },
      onInput: (bias) => this.change({ bias }),
    });
    return h("div", { class: "settings" }, ...rows, this.value.node, this.shown.node, this.biased.node);
  }

  // ---- drawing

  layout(width) {
    this.now = giantModel(this, this.data.limits);
    const { rows, columns, filters, depth, kernel, plane, spots, n, outputs } = this.now;
    this.steps.resize(2 * rows + 1, Math.round(this.morph * rows));
    if (this.picked[0] >= rows || this.picked[1] >= columns) this.picked = [];
    if (this.hover && !this.known(this.hover)) this.hover = null;
    const hasX = this.x.length > 0;
    const narrow = width < 640;
    const left = 26;
    const cellFor = (room) => (room - left - 2) / (columns + (hasX ? 1.6 : 0));
    let cell = cellFor(narrow ? width : width * 0.56);
    const beside = !narrow && cell >= 11;
    if (!beside) cell = cellFor(width);
    cell = cell >= 8 ? Math.min(34, Math.floor(cell)) : Math.floor(cell * 4) / 4;
    const kernelRoom = beside ? width * 0.42 : width;
    const tapCell = Math.max(10, Math.min(n1(this) ? 58 : 44, Math.floor(kernelRoom / (depth * kernel.at(-1)))));
    const [tapRows, tapColumns] = [filters * (kernel.length === 2 ? kernel[0] : 1), depth * kernel.at(-1)];
    const tall = Math.min(tapCell, tapRows > 3 ? 30 : 44);

    let top = 2;
    const layKernel = (x, y) => this.kernel.layout({ x, y, cell: Math.min(tapCell, tall), rows: tapRows, columns: tapColumns });
    if (!beside) top = layKernel(2, top).bottom + 18;
    const [x, head] = [left, top + 12];
    put(this.heading, { x, y: head });
    this.heading.replaceChildren("Weight matrix W", s("tspan", { class: "size", dx: 8, text: this.matrix.sizeWords(rows, columns) }));
    let y = head + (cell >= 8 ? 24 : 10);
    if (hasX) y = this.inputs.layout({ x, y: y + 2, cell, rows: 1, columns, heading: false }).bottom + 8;
    this.matrix.layout({ x, y, cell, rows, columns, heading: false }).ruled(filters > 1 ? spots : 0, depth > 1 ? plane : 0);
    if (hasX) this.outputs.layout({ x: x + this.matrix.width + Math.round(cell * 0.5), y, cell, rows, columns: 1, heading: false });
    for (const grid of [this.inputs, this.outputs]) put(grid.node, { visibility: hasX ? null : "hidden" });
    this.drawTicks({ x, y, cell, head, hasX, plane, spots, last: [n.at(-1), outputs.at(-1)] });

    const right = beside ? Math.max(x + this.matrix.width + (hasX ? cell * 1.6 : 0) + 34, width * 0.42) : 2;
    if (beside) layKernel(right, 2);
    let bottom = this.matrix.bottom;
    const under = beside ? this.kernel.bottom + 30 : bottom + 34;
    if (n1(this)) {
      const height = beside ? Math.min(330, Math.max(210, bottom - under - 12)) : narrow ? 220 : 250;
      this.network.layout({ x: right, y: under, width: width - right - 2, height, model: this.now });
      bottom = Math.max(bottom, under + height + 14);
    } else bottom = Math.max(bottom, this.planes.layout({ x: right, y: under - 8, width: width - right - 2, model: this.now }).bottom);
    put(this.svg, { width, height: bottom + 6 });
  }

  // Indices along both sides; within each channel they count in C order.
  drawTicks({ x, y, cell, head, hasX, plane, spots }) {
    const { rows, columns } = this.now;
    const every = cell >= 15 ? 1 : cell >= 8 ? 5 : 10;
    const above = hasX ? this.inputs.top : y;
    const tick = (at, text, place) => s("text", { class: "tick", ...place(at), text });
    const line = (count, size, place) =>
      Array.from({ length: count }, (_, i) => i).filter((i) => (i % size) % every === 0).map((i) => tick(i, i % size, place));
    const across = (i) => ({ x: x + (i + 0.5) * cell, y: above - 5, "text-anchor": "middle" });
    const down = (i) => ({ x: x - 6, y: y + (i + 0.5) * cell + 4, "text-anchor": "end" });
    const names = hasX ? [s("text", { class: "title", x: x - 6, y: this.inputs.top + cell / 2 + 4, "text-anchor": "end", text: "x" }), s("text", { class: "title", x: this.outputs.x + cell / 2, y: y - 6, "text-anchor": "middle", text: "y" })] : [];
    this.ticks.replaceChildren(...(above - head > 16 ? line(columns, plane, across) : []), ...line(rows, spots, down), ...names);
  }

  draw() {
    this.stageNow = stageAt(this.now, Math.round(this.morph * this.now.rows));
    const { now, stageNow } = this;
    this.names = naming(now, this.data.bare);
    const look = (entry) => this.look(entry);
    this.matrix.paint(look);
    this.kernel.paint((i) => this.setLook(this.setAt(Math.floor(i / this.kernel.columns), i % this.kernel.columns), true));
    this.kernel.ruled(now.filters > 1 ? this.kernel.rows / now.filters : 0, now.depth > 1 ? this.kernel.columns / now.depth : 0);
    if (n1(this)) this.network.draw((entry) => this.line(entry));
    this.product = null;
    if (this.x.length) this.drawProduct();
    const moving = stageNow.step % now.rows ? (stageNow.step % now.rows) - 1 : null;
    this.matrix.frame("window", moving === null ? null : { row: moving, column: 0, rows: 1, columns: now.columns });
    this.cards.draw(now, this);
    const weights = weightsAt(now, stageNow) + (this.bias ? biasesAt(now, stageNow) : 0);
    this.say(`${thousands(weights)} ${weights === 1 ? "parameter" : "parameters"}`);
    this.drawControls();
    this.light();
    this.refreshFolds();
  }

  drawControls() {
    const { now } = this;
    for (const [control, name, i] of this.sliders) {
      const most = { n: Math.min(80, 2 * this.data.limits[1]), stride: 4, padding: Math.max(3, now.kernel[i] - 1) }[name];
      const top = name === "n" ? Math.floor(this.data.limits[1] / (now.depth * (now.plane / this.n[i]))) : most;
      control.range(name === "n" ? Math.max(1, now.kernel[i] - 2 * this.padding[i]) : SIZES.find(([other]) => other === name)[2], Math.max(top, this[name][i]), 1);
      control.set(this[name][i]);
      if (name === "n") control.disable(this.x.length ? `Fixed: x has ${this.x.flat(Infinity).length} values.` : "");
    }
    const set = this.pinnedSet();
    const [widest] = [Math.max(2, ...now.weights.map((value) => 2 * Math.abs(value)))];
    put(this.value.node.querySelector(".control-name"), { text: set === null ? "Value of the pinned weight" : `Value of ${this.names.weight(set)} (${tieLetter(set)}), in all places` });
    if (this.value.limit !== widest && !this.value.input.matches(":active")) this.value.range(-(this.value.limit = widest), widest, 0.05);
    this.value.set(set === null ? 0 : now.weights[set]);
    this.value.disable(set === null ? (this.picked.length ? "That row does not share yet: its weights are its own." : "Click a shared weight to pin it; a change goes to all its places.") : "");
    this.shown.set(this.cells);
    this.biased.set(this.bias);
  }

  drawProduct() {
    const x = this.x.flat(Infinity);
    const values = matrixTimes(this.now, x);
    this.product = { x, values, slid: slidden(this.now, x) };
    this.inputs.fill(x, { scale: scaleFor(x) });
    this.outputs.fill(values.map((value, row) => (row < this.stageNow.tied ? value : null)), { scale: scaleFor(values) });
  }

  // ---- the look of an entry, a weight, an edge

  look(entry) {
    const found = entryAt(this.now, this.stageNow, entry);
    if (!found) return null;
    if (found.set !== undefined) return this.setLook(found.set);
    return (this.ownLooks[entry] ??= { fill: ownColor(entry), ink: OWN_INK, text: String(entry) });
  }

  setLook(set, both = false) {
    const [letter, value] = [tieLetter(set), short(this.now.weights[set], 2)];
    const long = `${letter} ${value}`;
    const text = both && long.length * 7 < this.kernel.cell ? long : both || this.cells === "letters" ? letter : value;
    return { fill: tieColor(set), ink: tieInk(set), text, marked: tieMarked(set) };
  }

  line(entry) {
    const found = entryAt(this.now, this.stageNow, entry);
    if (!found) return null;
    if (found.set === undefined) return { stroke: ownLine(entry), width: this.stageNow.cut === this.now.rows ? 1.4 : 0.8, dash: "none" };
    return { stroke: tieColor(found.set), width: this.now.columns > 40 ? 1.4 : 2, dash: tieMarked(found.set) ? "6 3" : "none" };
  }

  // ---- what is lit

  target() {
    if (this.hover) return this.hover;
    return this.picked.length ? { entry: this.picked[0] * this.now.columns + this.picked[1] } : null;
  }

  known({ entry = 0, row = 0, column = 0, set = 0 }) {
    const { rows, columns, places } = this.now;
    return entry < rows * columns && row < rows && column < columns && set < places.length;
  }

  entriesOf({ entry, row, column, set }) {
    const { now, stageNow } = this;
    if (set !== undefined) return now.places[set].filter((place) => place < stageNow.tied * now.columns);
    if (entry !== undefined) return membersAt(now, stageNow, entry);
    const all = Array.from({ length: now.rows * now.columns }, (_, i) => i);
    const line = (i) => (row === undefined ? i % now.columns === column : Math.floor(i / now.columns) === row);
    return all.filter((i) => line(i) && entryAt(now, stageNow, i));
  }

  light() {
    const { now, names, stageNow } = this;
    const target = this.target();
    const lit = target && this.entriesOf(target);
    const some = lit?.length ? lit : null;
    this.litEntries = some ?? [];
    this.matrix.light(some);
    const sets = new Set((some ?? []).map((entry) => entryAt(now, stageNow, entry).set).filter((set) => set !== undefined));
    if (target?.set !== undefined) sets.add(target.set);
    this.kernel.light(sets.size ? this.kernel.boxes.map((_, i) => i).filter((i) => sets.has(this.setAt(Math.floor(i / this.kernel.columns), i % this.kernel.columns))) : null);
    const row = target?.row ?? (target?.entry === undefined ? null : Math.floor(target.entry / now.columns)) ?? some?.[0] ?? 0;
    if (n1(this)) this.network.light(some, (entry) => this.look(entry).text);
    else this.planes.draw({ row: target?.row ?? (target?.entry !== undefined ? row : Math.floor((some?.[0] ?? Math.max(0, stageNow.step % now.rows - 1) * now.columns) / now.columns)), look: (entry) => this.look(entry), lit: some });
    const pinned = this.picked.length ? { row: this.picked[0], column: this.picked[1] } : null;
    this.matrix.frame("pin", pinned);
    const said = target ? this.targetWords(target, some ?? []) : stageWords(now, stageNow, names);
    this.words.replaceChildren(said[0], h("strong", { text: said[1] }), said[2]);
    const product = this.product && stageNow.tied === now.rows ? ` ${productWords(this.product)}` : "";
    put(this.verdict, { text: countWords(now, this.bias) + product });
    const picture = `Weight matrix of ${now.rows} outputs by ${now.columns} inputs, ${this.stepName(stageNow.step)}, with the same layer as a network.`;
    put(this.svg, { "aria-label": picture });
  }

  targetWords(target, entries) {
    const { now, stageNow, names } = this;
    if (target.row !== undefined) return rowWords(now, stageNow, target.row, names, this.product);
    if (target.column !== undefined) return columnWords(now, stageNow, target.column, names);
    if (target.set !== undefined) return weightWords(now, entries, { set: target.set }, names);
    const found = entryAt(now, stageNow, target.entry);
    if (found) return weightWords(now, entries, found, names);
    const [row, column] = [Math.floor(target.entry / now.columns), target.entry % now.columns];
    return [`Output ${names.output(row)} has `, "no connection", ` to input ${names.input(column)}: a structural zero, no weight and nothing to learn.`];
  }

  stepName(step) {
    const { rows } = this.now;
    if (step % rows === 0) return ["full", "sparse", "shared"][step / rows];
    return step < rows ? `${step} of ${rows} rows cut to their window` : `${step - rows} of ${rows} rows share`;
  }

  kernelWords() {
    const { filters, depth, kernel } = this.now;
    return [...(filters * depth > 1 ? [plural(filters, "filter"), plural(depth, "channel")] : []), kernel.length === 1 ? plural(kernel[0], "tap") : kernel.join(" × ")].join(" × ");
  }

  // The weight in a cell of the kernel strip: filters below each other, channels beside each other.
  setAt(r, c) {
    const { depth, kernel } = this.now;
    const [high, wide] = kernel.length === 2 ? kernel : [1, kernel[0]];
    return ((Math.floor(r / high) * depth + Math.floor(c / wide)) * high + (r % high)) * wide + (c % wide);
  }

  pinnedSet() {
    if (!this.picked.length) return null;
    return entryAt(this.now, this.stageNow, this.picked[0] * this.now.columns + this.picked[1])?.set ?? null;
  }

  // ---- hands

  received(name) {
    if (name === "w") this.kernel.painted = [];
  }

  moves() {
    const go = (by) => () => this.steps.go(this.steps.at + by);
    return { ArrowLeft: go(-1), ArrowRight: go(1), Home: () => this.steps.go(0), End: () => this.steps.go(Infinity), Escape: () => this.change({ picked: [] }) };
  }

  point(target, from) {
    this.hover = target;
    this.light();
    if (!target || !from) return this.tip.hide();
    const grid = this[from];
    const i = from === "matrix" ? target.entry : grid.boxes.findIndex((_, k) => this.setAt(Math.floor(k / grid.columns), k % grid.columns) === target.set);
    const [x, y] = grid.center(Math.floor(i / grid.columns), i % grid.columns);
    return this.tip.show(x, y - grid.cell / 2 + 4, this.tipWords(target));
  }

  tipWords({ entry, set }) {
    const { now, names, stageNow } = this;
    const found = entry === undefined ? { set } : entryAt(now, stageNow, entry);
    const place = entry === undefined ? "" : `output ${names.output(Math.floor(entry / now.columns))} ← input ${names.input(entry % now.columns)}\n`;
    if (!found) return `${place}no connection`;
    if (found.set === undefined) return `${place}a weight of its own`;
    return `${place}${tieLetter(found.set)} = ${names.weight(found.set)} = ${short(now.weights[found.set], 4)}`;
  }

  // A pinned weight stays lit while nothing else is pointed at; the same click again takes the pin away.
  pick(entry) {
    if (entry === undefined) return;
    const { columns } = this.now;
    const old = this.picked.length ? this.entriesOf({ entry: this.picked[0] * columns + this.picked[1] }) : [];
    const same = old.includes(entry);
    this.hover = null;
    this.change({ picked: same ? [] : [Math.floor(entry / columns), entry % columns] });
  }

  resizeTo(values) {
    const { fault } = giantModel({ ...this, ...values }, this.data.limits);
    if (!fault) return this.change(values, { reshape: true });
    this.drawControls();
    return put(this.verdict, { text: `Not possible: ${fault}.` });
  }

  editWeight(value) {
    const flat = [...this.now.weights];
    flat[this.pinnedSet()] = value;
    const fold = (part, shape) => (shape.length === 1 ? part : Array.from({ length: shape[0] }, (_, i) => fold(part.slice((i * part.length) / shape[0], ((i + 1) * part.length) / shape[0]), shape.slice(1))));
    this.now.weights = flat;
    this.change({ w: fold(flat, nestedShape(this.w)) });
  }

  editInput(column, value) {
    const flat = this.x.flat(Infinity);
    flat[column] = value;
    const fold = (part, shape) => (shape.length === 1 ? part : Array.from({ length: shape[0] }, (_, i) => fold(part.slice((i * part.length) / shape[0], ((i + 1) * part.length) / shape[0]), shape.slice(1))));
    this.change({ x: fold(flat, nestedShape(this.x)) });
  }

  // ---- numbers and code

  tables() {
    const { now, names, bias, stageNow } = this;
    const { counts, biases } = now;
    const stages = STAGES.map(([name, title]) => [title, counts[name], biases[name], counts[name] + biases[name], short(counts.full / counts[name], 4)].map(String));
    const sets = now.places.map((list, set) => [tieLetter(set), names.weight(set), short(now.weights[set], 6), String(list.length), list.map(edgeWords(names, now.columns)).join("; ")]);
    const matrix = Array.from({ length: now.rows }, (_, r) => {
      const cells = Array.from({ length: now.columns }, (_, c) => now.ties[r * now.columns + c]);
      return [names.output(r), ...cells.map((set) => (set < 0 ? "" : short(now.weights[set], 6)))];
    });
    const product = this.product && table("y = W x, and the convolution of x with w", ["output", "W x", "convolution"], this.product.values.map((value, r) => [names.output(r), short(value, 6), short(this.product.slid[r], 6)]));
    return [
      table("Parameters", ["layer", "weights", "biases", "both", "full / this, weights"], stages),
      table("The shared weights and their places", ["", "weight", "value", "places", "output ← input"], sets),
      table("The shared matrix; empty where there is no connection", ["output", ...Array.from({ length: now.columns }, (_, c) => names.input(c))], matrix),
      ...(product ? [product] : []),
    ];
  }

  code() {
    return { numpy: numpyListing(this), torch: torchListing(this) };
  }
}

const n1 = (view) => view.data.rank === 1;

function render({ model, el }) {
  const view = new GiantMatrix(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { biasesAt, entryAt, giantModel, matrixTimes, membersAt, slidden, stageAt, tieLetter, weightsAt };
export default { render };
