// What the reader sees and does: planes, slices, partial maps and their sum; steps over the positions of a map.
class VolumeView extends DemoView {
  constructor(model, el) {
    const options = ["x", "w", "b", "stride", "padding", "dilation", "groups", "padding_mode", "one_by_one"];
    const state = [...options, "filter", "step", "tap", "first"];
    const keys = "Arrow keys move the window, space plays, Home and End jump.";
    super(model, { kind: "volume-view", heading: "What does one filter do with a stack of planes?", state, keys });
    this.options = options;
    this.given = Object.fromEntries(options.map((name) => [name, this[name]]));
    this.givenGroups = this.data.groups;
    this.plot = new VolumePlot(this);
    this.svg.append(...this.plot.nodes);
    this.strip = mapStrip(this);
    this.costs = costPanel();
    this.steps = new Steps({
      label: "Position",
      perSecond: 4,
      show: (step) => this.stepName(step),
      hint: "Drag over a plane or a map; click a cell of a plane or a slice and type. ← → ↑ ↓ move, space plays.",
      onStep: (step) => this.change({ step }),
      onState: (playing) => this.quiet(playing),
    });
    this.settings = volumeSettings(this);
    this.begin(el, this.strip.node, this.steps.node, this.explain, this.settings.top, this.costs.node, this.settings.node);
  }

  // ---- numbers; computed anew only when what they depend on was replaced

  keep(name, parts, make) {
    const old = this[name];
    if (!old || parts.some((part, i) => part !== old.parts[i])) this[name] = { parts, value: make() };
    return this[name].value;
  }

  get now() {
    return this.keep("kept", this.options.map((name) => this[name]), () => volumeModel(this));
  }

  get partials() {
    return this.keep("parts", [this.now, this.filter], () => partialMaps(this.now, this.filter));
  }

  get position() {
    return unravel(this.step, this.now.outputs);
  }

  get depthIn() {
    const [axis] = this.now.axes;
    return this.position[0] * axis.stride + this.tap * axis.dilation;
  }

  // The input channels that are shown.
  get channels() {
    const { now, filter } = this;
    if (now.fault) return [];
    const from = firstChannel(filter, now.filters, now.groups, now.depth) + this.first;
    return Array.from({ length: this.plot.shown(now, this.width) }, (_, i) => from + i);
  }

  // ---- drawing

  layout(width) {
    this.width = width;
    const { now } = this;
    this.filter = Math.min(this.filter, now.filters - 1);
    this.tap = Math.min(this.tap, now.kernel[0] - 1);
    this.first = Math.max(0, Math.min(this.first, now.depth - this.plot.shown(now, width)));
    this.steps.resize(product(now.outputs), this.step);
    this.step = this.steps.at;
    if (now.fault) return;
    const height = this.plot.layout(width, now, (i) => this.titles(i));
    put(this.svg, { width, height });
  }

  titles(i) {
    const { now, filter } = this;
    const clip = now.rank === 3;
    const out = clip ? `, depth ${this.position[0]}` : "";
    if (i === null) return [`Activation map ${filter}${out}`];
    const channel = this.channels[i];
    const depth = this.depthIn - now.axes[0].before;
    const slice = channel - firstChannel(filter, now.filters, now.groups, now.depth);
    return [
      `Channel ${channel}${!clip ? "" : depth < 0 || depth >= now.sizes[0] ? ", padding" : `, depth ${depth}`}`,
      `Slice w[${filter}, ${slice}${clip ? `, ${this.tap}` : ""}]`,
      `Partial map ${channel}${out}`,
    ];
  }

  planeSize() {
    const { now, plot } = this;
    const { pitch } = plot.columns[0].plane;
    const padded = now.axes.slice(1).some(({ before }) => before > 0);
    const size = times(spatial(now.sizes, Math.min(now.rank, 2)));
    return pitch > 145 ? `${size}${padded && pitch > 200 ? " + padding" : ""}` : "";
  }

  draw() {
    const { now } = this;
    this.settings.set();
    put(this.svg, { visibility: now.fault ? "hidden" : null });
    put(this.strip.node, { hidden: Boolean(now.fault) });
    put(this.costs.node, { hidden: Boolean(now.fault) });
    if (now.fault) {
      this.say("No output", false);
      this.words.replaceChildren(`There is no output: ${now.fault}.`);
      put(this.verdict, { text: "" });
    } else this.drawLayer();
    this.refreshFolds();
  }

  drawLayer() {
    const { now, filter, position, channels, plot, tap, depthIn } = this;
    const shown = [now, depthIn, position[0], filter, this.first, tap, this.width];
    const where = { channels, filter, position, depthIn, tap, depthOut: position[0] };
    const changed = (count) => shown.slice(0, count).some((part, i) => part !== this.painted?.[i]);
    if (changed(shown.length)) {
      where.cards = changed(3);
      this.painted = shown;
      if (now.rank === 3) plot.layout(this.width, now, (i) => this.titles(i)); // the headings name the depth
      plot.paintInput(now, where);
      plot.paintMaps(now, this.partials, where);
      this.strip.show(now, filter, plot.cube.cards.out);
      this.costs.show(now);
      this.say(`Output ${times([now.filters, ...spatial(now.outputs, now.rank)])}`);
      put(plot.below, { text: this.sumWords() });
    }
    const dot = dotProduct(now, filter, position);
    this.dot = dot;
    plot.paintStep(now, dot, where);
    const { before, result, after } = dotWords(now, dot, filter, position);
    this.words.replaceChildren(before, h("strong", { text: result }), after);
    const note = filterNote(now, filter, { oneByOne: this.one_by_one, givenGroups: this.givenGroups });
    const clip = now.rank === 3 ? `\nThe picture shows depth ${tap} of the kernel; the sums take all ${now.kernel[0]}.` : "";
    put(this.verdict, { text: `${note}${clip}\nSize: ${volumeSizeWords(now)}.` });
    const picture = `Input planes, slices of filter ${filter}, partial maps and their sum; the window stands at ${placeWords(position, now.rank)}.`;
    put(this.svg, { "aria-label": picture });
  }

  // Under the map: what was added.
  sumWords() {
    const { now, filter, channels } = this;
    const part = channels.length < now.depth ? ` (${channels.length} shown)` : "";
    return `sum of ${plural(now.depth, "partial map")}${part}${now.biases ? `, bias ${short(now.biases[filter], 4)}` : ""}`;
  }

  stepName(step) {
    const { now } = this;
    return now.fault ? "none" : `${step + 1} of ${product(now.outputs)} (${placeWords(unravel(step, now.outputs), now.rank)})`;
  }

  // ---- hands

  received(name) {
    if (this.options.includes(name)) this.given[name] = this[name];
  }

  moves() {
    const go = (by) => () => this.steps.go(this.step + by);
    const row = this.now.outputs[2];
    const moves = { ArrowLeft: go(-1), ArrowRight: go(1), ArrowUp: go(-row), ArrowDown: go(row) };
    return { ...moves, Home: () => this.steps.go(0), End: () => this.steps.go(Infinity) };
  }

  choose(filter) {
    this.change({ filter, first: 0 }, { reshape: true });
  }

  go([row, column]) {
    if (!this.now.fault) this.steps.go(ravel([this.position[0], row, column], this.now.outputs));
  }

  // Put the middle of the window near a cell of a padded plane.
  aim([row, column]) {
    const place = (at, i) => {
      const { stride, kernel, dilation } = this.now.axes[i];
      const place = Math.round((at - (extent(kernel, dilation) - 1) / 2) / stride);
      return Math.min(Math.max(place, 0), this.now.outputs[i] - 1);
    };
    this.go([place(row, 1), place(column, 2)]);
  }

  setDepth(depth) {
    this.steps.go(ravel([depth, ...this.position.slice(1)], this.now.outputs));
  }

  setGroups(index) {
    this.change({ groups: divisors(this.now.channels, this.now.filters)[index], first: 0 }, { reshape: true });
  }

  groupName(index) {
    const groups = divisors(this.now.channels, this.now.filters)[index] ?? this.groups;
    return groups === this.now.channels && groups > 1 ? `${groups} (depthwise)` : String(groups);
  }

  // 1 × 1 needs no padding; what was set comes back with the whole kernel.
  setPoint(on) {
    if (on) this.before = this.padding;
    const padding = on || !this.before ? this.padding.map(() => 0) : this.before;
    this.reshape({ one_by_one: on, padding, tap: 0 });
  }

  // Another layer: one of the examples, or what was given.
  take(index) {
    if (index < 0) {
      this.givenGroups = this.data.groups;
      this.change({ ...this.given, filter: 0, step: 0, tap: 0, first: 0 }, { reshape: true });
      return;
    }
    const { x, w, b, padding = 0, at } = this.data.examples[index];
    const rank = x.shape.length - 1;
    this.givenGroups = 1;
    const options = { stride: Array(rank).fill(1), padding: Array(rank).fill(padding), dilation: Array(rank).fill(1) };
    const arrays = { x: nestedRows(unpack(x)), w: nestedRows(unpack(w)), b: [...unpack(b).values] };
    const start = { groups: 1, padding_mode: "zeros", one_by_one: false, filter: 0, step: 0, tap: 0, first: 0 };
    Object.assign(this, arrays, options, start);
    const middle = this.now.outputs.map((size) => Math.floor(size / 2));
    this.change({ step: ravel(at ? lifted(at, 0) : middle, this.now.outputs) }, { reshape: true });
  }

  // Another option of the layer: the window stays at its place, as far as there is one.
  reshape(values) {
    const old = this.now.fault ? [0, 0, 0] : this.position;
    Object.assign(this, values);
    const { fault, outputs } = this.now;
    const step = fault ? 0 : ravel(old.map((place, i) => Math.min(place, outputs[i] - 1)), outputs);
    this.change({ step }, { reshape: true });
  }

  editInput(i, row, column, value) {
    const { now } = this;
    const at = [this.depthIn, row, column].map((p, axis) => p - now.axes[axis].before);
    if (at.some((p, axis) => p < 0 || p >= now.sizes[axis])) return; // padding is not the reader's
    const index = [this.channels[i], ...spatial(at, now.rank)];
    this.change({ x: replaced(this.x, index, value) });
  }

  editWeight(i, row, column, value) {
    const { now } = this;
    const kernel = lifted(shapeOf(this.w).slice(2), 1);
    const tap = this.one_by_one ? kernel.map((size) => Math.floor(size / 2)) : [this.tap, row, column];
    this.change({ w: replaced(this.w, [this.filter, this.channels[i], ...spatial(tap, now.rank)], value) });
  }

  // ---- notes beside the pointer

  point(which, i, row, column) {
    const { now, plot } = this;
    const onMap = which === "map" || which === "partial";
    plot.frameAll("reach", onMap && row !== null ? plot.windowAt(now, [0, row, column]) : null, this.channels.length);
    if (row === null || row === undefined || now.fault) return this.tip.hide();
    const plane = which === "map" ? plot.map : plot.columns[i][which];
    const { values, columns } = plane;
    const value = short(values[row * columns + column], 4);
    const [r, c] = which === "plane" ? [row - now.axes[1].before, column - now.axes[2].before] : [row, column];
    const at = now.rank === 1 ? `[${c}]` : `[${r}, ${c}]`;
    const name = { plane: `channel ${this.channels[i]}`, slice: plane.title.toLowerCase(), partial: plane.title.toLowerCase(), map: plane.title.toLowerCase() }[which];
    return this.tip.show(...plane.center(row, column), `${name} ${at} = ${value}`);
  }

  // ---- numbers and code

  tables() {
    if (this.now.fault) return [];
    const rows = this.keep("rows", [this.partials], () => mapTable(this.now, this.partials, this.filter));
    return [productTable(this.now, this.dot, this.filter, this.position), rows];
  }

  code() {
    if (this.now.fault) return { numpy: "# There is no output: see the words above." };
    const make = () => ({ numpy: volumeNumpy(this.now, this.filter), torch: volumeTorch(this.now, this.filter) });
    return this.keep("texts", [this.partials], make);
  }
}

// A flat array as nested lists, and nested lists with one number replaced.
function nestedRows({ values, shape }, from = 0) {
  if (!shape.length) return values[from];
  const step = product(shape.slice(1));
  return Array.from({ length: shape[0] }, (_, i) => nestedRows({ values, shape: shape.slice(1) }, from + i * step));
}

function replaced(list, [at, ...rest], value) {
  return list.map((item, i) => (i !== at ? item : rest.length ? replaced(item, rest, value) : value));
}

function render({ model, el }) {
  const view = new VolumeView(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { blocksOf, divisors, dotProduct, paddedPlane, partialMaps, volumeCounts, volumeModel };
export default { render };
