// What the reader sees and does: two panels with the same net, filled in two orders on one clock of multiply-adds.
const PRESETS = {
  1: [[[8], [2]], [[4, 3], [2, 1]], [[4, 2, 2], [2, 1, 1]], [[2, 2, 2, 2], [2, 1, 1, 1]]],
  2: [[[6], [2]], [[4, 2], [2, 1]], [[2, 2, 2], [2, 1, 1]], [[2, 1, 2, 2], [2, 1, 1, 1]]],
};

class OrderOfComputation extends DemoView {
  constructor(model, el) {
    const state = ["n", "widths", "hops", "features", "remember", "clock"];
    const keys = "Left and right arrow keys step through the units, space plays, Home and End jump.";
    super(model, { kind: "order-of-computation", heading: "In which order is a scan computed?", state, keys });
    this.pool = unpackPool(this.data.pool);
    const hands = {
      onSeek: (time) => this.seek(time),
      onUnit: (unit, panel) => this.lookAt(unit, panel),
      onPick: (unit, panel) => this.pick(unit, panel),
    };
    this.panels = [
      new OrderPanel({ name: "window-first", title: "Window-first", note: "all layers at one window, then at the next", ...hands }),
      new OrderPanel({ name: "layer-first", title: "Layer-first", note: "one neuron at all places, then the next", ...hands }),
    ];
    this.svg.append(...this.panels.map(({ node }) => node));
    this.steps = new Steps({
      label: "Clock",
      show: (step) => this.stepName(step),
      hint: "Click a unit to go to when it is computed, drag along a timeline. ← → step, space plays.",
      perSecond: 12,
      onStep: (step) => this.change({ clock: this.now.events[step] }),
      onState: (playing) => this.quiet(playing),
    });
    this.legend = h("p", { class: "legend" });
    this.legend.append(...[["first", "computed"], ["again", "computed again"], ["reads", "being read"], ["window", "window"]].flatMap(
      ([kind, text]) => [h("span", {}, h("i", { class: kind, "aria-hidden": "true" }), text)],
    ));
    this.begin(el, this.legend, this.steps.node, this.explain, this.settings());
  }

  // ---- parts

  settings() {
    this.controls = [];
    const { rank, ownInput, layers: own, mostFeatures, mostWidth, x } = this.data;
    const most = rank === 1 ? [x[0].length] : [x[0].length, x[0][0].length];
    const axes = rank === 1 ? [["Input length", "Window", "Hop"]] : [["Input height", "Window height", "Hop down"], ["Input width", "Window width", "Hop across"]];
    const add = (name, label, high, read, write, reason) => {
      const control = slider({ name, label, min: 1, max: high, value: read(), onInput: (value) => this.change(write(value), { reshape: true }) });
      if (reason) control.disable(reason);
      this.controls.push([control, read]);
      return control.node;
    };
    const put2 = (name, i, axis, value) => ({ [name]: this[name].map((sizes, k) => (k === i ? sizes.map((v, a) => (a === axis ? value : v)) : sizes)) });
    this.preset = choice({
      ...{ name: "levels", label: "Scan", options: this.presets(), value: 1 },
      onInput: (levels) => this.change(this.presetOf(levels), { reshape: true }),
    });
    this.memo = toggle({
      ...{ name: "remember", label: "Remember blocks", value: this.remember },
      note: "Window-first keeps what it computed for the windows to come.",
      onInput: (remember) => this.change({ remember }, { reshape: true }),
    });
    const first = h("div", { class: "level" }, h("h4", { text: ownInput ? "Your input" : "Input" }), ...(own ? [] : [this.preset.node]));
    first.append(
      ...axes.map(([label], a) =>
        add(`n-${a}`, label, most[a], () => this.n[a], (value) => ({ n: this.n.map((v, k) => (k === a ? value : v)) })),
      ),
      this.memo.node,
    );
    const groups = this.features.map((_, i) => {
      const fixed = own && `Fixed by the net: it takes ${own[i][0][0].length} numbers.`;
      const widths = axes.map(([, label], a) =>
        add(`width-${i}-${a}`, label, Math.max(mostWidth, this.widths[i][a]), () => this.widths[i][a], (value) => put2("widths", i, a, value), a ? fixed && " " : fixed),
      );
      const hops = axes.map(([, , label], a) => add(`hop-${i}-${a}`, label, Math.max(6, this.hops[i][a]), () => this.hops[i][a], (value) => put2("hops", i, a, value)));
      const count = add(`features-${i}`, "Neurons", Math.max(mostFeatures, this.features[i]), () => this.features[i], (value) => ({ features: this.features.map((v, k) => (k === i ? value : v)) }), own && "Fixed by the net.");
      const title = i === this.features.length - 1 ? `Layer ${i + 1}: scores` : `Layer ${i + 1}`;
      return h("div", { class: "level" }, h("h4", { text: title }), ...widths, ...hops, count);
    });
    return h("div", { class: "settings" }, first, ...groups);
  }

  presets() {
    const names = ["plain: layer 1 sees the window", "distributed over 2 levels", "distributed over 3 levels", "distributed over 4 levels"];
    return names.slice(0, Math.min(this.features.length, 4)).map((name, i) => [i + 1, name]);
  }

  // The same window and hop for all presets; a plain scan keeps what the net looks at now, where a slider can reach it.
  presetOf(levels) {
    const { rank, mostWidth } = this.data;
    let [widths, hops] = PRESETS[rank][levels - 1];
    const { field, jump } = this.now.net.geometry;
    if (levels === 1 && Math.max(...field) <= mostWidth) [widths, hops] = [[field], [jump]];
    const spread = (sizes) => this.features.map((_, i) => [sizes[i] ?? 1].flat()).map((size) => (size.length === rank ? size : Array(rank).fill(size[0])));
    return { widths: spread(widths), hops: spread(hops) };
  }

  currentLevels() {
    const looks = this.widths.map((sizes, i) => Math.max(...sizes, ...this.hops[i]) > 1);
    return Math.max(1, looks.lastIndexOf(true) + 1);
  }

  // ---- drawing

  // Both orders are run when the net changes, not when the clock does.
  compute() {
    const { n, widths, hops, features, remember } = this;
    const key = JSON.stringify([n, widths, hops, features, remember]);
    if (key === this.computed) return;
    this.computed = key;
    const net = netOf(this);
    this.now = { net, remember, clock: this.clock };
    if (net.fault) return;
    const both = bothOrders(net, remember);
    Object.assign(this.now, both, { longest: Math.max(both.windowFirst.total, both.layerFirst.total) });
    this.now.looks = { "window-first": looksOf(both.windowFirst, net), "layer-first": looksOf(both.layerFirst, net) };
  }

  layout(width) {
    if (this.now.net.fault) return;
    const narrow = width < 700;
    const panel = narrow ? width : (width - 36) / 2;
    let bottom = 0;
    this.panels.forEach((part, i) => {
      const place = narrow ? { x: 0, y: i ? bottom + 26 : 0 } : { x: i * (panel + 36), y: 0 };
      const end = part.layout(this.now, { ...place, width: panel });
      bottom = narrow ? end : Math.max(bottom, end);
    });
    put(this.svg, { width, height: bottom + 2 });
    const { events } = this.now;
    this.steps.resize(events.length, eventAt(events, this.clock));
    this.clock = events[this.steps.at];
  }

  draw() {
    const { net } = this.now;
    for (const [control, read] of this.controls) control.set(read());
    this.memo.set(this.remember);
    this.preset.set(this.currentLevels());
    put(this.svg, { visibility: net.fault ? "hidden" : null });
    if (net.fault) this.drawFault(net.fault);
    else this.drawTime();
    this.refreshFolds();
  }

  drawFault(fault) {
    this.say("No window fits", false);
    this.words.replaceChildren(`Nothing can be computed: ${fault}. Take a longer input, or smaller widths and hops.`);
    put(this.verdict, { text: "" });
  }

  drawTime() {
    const { now } = this;
    now.clock = this.clock;
    for (const panel of this.panels) panel.draw(this.clock);
    this.say(answerWords(now));
    const sentences = this.panels.map((panel) => unitWords(now, panel.ran, panel.title));
    this.words.replaceChildren(...sentences.flatMap(({ before, value, after }, i) => [...(i ? [h("br")] : []), before, ...(value ? [h("strong", { text: value })] : []), after]));
    put(this.verdict, { text: verdictWords(now) });
    const [left, right] = this.panels.map(({ state }) => state.ready);
    put(this.svg, { "aria-label": `After ${this.clock} multiply-adds, window-first has ${left} scores and layer-first ${right}.` });
  }

  stepName(step) {
    const time = this.now?.events?.[step] ?? 0;
    return `${plural(time, "multiply-add")} each`;
  }

  // ---- hands

  seek(time) {
    this.steps.go(eventAt(this.now.events, time));
  }

  // Go to the first time after now when this unit is computed in that order, or to its first time.
  pick({ layer, at }, panel) {
    if (!layer) return;
    const times = this.now.looks[panel.name].times[layer - 1][at];
    if (!times.length) return;
    this.steps.go(eventAt(this.now.events, times.find((time) => time > this.clock) ?? times[0]));
  }

  lookAt(unit, panel) {
    const places = this.panels.map((part) => part.look(unit));
    if (!unit) return this.tip.hide();
    const [x, y] = places[this.panels.indexOf(panel)];
    return this.tip.show(x, y - 14, tipWords(this.now, unit), true);
  }

  moves() {
    if (this.now.net.fault) return {};
    const go = (by) => () => this.steps.go(this.steps.at + by);
    return { ArrowLeft: go(-1), ArrowRight: go(1), PageUp: go(10), PageDown: go(-10), Home: () => this.steps.go(0), End: () => this.steps.go(Infinity) };
  }

  // ---- numbers and code

  tables() {
    if (this.now.net.fault) return [];
    return [layerTable(this.now), unitTable(this.now, this.panels)];
  }

  code() {
    if (this.now.net.fault) return { numpy: "" };
    return { numpy: numpyListing(this.now), torch: torchListing(this.now) };
  }
}

function render({ model, el }) {
  const view = new OrderOfComputation(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { bothOrders, netOf, orderOf, peakOf, run, scanGeometry, sharedBlocks, stateAt, stretches, unpackPool };
export default { render };
