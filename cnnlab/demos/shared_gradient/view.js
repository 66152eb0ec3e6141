// What the reader sees and does: one weight, its edges from x to dy one after another, their sum beside the numeric
// gradient, and one step of training with the copies tied or each alone.
class SharedGradient extends GradientParts {
  constructor(model, el) {
    const state = ["x", "w", "target", "dy", "stride", "padding", "tap", "step", "rate", "h", "show_mean", "show_last"];
    const keys = "Left and right arrow keys step along the edges, space plays, up and down choose the weight, Home and End jump.";
    super(model, { kind: "shared-gradient", heading: "What is the gradient of a weight that stands in many places?", state, keys });
    this.first = this.w;
    this.now = gradientModel(this);
    this.names = placeNames(this.now, this.data.rank);
    const sizes = this.data.rank === 1 ? () => "" : undefined;
    const given = this.dy.length > 0;
    this.kernel = new TieGrid({ name: "kernel", title: "Kernel w", size: () => "pick one", onPick: (r, c) => this.pickTap(r * this.now.kernel[1] + c) });
    this.slopes = new TieGrid({ name: "slopes", title: "Gradient dw", size: () => "", onPick: (r, c) => this.pickTap(r * this.now.kernel[1] + c) });
    const grid = (name, title, onEdit) => new Grid({
      ...{ name, title, size: sizes, onEdit },
      onPoint: (r, c) => this.point(name, r === null ? null : r * this[`${name}Grid`].columns + c),
    });
    this.xGrid = grid("x", "x", (r, c, value) => this.edit("x", r, c, value));
    this.yGrid = grid("y", "y");
    this.targetGrid = grid("target", "target", (r, c, value) => this.edit("target", r, c, value));
    this.dyGrid = grid("dy", "dy", given ? (r, c, value) => this.edit("dy", r, c, value) : undefined);
    this.edges = s("g", { class: "tied-edges" });
    this.nowLine = s("path", { class: "edge-now" });
    this.said = s("text", { class: "label strong", "text-anchor": "middle" });
    this.labels = s("g", {});
    this.waterfall = new Waterfall({ onPick: (step) => this.steps.go(step) });
    const grids = [this.kernel, this.slopes, this.xGrid, this.yGrid, this.targetGrid, this.dyGrid].map(({ node }) => node);
    this.svg.append(this.labels, ...grids, this.edges, this.nowLine, this.said, this.waterfall.node);
    this.steps = new Steps({
      ...{ label: "Edges added", show: (step) => `${step} of ${this.now.edges[this.tap].length}`, perSecond: 1.5 },
      hint: "Click a weight to pick it, a cell of x to change it. ← → step, ↑ ↓ choose the weight, space plays.",
      onStep: (step) => this.change({ step }),
      onState: (playing) => this.quiet(playing),
    });
    this.training = new TrainingPanel({ onStep: () => this.takeStep(), onReset: () => this.change({ w: this.first }) });
    this.begin(el, this.steps.node, this.explain, this.settings(), this.training.node);
  }

  // ---- drawing

  draw() {
    // A step along the edges leaves the numbers as they are; only what it moves is drawn.
    const { x, w, target, dy, stride, padding, rate, show_mean: mean, show_last: last } = this;
    const key = JSON.stringify([x, w, target, dy, stride, padding, rate, mean, last, this.stage.clientWidth]);
    const stepped = key === this.drawnFor;
    this.drawnFor = key;
    if (!stepped) {
      this.now = gradientModel(this);
      this.names = placeNames(this.now, this.data.rank);
      this.drawOuter();
    }
    const { now: model, names, tap, step } = this;
    this.numeric = numericSlope(model, tap, this.h);
    const done = model.edges[tap].slice(0, step);
    const sum = done.reduce((total, { product: part }) => total + part, 0);
    this.drawGrids(sum);
    this.drawEdges(done);
    const all = step === model.edges[tap].length;
    const columns = [
      { name: "sum", words: all ? "sum" : "so far", value: step || all ? sum : null, kind: "sum" },
      { name: "numeric", words: "numeric", value: this.numeric.slope, kind: "numeric" },
      ...(this.show_mean ? [{ name: "mean", words: "mean ✗", value: model.means[tap], kind: "wrong" }] : []),
      ...(this.show_last ? [{ name: "last", words: "last ✗", value: model.lasts[tap], kind: "wrong" }] : []),
    ];
    this.waterfall.draw({
      ...{ products: model.edges[tap].map(({ product: part }) => part), step, columns, slope: this.numeric.slope },
      ...{ style: `fill: ${tieColor(tap)}; stroke: ${tieColor(tap)}`, title: `${names.slope(tap)}: one bar an edge` },
      edgeName: (i) => names.edge(model.edges[tap][i]) ?? String(i + 1),
    });
    const [before, strong, after] = sumWords(model, this, names);
    this.words.replaceChildren(before, h("strong", { text: strong }), after);
    put(this.verdict, { text: numericWords(model, this, names, this.numeric) });
    this.say(`${names.slope(tap)} = ${step || all ? short(sum, 4) : "…"}${all ? "" : " so far"}`, all ? true : null);
    this.drawControls();
    if (!stepped) this.drawTraining();
    const picture = `Input x, kernel w, output gradient dy and the ${plural(model.edges[tap].length, "edge")} of ${names.tap(tap)} between them, ${step} added up to ${short(sum, 4)}; the numeric gradient is ${short(this.numeric.slope, 4)}.`;
    put(this.svg, { "aria-label": picture });
    this.refreshFolds();
  }

  drawGrids(sum) {
    const { now: model, tap, step } = this;
    // Letter and value where all of them fit, else the letter alone.
    const long = (t) => `${tieLetter(t)} ${short(model.weights[t], 2)}`;
    const both = model.weights.every((_, t) => long(t).length * 7 < this.kernel.cell);
    const paint = (grid, values, words) => grid.paint((t) =>
      values[t] === null ? null : { fill: tieColor(t), ink: tieInk(t), text: words(t), marked: tieMarked(t) });
    paint(this.kernel, model.weights, both ? long : tieLetter);
    const slopes = model.sums.map((value, t) => (t !== tap ? value : step || !model.edges[tap].length ? sum : null));
    paint(this.slopes, slopes, (t) => short(slopes[t], 2));
    for (const grid of [this.kernel, this.slopes]) {
      grid.light([tap]);
      grid.frame("window", { row: Math.floor(tap / model.kernel[1]), column: tap % model.kernel[1] });
    }
  }

  drawOuter() {
    const { now: model } = this;
    const outer = [...model.y, ...(model.target ?? []), ...model.dy];
    this.xGrid.fill(model.x, { scale: scaleFor(model.x) });
    this.yGrid.fill(model.y, { scale: centered(Math.max(...outer.map(Math.abs))) });
    if (model.target) this.targetGrid.fill(model.target, { scale: centered(Math.max(...outer.map(Math.abs))) });
    this.dyGrid.fill(model.dy, { scale: centered(Math.max(...model.dy.map(Math.abs))) });
  }

  // All edges of the weight: those added, the one now, and faintly those to come; of two axes only the one now.
  drawEdges(done) {
    const { now: model, tap, step } = this;
    const list = model.edges[tap];
    const color = `stroke: ${tieColor(tap)}`;
    const ends = ({ output, input }) => {
      const at = (grid, flat, edge) => {
        const [x, y] = grid.center(Math.floor(flat / grid.columns), flat % grid.columns);
        return this.data.rank === 1 ? [x, y + (edge * grid.cell) / 2] : [x, y];
      };
      return [...at(this.dyGrid, output, 1), ...at(this.xGrid, input, -1)];
    };
    const fill = `fill: ${tieColor(tap)}; ${color}`;
    const marks = this.data.rank === 1
      ? list.map((edge, i) => {
          const [x1, y1, x2, y2] = ends(edge);
          return s("line", { x1, y1, x2, y2, style: color, class: i < step ? "added" : "to-come" });
        })
      : list.flatMap((edge, i) => {
          const [x1, y1, x2, y2] = ends(edge);
          const dot = (x, y, { cell: size }) => s("circle", { cx: x + size / 2 - (size < 18 ? 4 : 6), cy: y - size / 2 + (size < 18 ? 4 : 6), r: size < 18 ? 2.2 : 3, style: fill, class: i < step ? "added" : "to-come" });
          return [dot(x1, y1, this.dyGrid), dot(x2, y2, this.xGrid)];
        });
    this.edges.replaceChildren(...marks);
    const edge = done.at(-1);
    const cell = (grid, flat) => edge && { row: Math.floor(flat / grid.columns), column: flat % grid.columns };
    this.xGrid.frame("window", cell(this.xGrid, edge?.input));
    this.dyGrid.frame("window", cell(this.dyGrid, edge?.output));
    if (!edge) {
      put(this.nowLine, { d: "" });
      put(this.said, { text: "" });
      return;
    }
    const [x1, y1, x2, y2] = ends(edge);
    const bend = this.data.rank === 1 ? `L${x2} ${y2}` : `C${x1 - 30} ${y1 + 34} ${x2 + 30} ${y2 + 34} ${x2} ${y2}`;
    put(this.nowLine, { d: `M${x1} ${y1}${bend}`, style: color });
    const [a, b] = [model.dy[edge.output], model.x[edge.input]];
    const words = `${factor(a)} · ${factor(b)} = ${short(edge.product, 3)}`;
    const [mx, my] = this.data.rank === 1 ? [(x1 + x2) / 2, (y1 + y2) / 2 + 4] : [this.dyGrid.x + this.dyGrid.width / 2, this.dyGrid.bottom + 20];
    const half = words.length * 3.7;
    put(this.said, { x: Math.min(Math.max(mx, half), this.stage.clientWidth - half), y: my, text: words });
  }

  drawTraining() {
    const { now: model, rate, mostRate } = this;
    const rates = Array.from({ length: 49 }, (_, i) => (i / 48) * mostRate);
    const shown = { sum: true, separate: true, mean: this.show_mean, last: this.show_last };
    const curves = lossCurves(model, rates, RULES.map(([name]) => name).filter((name) => shown[name]));
    this.after = Object.fromEntries(["sum", "mean", "last"].map((rule) => [rule, sharedStep(model, rate, rule)]));
    this.after.separate = separateStep(model, rate);
    this.training.draw({ model, names: this.names, after: this.after, rate, rates, curves, shown });
    put(this.training.words, { text: trainingWords(model, this.after, this) });
    put(this.training.reset, { disabled: JSON.stringify(this.w) === JSON.stringify(this.first) });
  }

  // ---- hands

  received(name) {
    if (name === "w") this.first = this.w;
  }

  moves() {
    const go = (by) => () => this.steps.go(this.steps.at + by);
    const weight = (by) => () => this.pickTap(Math.min(Math.max(this.tap + by, 0), this.now.weights.length - 1));
    return { ArrowLeft: go(-1), ArrowRight: go(1), ArrowUp: weight(-1), ArrowDown: weight(1), Home: () => this.steps.go(0), End: () => this.steps.go(Infinity) };
  }

  pickTap(tap) {
    if (tap === this.tap) return;
    this.change({ tap, step: 0 }, { reshape: true });
  }

  edit(name, row, column, value) {
    const rows = (name === "target" && !this.target.length ? nestRows(this.now.target, this.now.outputs[1]) : this[name]).map((line) => [...line]);
    rows[row][column] = value;
    this.change({ [name]: rows });
  }

  editWeight(value) {
    const w = this.w.map((line) => [...line]);
    w[Math.floor(this.tap / w[0].length)][this.tap % w[0].length] = value;
    this.change({ w });
  }

  takeStep() {
    this.change({ w: nestRows(this.after.sum.weights, this.w[0].length) });
  }

  resizeTo(values) {
    const { fault } = layerOf({ ...this, ...values });
    if (!fault) return this.change({ ...values, step: Infinity }, { reshape: true });
    this.drawControls();
    return put(this.verdict, { text: `Not possible: ${fault}.` });
  }

  // What a cell holds, and which edges of the weight meet it.
  point(name, flat) {
    if (flat === null) return this.tip.hide();
    const { now: model, tap, names } = this;
    const grid = this[`${name}Grid`];
    const place = name === "x" ? names.input(flat) : names.output(flat);
    const met = model.edges[tap].filter((edge) => (name === "x" ? edge.input : edge.output) === flat);
    const said = met.map((edge) => (name === "x" ? `goes to output ${names.at.output(edge.output)}` : `comes from input ${names.at.input(edge.input)}`));
    const words = `${name}[${place}] = ${short(grid.values[flat], 4)}\n${tieLetter(tap)}: ${said[0] ?? "no edge here"}`;
    return this.tip.show(...grid.center(Math.floor(flat / grid.columns) - 0.4, flat % grid.columns), words);
  }

  // ---- numbers and code

  tables() {
    const { now: model, names, tap, after } = this;
    let sum = 0;
    const edges = model.edges[tap].map((edge, i) => {
      sum += edge.product;
      return [i + 1, names.at.output(edge.output), names.at.input(edge.input), ...[model.dy[edge.output], model.x[edge.input], edge.product, sum].map((value) => short(value, 6))].map(String);
    });
    const weights = model.weights.map((value, t) => {
      const { slope } = numericSlope(model, t, this.h);
      const numbers = [value, model.sums[t], slope, model.means[t], model.lasts[t], after.sum.weights[t]].map((part) => short(part, 6));
      const [low, high] = after.separate.spreads[t];
      return [`${tieLetter(t)} = ${names.tap(t)}`, String(model.edges[t].length), ...numbers, low === null ? "" : short(low, 6), high === null ? "" : short(high, 6)];
    });
    const losses = [["before", model.loss], ...RULES.map(([name, words]) => [words, after[name].loss])].map(([words, loss]) => [words, short(loss, 6)]);
    const outputs = model.y.map((value, o) => [names.at.output(o), ...[value, ...(model.target ? [model.target[o]] : []), model.dy[o]].map((part) => short(part, 6))]);
    return [
      table(`The edges of ${names.tap(tap)}`, ["edge", "output", "input", "dy", "x", "dy · x", "sum so far"], edges),
      table("The weights: gradient by three rules, and after one step", ["weight", "edges", "w", "sum", "numeric", "mean", "last", "w − η · sum", "least copy alone", "largest copy alone"], weights),
      table("Loss before and after one step", ["rule", "loss"], losses),
      table("The outputs", ["output", "y", ...(model.target ? ["target"] : []), "dy"], outputs),
    ];
  }

  code() {
    return { numpy: numpyListing(this), torch: torchListing(this) };
  }
}

const nestRows = (flat, columns) => Array.from({ length: flat.length / columns }, (_, r) => [...flat.slice(r * columns, (r + 1) * columns)]);

function render({ model, el }) {
  const view = new SharedGradient(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { bestRate, gradientModel, lossCurves, numericSlope, separateStep, sharedStep };
export default { render };
