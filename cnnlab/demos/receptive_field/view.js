// What the reader sees and does: point at a unit, and its cones light up, down to the input and up to the last layer.
const STATE = ["layers", "input_size", "unit", "weighted", "step", "selected", "view", "target", "target_kernel"];
const HINT = "Point at a unit to see its cones, click to keep it. Arrow keys choose a unit, Page Up and Down the layer; space plays.";

class ReceptiveField extends DemoView {
  constructor(model, el) {
    super(model, { kind: "receptive-field", heading: "What does a unit see?", state: STATE, keys: HINT });
    this.keepGiven();
    this.hover = null;
    this.now = stackModel(this);
    this.rows = new UnitRows();
    this.planes = new Planes();
    this.svg.append(this.rows.node, this.planes.node);
    put(this.svg, { role: "img" });
    put(this.stage, { pointermove: (event) => this.point(event), pointerleave: () => this.look(null), click: (event) => this.pin(event) });
    this.steps = new Steps({
      label: "Layers of the cone",
      show: (step) => `${step} of ${this.now.depth}`,
      hint: HINT,
      hints: { start: "Only the unit", back: "One layer less", on: "One layer more" },
      perSecond: 1.2,
      onStep: (step) => this.change({ step }),
      onState: (playing) => this.quiet(playing),
    });
    this.panel = new StackPanel(this);
    this.growth = new Growth(this);
    const question = "How many layers until one output sees a whole picture?";
    this.folds.push(folded({ name: "growth", summary: question, fill: (body) => this.showGrowth(body) }));
    this.root.insertBefore(this.legend(), this.stage);
    this.begin(el, this.steps.node, this.explain, this.panel.node);
  }

  legend() {
    const key = (kind, text) => h("span", {}, h("i", { class: `key ${kind}`, "aria-hidden": "true" }), text);
    this.weights = toggle({
      ...{ name: "weighted", label: "Count the paths", value: this.weighted },
      onInput: (weighted) => this.change({ weighted }, { reshape: true }),
    });
    this.picture = choice({
      ...{ name: "view", label: "Picture", options: [["grids", "grids"], ["height", "height only"], ["width", "width only"]], value: this.view },
      onInput: (view) => this.change({ view }, { reshape: true }),
    });
    this.few = h("span", { class: "few" }, "few paths", h("i", { class: "key scale", "aria-hidden": "true" }), "many");
    this.dashes = key("padding", "padding");
    this.frames = key("nest", "fields of the layers between");
    const keys = h("div", { class: "keys" }, key("self", "the unit"), key("down", "what it sees"), key("up", "what it reaches"), this.dashes, this.frames, this.few);
    return h("div", { class: "legend" }, keys, h("div", { class: "looks" }, this.weights.node, this.picture.node));
  }

  // ---- drawing

  get flat() {
    return this.now.rank === 1 || this.view !== "grids";
  }

  // The axis that the rows show.
  get axis() {
    return this.now.rank === 2 && this.view === "width" ? 1 : 0;
  }

  layout(width) {
    this.now = stackModel(this);
    const { now: model, flat } = this;
    this.keepInside();
    this.steps.resize(model.depth + 1, Math.min(this.step, model.depth));
    put(this.rows.node, { display: flat ? null : "none" });
    put(this.planes.node, { display: flat ? "none" : null });
    const height = flat ? this.rows.layout(model.axes[this.axis], this.layers, width, this.weighted) : this.planes.layout(model, this.layers, width);
    put(this.svg, { width, height, viewBox: `0 0 ${width} ${height}` });
  }

  draw() {
    const { now: model, weighted } = this;
    const shown = this.hover ?? this.unit;
    const [level, ...index] = shown;
    const step = this.hover ? model.depth : this.steps.at;
    const range = [Math.max(0, level - step), level + Math.max(0, step - level)];
    const counts = model.axes.map((axis, i) => cones(axis, level, index[i]));
    if (this.flat) this.rows.draw(counts[this.axis], [level, index[this.axis]], range, weighted);
    else this.planes.draw(counts, shown, range, weighted, range[0] === 0 ? this.nested(shown) : []);
    this.weights.set(weighted);
    this.picture.set(this.view);
    put(this.picture.node, { hidden: model.rank === 1 });
    put(this.few, { hidden: !weighted });
    put(this.dashes, { hidden: !this.flat });
    put(this.frames, { hidden: this.flat });
    const { before, strong, after } = sightWords(model, shown);
    const reach = reachWords(model, shown, weighted);
    this.words.replaceChildren(before, h("strong", { text: strong }), `${after}${reach ? ` ${reach}` : ""}`);
    const fault = model.fault ? `Layer ${model.fault.layer} has no output: ${this.faultWords()}. ` : "";
    put(this.verdict, { text: fault + closedWords(model, level), class: `verdict${fault ? " wrong" : ""}` });
    const seen = level ? product(counts.map((axis) => reached(axis[0])?.count ?? 0)) : 1;
    this.say(`${thousands(seen)} of ${plural(product(this.input_size), "input")} seen`);
    put(this.svg, { "aria-label": `Rows of units, the input and ${plural(model.depth, "layer")}. ${this.words.textContent}` });
    this.panel.draw();
    this.refreshFolds();
  }

  // The field, in the input, of the unit of each layer that stands nearest to the middle of what is seen.
  nested([level, ...index]) {
    const { axes } = this.now;
    const centers = axes.map((axis, i) => fieldOf(axis, level, index[i]).center);
    const areas = Array.from({ length: level }, (_, l) =>
      axes.map((axis, i) => fieldOf(axis, l + 1, l + 1 === level ? index[i] : this.nearest(axis, l + 1, centers[i]))),
    );
    return areas.map(([down, across]) => [down.first, across.first, down.field, across.field]);
  }

  nearest({ seen, sizes }, level, center) {
    const { field, jump, start } = seen[level];
    return Math.min(Math.max(Math.ceil((center - (field - 1) / 2 - start) / jump - 0.5), 0), sizes[level] - 1);
  }

  faultWords() {
    const { axis, words } = this.now.fault;
    const name = this.now.rank === 2 ? `${AXIS_NAMES[2][axis]}: ` : "";
    return `${name}${words}; add padding, enlarge the input or take a smaller kernel`;
  }

  showGrowth(body) {
    if (!body.contains(this.growth.node)) body.append(this.growth.node);
    this.growth.draw();
  }

  // ---- changes

  keepGiven() {
    this.given = { layers: this.layers, input_size: this.input_size };
  }

  received(name) {
    if (name === "layers" || name === "input_size") this.keepGiven();
    if (name === "step") this.steps.go(this.step);
  }

  // The unit, the selected layer and the number of shown layers, where there is none such any more.
  keepInside() {
    const { axes, depth, rank } = this.now;
    const level = Math.min(this.unit[0], depth);
    const index = Array.from({ length: rank }, (_, i) => Math.min(this.unit[i + 1] ?? this.unit.at(-1), axes[i].sizes[level] - 1));
    this.unit = [level, ...index];
    this.selected = Math.min(this.selected, this.layers.length - 1);
    this.hover = null;
  }

  // Another stack: what was whole stays whole, and a unit of the last layer stays in the last layer.
  alter(values) {
    const { depth } = this.now;
    const top = this.unit[0] === depth;
    const whole = this.step >= depth;
    const next = stackModel({ ...this, ...values });
    const step = whole ? next.depth : Math.min(this.step, next.depth);
    this.hover = null;
    const unit = top && next.depth !== depth ? this.middle(next) : this.unit;
    this.change({ ...values, step, unit }, { reshape: true });
  }

  middle({ axes, depth }) {
    return [depth, ...axes.map(({ sizes }) => Math.floor((sizes[depth] - 1) / 2))];
  }

  take(name) {
    const { layers, input_size: size } = this.data.presets.find((preset) => preset.name === name) ?? this.given;
    const next = stackModel({ layers, input_size: size });
    this.change({ layers, input_size: size, unit: this.middle(next), step: next.depth, selected: 0 }, { reshape: true });
  }

  // ---- hands

  unitAt(event) {
    const box = this.svg.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    if (!this.flat) return this.planes.at(x, y);
    const found = this.rows.at(x, y);
    if (!found || this.now.rank === 1) return found;
    const other = this.nearestTo(found[0], 1 - this.axis);
    return this.axis ? [found[0], other, found[1]] : [found[0], found[1], other];
  }

  // On the axis that is not shown: the unit of a level that looks where the kept unit looks.
  nearestTo(level, axis) {
    const [from, ...index] = this.unit;
    return this.nearest(this.now.axes[axis], level, fieldOf(this.now.axes[axis], from, index[axis]).center);
  }

  point(event) {
    this.look(this.unitAt(event));
  }

  look(unit) {
    if (String(unit) === String(this.hover)) return;
    this.hover = unit;
    this.draw();
    if (!unit) return this.tip.hide();
    const [level, ...index] = unit;
    const fields = this.now.axes.map((axis, i) => fieldOf(axis, level, index[i]));
    const sees = level ? `\nsees ${fields.map(({ first, last }) => stretch(first, last)).join(" × ")} (${times(fields.map(({ field }) => field))})` : "";
    const place = this.flat ? this.rows.place([level, index[this.axis]]) : this.planes.place(unit);
    return this.tip.show(...place, `${level ? `Layer ${level}, unit` : "Input"} ${unitName(index)}${sees}`);
  }

  pin(event) {
    const unit = this.unitAt(event);
    if (unit) this.change({ unit });
  }

  go(unit) {
    this.hover = null;
    this.tip.hide();
    this.change({ unit });
  }

  moves() {
    const { axes, depth } = this.now;
    const [level, ...index] = this.unit;
    const along = (axis, by) => () => {
      const next = [...index];
      next[axis] = Math.min(Math.max(index[axis] + by, 0), axes[axis].sizes[level] - 1);
      this.go([level, ...next]);
    };
    const climb = (by) => () => {
      const to = Math.min(Math.max(level + by, 0), depth);
      if (to !== level) this.go([to, ...axes.map((axis, i) => this.nearest(axis, to, fieldOf(axis, level, index[i]).center))]);
    };
    const last = this.flat ? this.axis : 1;
    const moves = { ArrowLeft: along(last, -1), ArrowRight: along(last, 1), PageUp: climb(1), PageDown: climb(-1) };
    Object.assign(moves, { Home: along(last, -Infinity), End: along(last, Infinity) });
    return { ...moves, ArrowUp: this.flat ? climb(1) : along(0, -1), ArrowDown: this.flat ? climb(-1) : along(0, 1) };
  }

  // ---- numbers and code

  tables() {
    const { axes, rank, depth } = this.now;
    const names = AXIS_NAMES[rank];
    const [level, ...index] = this.unit;
    const levels = axes.flatMap((axis, i) =>
      axis.sizes.map((size, l) => [names[i], l, size, axis.seen[l].jump, axis.seen[l].field, axis.seen[l].start, fieldOf(axis, l, 0).center].map(String)),
    );
    const heads = ["axis", "layer", "size", "jump", "field", "first input of unit 0", "center of unit 0"];
    const found = [table(`The recurrence up to layer ${depth}; layer 0 is the input`, heads, levels)];
    axes.forEach((axis, i) => {
      const [paths] = pathsDown(axis, level, index[i]);
      const all = paths.reduce((a, b) => a + b, 0);
      const rows = [...paths].map((count, at) => [String(at), countWords(count), all ? `${((100 * count) / all).toFixed(2)} %` : "–"]).filter((_, at) => paths[at]);
      const of = `Paths from unit ${unitName(this.unit.slice(1))} of ${levelName(level)} to the inputs, ${names[i]}`;
      const joint = rank === 2 ? "; those to a position of both axes are the product" : "";
      found.push(table(of + joint, [`${names[i]}: input`, "paths", "share"], rows));
    });
    return found;
  }

  code() {
    return { numpy: numpyListing(this, this.now), torch: torchListing(this, this.now) };
  }
}

function render({ model, el }) {
  const view = new ReceptiveField(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { closedForm, cones, fieldOf, layersToSee, outputSize, pathsDown, pathsUp, poolPaddingFault, seenAfter, stackModel };
export default { render };
