// What the reader sees and does: three views of one pooling layer; steps over its outputs.
const VIEWS = [
  ["forward", "Forward"],
  ["backward", "Backward"],
  ["shift", "Shift by a pixel"],
];

class PoolingStepper extends DemoView {
  constructor(model, el) {
    const options = ["kernel_size", "stride", "padding", "dilation", "ceil_mode", "count_include_pad", "how"];
    const state = ["x", "dy", ...options, "view", "step", "shift", "shift_mode"];
    const keys = "Left and right arrow keys step through the outputs, space plays, Home and End jump.";
    super(model, { kind: "pooling-stepper", heading: "What does pooling keep, and where does its gradient go?", state, keys });
    this.options = options;
    this.plot = new PoolPlot(this);
    this.svg.append(...Object.values(this.plot.nodes));
    this.views = segments({
      ...{ name: "view", label: "View", options: VIEWS, value: this.view },
      onInput: (view) => this.change({ view }, { reshape: true }),
    });
    this.views.node.classList.add("views");
    this.stage.before(this.views.node);
    this.steps = new Steps({
      label: "Output",
      show: (step) => this.stepName(step),
      hint: "Click a cell of x or dy and type; click an output to go there. ← → step, space plays.",
      onStep: (step) => this.change({ step }),
      onState: (playing) => this.quiet(playing),
    });
    this.settings = poolSettings(this);
    this.shifting = shiftPanel(this);
    this.begin(el, this.shifting.node, this.steps.node, this.explain, this.settings.node);
  }

  // ---- numbers; computed anew only when what they depend on was replaced

  keep(name, parts, make) {
    const old = this[name];
    if (!old || parts.some((part, i) => part !== old.parts[i])) this[name] = { parts, value: make() };
    return this[name].value;
  }

  get now() {
    return this.keep("kept", [this.x, ...this.options.map((name) => this[name])], () => poolModel(this));
  }

  get upstream() {
    return this.keep("given", [this.dy, this.now], () => upstream(this.dy, this.now.outputs));
  }

  get after() {
    const make = () => poolModel({ ...this, x: shifted(this.x, this.shift, this.shift_mode) });
    return this.keep("moved", [this.now, this.shift, this.shift_mode], make);
  }

  // ---- drawing

  layout(width) {
    const { outputs } = this.now;
    const count = Math.max(1, outputs[0] * outputs[1]);
    this.steps.resize(count, this.step);
    this.step = this.steps.at;
    put(this.svg, { width, height: this.plot.layout(width, this.now, this.view) });
  }

  draw() {
    const { now, plot, step } = this;
    this.settings.set();
    this.shifting.set();
    this.views.set(this.view);
    if (now.fault) this.drawFault(now.fault);
    else {
      plot.fillForward(now, step, { whole: this.view !== "forward", includePad: this.count_include_pad });
      plot.wins(plot.input, now, this.view === "forward" ? step : now.windows.length - 1);
      if (this.view === "forward") this.drawForward();
      else if (this.view === "backward") this.drawBackward();
      else this.drawShift();
    }
    this.refreshFolds();
  }

  drawFault(fault) {
    this.say("No output", false);
    this.plot.empty(this.now);
    this.words.replaceChildren(`There is no output: ${fault}.`);
    put(this.verdict, { text: "" });
    put(this.svg, { "aria-label": "The input; there is no output." });
  }

  drawForward() {
    const { now, step } = this;
    const [rows, columns] = now.outputs;
    this.say(`Output ${rows} × ${columns}`);
    const note = windowNote(now, step, this.count_include_pad);
    const size = `Size: ${poolSizeWords(now)}. No learnable parameters.`;
    this.tell(forwardWords(now, step), [note, size], "Input, window, output and what is kept of each window");
  }

  drawBackward() {
    const { now, step, upstream: dy } = this;
    const gradient = inputGradient(now, dy, step);
    this.plot.fillBackward(now, dy, step, gradient);
    this.say(`dx after ${step + 1} of ${plural(now.windows.length, "output")}`);
    const rule = now.how === "max" ? "Each output’s gradient goes to the winner of its window; where windows overlap, gradients add up." : "Each output’s gradient is spread evenly over its window; where windows overlap, shares add up.";
    this.tell(backwardWords(now, dy, step, gradient), [backwardNote(now, dy, step, gradient), rule], "Input and output above, their gradients below");
  }

  drawShift() {
    const { now, after, step } = this;
    this.plot.fillShift(now, after, step, this.count_include_pad);
    this.say(`${unchanged(now.output, after.output)} of ${plural(now.output.length, "output")} unchanged`);
    const words = shiftWords(now, after, this.shift);
    this.tell(words, [shiftNote(now, after, step), "Drag the shifted input, or use the sliders."], "Input and output above, the shifted input and its output below");
  }

  tell(words, notes, picture) {
    this.words.replaceChildren(...emphasize(words));
    put(this.verdict, { text: notes.filter(Boolean).join("\n") });
    put(this.svg, { "aria-label": `${picture}; the window stands at output ${place(this.now.windows[this.step].position)}.` });
  }

  inputSize() {
    const { sizes, padded, beyond } = this.now;
    const whole = padded.map((size, i) => size + beyond[i]);
    return sizes.join(" × ") + (String(whole) === String(sizes) ? "" : `, with padding ${whole.join(" × ")}`);
  }

  stepName(step) {
    const { outputs } = this.now;
    return outputs[0] ? `${step + 1} of ${outputs[0] * outputs[1]} (${place(unravel(step, outputs))})` : "none";
  }

  // ---- hands

  moves() {
    const go = (by) => () => this.steps.go(this.step + by);
    return { ArrowLeft: go(-1), ArrowRight: go(1), Home: () => this.steps.go(0), End: () => this.steps.go(Infinity) };
  }

  pick(row, column) {
    if (!this.now.fault) this.steps.go(row * this.now.outputs[1] + column);
  }

  editInput(row, column, value) {
    const [r, c] = [row - this.padding[0], column - this.padding[1]];
    if (this.x[r]?.[c] === undefined) return;
    this.change({ x: this.x.map((line, i) => line.map((old, j) => (i === r && j === c ? value : old))) });
  }

  editUpstream(row, column, value) {
    if (this.now.fault) return;
    const columns = this.now.outputs[1];
    const edited = this.upstream.map((old, i) => (i === row * columns + column ? value : old));
    this.change({ dy: rowsOf(edited, columns) });
  }

  moveTo(shift) {
    const kept = shift.map((way, i) => Math.min(Math.max(way, -3), 3) * (this.data.rank === 1 && i === 0 ? 0 : 1));
    if (String(kept) !== String(this.shift)) this.change({ shift: kept });
  }

  // ---- notes beside the pointer

  point(which, row, column) {
    const { now, plot } = this;
    plot.input.frame("reach", null);
    if (row === null || now.fault) return this.tip.hide();
    const names = { input: plot.input, output: plot.output, dx: plot.dx, dy: plot.dy, moved: plot.moved, "moved-output": plot.movedOutput };
    const grid = names[which];
    const onInput = grid === plot.input || grid === plot.dx || grid === plot.moved;
    const words = onInput ? this.inputNote(which, row, column) : this.outputNote(which, row, column);
    return this.tip.show(...grid.center(row, column), words);
  }

  outputNote(which, row, column) {
    const { now } = this;
    const o = row * now.outputs[1] + column;
    const [top, left] = [row * now.axes[0].stride, column * now.axes[1].stride];
    const [rows, columns] = now.axes.map(({ kernel, dilation }) => extent(kernel, dilation));
    this.plot.input.frame("reach", { row: top, column: left, rows, columns });
    const name = { output: "y", dy: "dy", "moved-output": "y after the shift" }[which];
    const values = { output: now.output, dy: this.upstream, "moved-output": this.after.output }[which];
    return `${name} (${row}, ${column}) = ${cellWords(values[o])}`;
  }

  inputNote(which, r, c) {
    const { now } = this;
    const [row, column] = [r - now.axes[0].padding, c - now.axes[1].padding];
    const value = (which === "moved" ? this.after : now).x[row]?.[column];
    if (value === undefined) return now.how === "max" ? "outside the input: −∞, never wins" : "outside the input";
    const seen = (window) => window.taps.findIndex((tap) => tap.row === row && tap.column === column);
    const holds = (which === "moved" ? this.after : now).windows.filter((window) => seen(window) >= 0);
    if (which === "dx") {
      const { from, values } = inputGradient(now, this.upstream, this.step);
      const cell = row * now.sizes[1] + column;
      const parts = from[cell].map(({ window, part }) => `${cellWords(part)} from output (${now.windows[window].position.join(", ")})`);
      return [`dx (${row}, ${column}) = ${cellWords(values[cell])}`, ...parts].join("\n");
    }
    const wins = holds.filter((window) => window.winner === seen(window)).length;
    const won = now.how === "max" ? `, wins ${wins}` : "";
    return `x (${row}, ${column}) = ${cellWords(value)}\nin ${plural(holds.length, "window")}${won}`;
  }

  // ---- numbers and code

  tables() {
    const { now, upstream: dy } = this;
    if (now.fault) return [];
    return poolTables(now, dy, inputGradient(now, dy), this.after);
  }

  code() {
    if (this.now.fault) return { numpy: "# There is no output: see the words above." };
    return { numpy: poolNumpy(this, this.now, this.upstream), torch: poolTorch(this, this.now, this.upstream) };
  }
}

function render({ model, el }) {
  const view = new PoolingStepper(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { inputGradient, poolCount, poolModel, shifted, shares, unchanged, upstream };
export default { render };
