// What the reader sees and does: a picture with the window (and a flower) to drag, the window's way through the net, and
// the map. What is not yet computed is worked off between frames and hatched until then.
const SLICE = 12; // milliseconds of computing a frame

class FlowerScanner extends DemoView {
  constructor(widget, el) {
    const moved = widget.get("data").sprite ? "the flower" : "the picture";
    const keys = `Arrow keys move the window, with Shift ${moved}; space scans, Home and End jump.`;
    const state = ["window", "stride", "threshold", "flower_at", "shift", "scanned", "map_of"];
    super(widget, { kind: "flower-scanner", heading: "Where is the flower?", state, keys });
    this.scan = new FlowerModel(this.data);
    this.given = this.scan.ground;
    Object.assign(this, { digits: 2, own: false, drawn: "", changes: 0 });
    this.scan.first.step(this.stride);
    if (this.scan.sprite) this.scan.place(this.flower_at);
    else if (this.shift.some(Boolean)) this.scan.shiftTo(this.shift);
    this.plot = new FlowerPlot();
    this.inspector = new Inspector((n) => this.change({ map_of: this.map_of === n ? -1 : n }));
    this.stage.prepend(this.plot.pictureCanvas, this.plot.mapCanvas, this.inspector.patch, this.inspector.strip);
    this.svg.append(...this.inspector.nodes, ...this.plot.nodes);
    this.hands = new Hands(this);
    this.cost = h("p", { class: "cost" });
    this.words.parentNode.append(this.cost);
    this.steps = new Steps({
      label: "Windows scanned",
      show: (step) => `${thousands(Number(step) + 1)} of ${thousands(this.total)}`,
      hint: `Drag the window${this.scan.sprite ? " or the flower" : ""}; point at the map to see a window. ${keys}`,
      perSecond: Math.max(8, this.total / 16),
      onStep: (step) => this.toStep(step),
      onState: (playing) => this.quiet(playing),
    });
    const settings = flowerSettings(this);
    this.begin(el, this.steps.node, this.explain, settings);
    if (this.scan.layers.length > 1) {
      const neurons = this.fold("neurons", `The ${plural(this.scan.hidden, "neuron")} of the first layer`, () =>
        neuronPanel(this),
      );
      this.extras.append(neurons.node);
    }
    const own = folded({ name: "own", summary: "Your own picture", fill: () => {} });
    own.body.append(...ownPicture(this));
    this.extras.append(own.node);
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    super.destroy();
  }

  get total() {
    return product(this.scan.places.map((n, axis) => Math.ceil(n / this.stride[axis])));
  }

  get count() {
    return this.scanned === null ? this.total : Math.min(this.scanned, this.total);
  }

  // The reader's own picture has no known flower.
  get truth() {
    return this.scan.truth(this.own ? null : this.data.truth);
  }

  // ---- changes

  // What is not up to date is worked off, a slice now and, if that was not enough, one each frame.
  compute() {
    this.scan.work(SLICE);
    this.changes += 1;
    if (!this.scan.left || this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.compute();
      this.redraw();
    });
  }

  received(name) {
    if (name === "flower_at" && this.scan.sprite) this.scan.place(this.flower_at);
    if (name === "shift") this.scan.shiftTo(this.shift);
    if (name === "stride") this.scan.first.step(this.stride);
  }

  snapped(place) {
    return place.map((v, i) => {
      const last = Math.floor((this.scan.places[i] - 1) / this.stride[i]);
      return Math.min(Math.max(Math.round(v / this.stride[i]), 0), last) * this.stride[i];
    });
  }

  // By hand: the scan is complete again.
  byHand(values) {
    if (this.steps.playing) this.steps.player.pause();
    this.change({ ...values, scanned: null });
  }

  moveWindow(place) {
    this.byHand({ window: this.snapped(place) });
  }

  moveFlower(place) {
    const { sprite, shape } = this.scan;
    const at = place.map((v, i) => Math.min(Math.max(Math.round(v), 0), shape[i + 1] - sprite.size[i]));
    if (String(at) === String(this.flower_at)) return;
    this.scan.place(at);
    this.byHand({ flower_at: at });
  }

  movePicture(shift) {
    const wrapped = shift.map((v, i) => ((v % this.scan.shape[i + 1]) + this.scan.shape[i + 1]) % this.scan.shape[i + 1]);
    this.scan.shiftTo(wrapped);
    this.byHand({ shift: wrapped });
  }

  setStride(stride) {
    this.stride = stride;
    this.scan.first.step(stride);
    this.byHand({ stride, window: this.snapped(this.window) });
  }

  toStep(step) {
    const columns = this.map.shape[1];
    const window = [Math.floor(step / columns) * this.stride[0], (step % columns) * this.stride[1]];
    this.change({ window, scanned: step + 1 >= this.total ? null : step + 1 });
  }

  toBrightest() {
    const { best } = this.decision;
    if (best >= 0) this.change({ window: this.placeOf(best) });
  }

  placeOf(cell) {
    return [Math.floor(cell / this.map.shape[1]) * this.stride[0], (cell % this.map.shape[1]) * this.stride[1]];
  }

  // A picture of the reader's own in place of the given one, which null brings back.
  useGround(values, message = "") {
    this.own = values !== null;
    this.scan.load(values ?? this.given);
    put(this.restore, { hidden: !this.own });
    put(this.status, { text: message, class: "status" });
    this.byHand({});
  }

  // ---- drawing

  layout(width) {
    const narrow = width < 640;
    const [, rows, columns] = this.scan.shape;
    const [top, middle, gap] = [26, 178, narrow ? 14 : 34];
    const panel = narrow ? (width - gap - 4) / 2 : (width - middle - 2 * gap - 4) / 2;
    const scale = Math.min(panel / columns, 380 / rows);
    const right = narrow ? 2 + panel + gap : width - 2 - scale * columns;
    this.plot.layout({ left: 2, right, top, width: panel, height: 380 }, this.scan);
    const between = { x: 2 + scale * columns + gap, width: right - gap - (2 + scale * columns + gap) };
    const wide = { y: top, narrow, ...between };
    if (!narrow && wide.width > middle) Object.assign(wide, { x: wide.x + (wide.width - middle) / 2, width: middle });
    const legend = this.plot.bottom + (panel < 300 ? 50 : 32);
    this.inspector.layout(narrow ? { x: 2, y: legend + 26, width: width - 4, narrow } : wide, this.scan);
    put(this.svg, { width, height: Math.max(legend, this.inspector.bottom) + 4 });
    this.drawn = "";
  }

  draw() {
    const { scan, stride, plot, threshold, map_of: neuron } = this;
    this.window = this.snapped(this.window);
    // The map changes less often than the window moves.
    const key = JSON.stringify([this.changes, stride, this.count, threshold, neuron]);
    if (key !== this.drawn) this.drawMap();
    this.drawn = key;
    const { count, total } = this;
    if (!this.steps.playing && (this.steps.count !== total || this.steps.at !== count - 1)) this.steps.resize(total, count - 1);
    plot.drawWindow(this.window, stride);
    const [i, j] = this.window;
    const stages = scan.isFresh(i, j) ? scan.through(i, j) : null;
    this.score = stages ? stages[stages.length - 1].values[0] : null;
    const cell = (i / stride[0]) * this.map.shape[1] + j / stride[1];
    const shown = this.shown.values[cell];
    const color = Number.isNaN(shown) ? null : css(oneSided(...this.range)(shown));
    this.inspector.draw(scan, this.window, stages, { text: stages ? signed(this.score, this.digits) : "", color, neuron });
    this.inspector.connect(plot.box, plot.spot, neuron);
    const context = this.context();
    const { before, score, after } = windowWords(context, this.score);
    this.words.replaceChildren(before, h("strong", { text: score }), after);
    put(this.verdict, { text: verdictWords(context) });
    put(this.cost, { text: costWords(scan.cost(this.map.shape), scan.left) });
    for (const [control, value] of this.controls.sliders) control.set(value());
    this.controls.windowSliders.forEach(({ input }, axis) => put(input, { step: stride[axis] }));
    this.controls.mapOf.set(neuron);
    const picture = `A picture of ${scan.shape.slice(1).join(" × ")} pixels with a window at ${at(i, j)}`;
    put(this.svg, { "aria-label": `${picture}, and the map of ${plural(total, "score")}. ${this.answer.textContent}` });
    this.refreshFolds();
  }

  drawMap() {
    const { scan, stride, plot, count, threshold, map_of: neuron } = this;
    this.map = scan.map(stride);
    this.shown = neuron < 0 ? this.map : scan.map(stride, neuron);
    this.decision = decideMap(this.map.values, threshold, count);
    const all = decideMap(this.map.values, threshold);
    this.digits = decimals(all.low, all.high);
    const { low, high } = neuron < 0 ? all : decideMap(this.shown.values, Infinity);
    this.range = Number.isFinite(low) ? [low, high] : [0, 1];
    plot.drawPicture(scan);
    plot.drawMap(this.shown, { stride, count, low: this.range[0], high: this.range[1], threshold, outline: neuron < 0 });
    plot.drawTruth(this.truth);
    const { best, found } = this.decision;
    const place = best < 0 ? null : this.placeOf(best);
    const name = this.stage.clientWidth < 640 ? "" : "brightest ";
    plot.drawBest(neuron < 0 ? place : null, stride, place ? name + signed(this.map.values[best], this.digits) : "");
    put(plot.pictureTitle, { text: `Picture ${scan.shape.slice(1).join(" × ")}` });
    put(plot.mapTitle, { text: `${neuron < 0 ? "Map" : `Map of neuron ${neuron},`} ${this.map.shape.join(" × ")}` });
    const words = neuron < 0 ? `white line: threshold ${number(threshold, this.digits)}` : "";
    const end = (value) => ({ value, text: number(value, Math.min(this.digits, 2)) });
    plot.drawLegend(end(low), end(high), words);
    if (best < 0) this.say("Computing …");
    else if (found) this.say(`Yes, at ${at(...centerOf(best, this.map.shape, stride, scan.size).map(Math.round))}`, true);
    else this.say("No window above the threshold", false);
    showThreshold(this, all);
  }

  context() {
    const { scan: model, window, stride, threshold, digits, decision, map, count, truth, shift, flower_at } = this;
    return { model, window, stride, threshold, digits, decision, map, count, truth, shift, flower_at };
  }

  // ---- keys, numbers and code

  moves() {
    const go = (down, right) => () => this.moveWindow(this.window.map((v, i) => v + [down, right][i] * this.stride[i]));
    const [first, last] = [() => this.moveWindow([0, 0]), () => this.moveWindow([Infinity, Infinity])];
    return { ArrowUp: go(-1, 0), ArrowDown: go(1, 0), ArrowLeft: go(0, -1), ArrowRight: go(0, 1), Home: first, End: last };
  }

  onKey(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!event.shiftKey || !step || event.target !== this.stage) return super.onKey(event);
    const moved = (place) => place.map((v, i) => v + step[i]);
    if (this.scan.sprite) this.moveFlower(moved(this.flower_at));
    else this.movePicture(moved(this.shift));
    event.preventDefault();
    return event.stopPropagation();
  }

  tables() {
    return scoreTables(this.context());
  }

  code() {
    return { numpy: numpyListing(this.context()), torch: torchListing(this.context()) };
  }
}

function render({ model, el }) {
  const view = new FlowerScanner(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { FirstLayer, FlowerModel, centerOf, decideMap, fromPixels, rolled };
export default { render };
