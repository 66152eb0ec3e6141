// What the reader sees and does: the matrix, the kernel, and the same layer as a network or as planes, all in the colors of
// the weights; a morph in whole rows from full to sparse to shared.
class GiantMatrix extends MatrixParts {
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
    this.signs = ["⋆", "="].map((text) => s("text", { class: "operator", text, visibility: "hidden" }));
    this.svg.append(...this.signs, n1(this) ? this.network.node : this.planes.node);
    this.steps = new Steps({
      ...{ label: "Rows changed", show: (step) => this.stepName(step), perSecond: 6 },
      hint: "Point at a weight, an edge, a unit or a tap; click pins it. ← → change one row, space plays, Home and End jump.",
      onStep: (step) => this.change({ morph: step / this.now.rows }),
      onState: (playing) => this.quiet(playing),
    });
    this.begin(el, this.steps.node, this.explain, this.settings());
  }

  // ---- drawing

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
    return { stroke: tieColor(found.set), width: this.now.counts.sparse > 200 ? 1.1 : 2, dash: tieMarked(found.set) ? "6 3" : "none" };
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
    if (filters * depth > 1) return [filters, depth, ...kernel].join(" × ");
    return kernel.length === 1 ? plural(kernel[0], "tap") : kernel.join(" × ");
  }

  // The weight in a cell of the kernel strip: filters below each other, channels beside each other.
  setAt(r, c) {
    const { depth, kernel } = this.now;
    const [high, wide] = kernel.length === 2 ? kernel : [1, kernel[0]];
    return ((Math.floor(r / high) * depth + Math.floor(c / wide)) * high + (r % high)) * wide + (c % wide);
  }

  pinnedSet() {
    if (!this.stageNow) return null;
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
    this.now.weights = flat;
    this.change({ w: nestedAs(flat, nestedShape(this.w)) });
  }

  editInput(column, value) {
    const flat = this.x.flat(Infinity);
    flat[column] = value;
    this.change({ x: nestedAs(flat, nestedShape(this.x)) });
  }

  // ---- numbers and code

  tables() {
    return matrixTables(this);
  }

  code() {
    return { numpy: numpyListing(this), torch: torchListing(this) };
  }
}

function render({ model, el }) {
  const view = new GiantMatrix(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { biasesAt, entryAt, giantModel, matrixTimes, membersAt, slidden, stageAt, tieLetter, weightsAt };
export default { render };
