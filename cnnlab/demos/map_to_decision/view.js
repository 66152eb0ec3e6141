// What the reader sees and does: a map to drag, four ways to one answer, their gradients back to the cells, and the
// temperature between maximum and mean.
class MapToDecision extends DemoView {
  constructor(widget, el) {
    const flat = widget.get("data").rank === 1;
    const keys = flat
      ? "Left and right arrow keys choose a cell, up and down change its score, with Shift they move the map."
      : "Arrow keys choose a cell, plus and minus change its score, with Shift arrow keys move the map.";
    const state = ["scores", "temperature", "how", "threshold", "shift", "wrap", "offset", "subtract", "cell"];
    super(widget, { kind: "map-to-decision", heading: "How do many scores become one answer?", state, keys });
    const { mlp, sigmoid } = this.data;
    const layers = mlp?.map(({ weight, bias }) => ({ weight: unpack(weight).values, bias: unpack(bias).values }));
    this.net = layers ? { layers, sigmoid } : null;
    this.given = this.scores;
    this.now = this.compute();
    this.plot = new MapPlot(this.shape, this.data.rank, (how) => this.change({ how }));
    this.curve = new TemperatureCurve();
    this.svg.append(...this.plot.nodes, ...this.curve.nodes);
    this.hands = new MapHands(this);
    this.moved = h("p", { class: "verdict moved", "aria-live": "polite" });
    this.trouble = h("p", { class: "trouble", "aria-live": "polite" });
    this.verdict.after(this.moved, this.trouble);
    const hint = `Drag a ${flat ? "bar" : "cell"} up or down to change its score, sideways to move the map; drag along the curve to change τ. ${keys}`;
    this.begin(el, h("p", { class: "hint", text: hint }), this.explain, decisionSettings(this));
  }

  get shape() {
    return [this.scores.length, this.scores[0].length];
  }

  compute() {
    const { scores, shape, shift, wrap, offset, temperature, threshold, subtract, net } = this;
    return decisionModel({ scores: scores.flat(), shape, shift, wrap, offset, temperature, threshold, subtract, net });
  }

  range() {
    const { y } = this.now;
    return Math.max(...y) - Math.min(...y) || 1;
  }

  // Another score, in steps of about a hundredth of the range. What was moved stays where it is seen.
  setCell(cell, value) {
    const step = 10 ** Math.floor(Math.log10(this.range() / 50));
    const digits = Math.max(0, Math.round(-Math.log10(step)));
    const flat = movedMap(this.scores.flat(), this.shape, this.shift, this.wrap);
    flat[cell] = Number((Math.round(value / step) * step - this.offset).toFixed(digits));
    const scores = this.scores.map((row, r) => row.map((_, c) => flat[r * row.length + c]));
    this.change({ scores, shift: [0, 0], cell });
  }

  // ---- drawing

  layout(width) {
    this.now = this.compute();
    this.plot.layout(width, this.now);
    const height = this.curve.layout({ y: this.plot.bottom + 8, width });
    put(this.svg, { width, height });
  }

  draw() {
    this.now = this.compute();
    const context = this.context();
    const { model, how } = context;
    this.plot.draw(context);
    this.curve.draw(model, this.temperature);
    const { before, score, after } = decisionWords(context);
    this.words.replaceChildren(before, h("strong", { text: score }), after);
    put(this.verdict, { text: gradientWords(context) });
    put(this.moved, { text: shiftWords(context) });
    const { Y, found } = model.ways.find((way) => way.how === how);
    const broken = model.ways.some((way) => Number.isNaN(way.Y));
    put(this.trouble, { text: overflowWords(context), class: broken ? "trouble wrong" : "trouble" });
    if (Number.isNaN(Y)) this.say(`${NAMES[how]}: no answer, NaN`, false);
    else this.say(`${NAMES[how]}: ${found ? "yes" : "no"}, ${shown(Y)} is ${found ? "" : "not "}above ${number(this.threshold, 2)}`, found);
    this.drawControls(model);
    const answers = model.ways.map((way) => `${NAMES[way.how]} ${shown(way.Y)}`).join(", ");
    put(this.svg, { "aria-label": `A map of ${plural(model.y.length, "score")}, four ways to one answer (${answers}) and where their gradients go.` });
    this.refreshFolds();
  }

  drawControls({ y }) {
    const { controls } = this;
    const [least, most] = [Math.min(...y), Math.max(...y)];
    const margin = Math.max(1, most - least);
    controls.value.range(least - margin, most + margin, "any");
    controls.threshold.range(Math.floor(Math.min(least - 1, this.threshold)), Math.ceil(Math.max(most + 1, this.threshold)), 0.1);
    controls.offset.range(Math.min(-200, this.offset), Math.max(200, this.offset), 1);
    for (const [control, read] of controls.sliders) control.set(read());
    controls.how.set(this.how);
    controls.wrap.set(this.wrap);
    controls.subtract.set(this.subtract);
  }

  context() {
    const { now: model, how, threshold, temperature, net, subtract, cell, shift, wrap } = this;
    return { model, how, threshold, temperature, net, subtract, cell, shift, wrap };
  }

  // ---- keys, numbers and code

  moves() {
    const [rows, columns] = this.shape;
    const [row, column] = [Math.floor(this.cell / columns), this.cell % columns];
    const go = (down, right) => () => {
      const to = [Math.min(Math.max(row + down, 0), rows - 1), Math.min(Math.max(column + right, 0), columns - 1)];
      this.change({ cell: to[0] * columns + to[1] });
    };
    const raise = (by) => () => this.setCell(this.cell, this.now.y[this.cell] + (by * this.range()) / 40);
    const vertical = this.plot.flat ? { ArrowUp: raise(1), ArrowDown: raise(-1) } : { ArrowUp: go(-1, 0), ArrowDown: go(1, 0) };
    const [first, last] = [() => this.change({ cell: 0 }), () => this.change({ cell: rows * columns - 1 })];
    return { ...vertical, ArrowLeft: go(0, -1), ArrowRight: go(0, 1), "+": raise(1), "-": raise(-1), Home: first, End: last };
  }

  onKey(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!event.shiftKey || !step || event.target !== this.stage) return super.onKey(event);
    const limit = (by, size) => Math.min(Math.max(by, 1 - size), size - 1);
    this.change({ shift: this.shift.map((by, axis) => limit(by + step[axis], this.shape[axis])) });
    event.preventDefault();
    return event.stopPropagation();
  }

  tables() {
    const { y, ways, p, options, shape } = this.now;
    const answers = ways.map(({ how, Y, found, before, gradient }) => {
      const total = gradient.reduce((a, b) => a + b, 0);
      return [NAMES[how], shown(Y, 6), Number.isNaN(Y) ? "none" : found ? "yes" : "no", shown(before, 6), shown(total, 6, false), shown(numericGradient(y, how, options, this.cell), 6, false)];
    });
    const heads = ["way", "Y", "answer", "Y before the move", "sum of dY/dy", `dY/dy of ${cellName(this.cell, shape)} by differences`];
    const rows = y.map((value, i) => [cellName(i, shape).replace("cell ", ""), number(value, 6), shown(p[i], 6, false), ...ways.map(({ gradient }) => shown(gradient[i], 6, false))]);
    const names = ways.map(({ how }) => `dY/dy, ${NAMES[how]}`);
    return [table("The four ways", heads, answers), table("One row a cell", ["cell", "score y", "softmax p", ...names], rows)];
  }

  code() {
    return { numpy: numpyListing(this.context()), torch: torchListing(this.context()) };
  }
}

function render({ model, el }) {
  const view = new MapToDecision(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { aggregate, decisionModel, movedMap, numericGradient, plainSoftmax32, softmaxOf, winnerOf };
export default { render };
