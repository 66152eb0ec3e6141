// What the reader sees and does: the net of one window, its matrices, and both forms scanned over the input.
class DistributedScan extends DemoView {
  constructor(model, el) {
    const state = ["levels", "window", "widths", "hops", "features", "position", "order"];
    const keys = "Left and right arrow keys move the window, space plays, Home and End jump.";
    super(model, { kind: "distributed-scan", heading: "What happens when levels share the window?", state, keys });
    this.pool = unpackPool(this.data.pool);
    this.pinned = null;
    this.cards = this.levelCards();
    this.wiring = new Wiring({ onBlock: (block) => this.look(block), onPick: (block) => this.pin(block) });
    this.matrices = new Matrices({ onEntry: (entry) => this.look(entry), onPick: (entry) => this.pin(entry) });
    this.bars = new ParameterBars();
    this.cover = new CoverSketch();
    this.strip = new ScanStrip({ onPick: (position) => this.steps.go(position), onScore: (position) => this.lookAtScore(position) });
    this.svg.append(...[this.wiring, this.matrices, this.bars, this.strip, this.cover].map(({ node }) => node));
    this.steps = new Steps({
      label: "Window",
      show: (step) => this.stepName(step),
      hint: "Point at a block or an entry to see its copies, click to pin it; click a score to go there. ← → step, space plays.",
      onStep: (position) => this.change({ position }),
      onState: (playing) => this.quiet(playing),
    });
    this.why = this.fold("why", "Why distribute a scan?", () => whyWords(this.levels).map((text) => h("p", { text })));
    this.root.insertBefore(this.cards.node, this.stage);
    this.begin(el, this.steps.node, this.explain, this.settings());
  }

  // ---- parts

  // Three buttons: the same window with one, two and three levels, and how many parameters each net has.
  levelCards() {
    const names = ["1 level", "2 levels", "3 levels"];
    const parts = names.map((name, i) => {
      const note = h("small", {});
      const node = h("button", { type: "button", name: `levels-${i + 1}`, click: () => this.change({ levels: i + 1 }, { reshape: true }) }, h("strong", { text: name }), note);
      return { node, note };
    });
    return { node: h("div", { class: "cards", role: "group", "aria-label": "Levels that share the window" }, ...parts.map(({ node }) => node)), parts };
  }

  settings() {
    this.controls = [];
    const { rank, layers: own, mostFeatures, mostWidth, x } = this.data;
    const sizes = rank === 1 ? [x[0].length] : [x[0].length, x[0][0].length];
    const axes = rank === 1 ? [""] : [" height", " width"];
    const ways = rank === 1 ? [""] : [" down", " across"];
    const add = (name, label, high, read, write, reason) => {
      const control = slider({ name, label, min: 1, max: high, value: read(), onInput: (value) => this.change(write(value), { reshape: true }) });
      this.controls.push(() => {
        control.set(read());
        control.disable(own ? "Fixed by the net that was given." : reason?.() || null);
      });
      return control.node;
    };
    const at = (list, i, value) => list.map((old, k) => (k === i ? value : old));
    const group = (title, ...nodes) => h("div", { class: "level" }, h("h4", { text: title }), ...nodes.flat());
    const windows = axes.map((axis, a) =>
      add(`window-${a}`, `Window${axis}`, Math.min(sizes[a], mostWidth), () => this.window[a], (value) => ({ window: at(this.window, a, value) })),
    );
    this.sort = choice({
      ...{ name: "order", label: "Rows of the matrices", options: [["place", "block by block"], ["unit", "unit first, as in memory"]], value: this.order },
      onInput: (order) => this.change({ order }, { reshape: true }),
    });
    const lower = [0, 1].map((i) => {
      const unused = () => (this.levels < i + 2 ? `Used with ${i ? "3 levels" : "2 or 3 levels"}.` : "");
      const blocks = axes.map((axis, a) =>
        add(`width-${i}-${a}`, `Block${axis}`, mostWidth, () => this.widths[i][a], (value) => ({ widths: at(this.widths, i, at(this.widths[i], a, value)) }), unused),
      );
      const hops = ways.map((way, a) => add(`hop-${i}-${a}`, `Hop${way}`, 6, () => this.hops[i][a], (value) => ({ hops: at(this.hops, i, at(this.hops[i], a, value)) })));
      return group(`Level ${i + 1}, blocks ${LETTERS[i]}`, blocks, hops);
    });
    const neurons = this.features.map((_, i) =>
      add(`features-${i}`, `Neurons ${LETTERS[i]}`, Math.max(mostFeatures, this.features[i]), () => this.features[i], (value) => ({ features: at(this.features, i, value) })),
    );
    return h("div", { class: "settings" }, group("Window", windows, this.sort.node), ...lower, group("Neurons a block", neurons));
  }

  // ---- numbers

  compute() {
    const key = JSON.stringify(["levels", "window", "widths", "hops", "features"].map((name) => this[name]));
    if (key === this.computed) return;
    this.computed = key;
    const net = netOf(this);
    this.now = { net, levels: this.levels, others: alternatives(this) };
    this.pinned = this.pointed = null;
    if (net.fault) return;
    const both = bothForms(net);
    const counts = weightCounts(net);
    Object.assign(this.now, { both, counts, totals: totals(counts), scales: both.maps.map(({ values }) => scaleFor(values)) });
  }

  // ---- drawing

  layout(width) {
    const { net, both } = this.now;
    if (net.fault) return put(this.svg, { width, height: this.cover.layout(net.fault, width) });
    const narrow = width < 680;
    const left = narrow ? width : Math.round(width * 0.52);
    const right = narrow ? { x: 0, width } : { x: left + 30, width: width - left - 30 };
    const bars = narrow ? 0 : 112;
    const matrices = narrow ? 0 : this.matrices.layout(net, both, this.order, { ...right, y: 0 });
    const wired = this.wiring.layout(net, { x: 0, y: 0, width: left, height: matrices - bars });
    const under = narrow ? this.matrices.layout(net, both, this.order, { ...right, y: wired + 24 }) : Math.max(wired, matrices - bars);
    const counted = this.bars.layout(this.now.totals, { x: 0, y: under + 22, width: left });
    const bottom = this.strip.layout(net, both, { x: 0, y: Math.max(counted, matrices) + 22, width });
    this.steps.resize(both.windows, Math.min(this.position, both.windows - 1));
    this.position = this.steps.at;
    return put(this.svg, { width, height: bottom + 4 });
  }

  draw() {
    const { net, both } = this.now;
    for (const refresh of this.controls) refresh();
    this.sort.set(this.order);
    this.drawCards();
    for (const { node } of [this.wiring, this.matrices, this.bars, this.strip]) put(node, { display: net.fault ? "none" : null });
    put(this.cover.node, { display: net.fault ? null : "none" });
    if (net.fault) this.drawFault(net.fault);
    else {
      this.wiring.paint(both.numbers[this.position], this.now.scales);
      this.strip.go(this.position);
      this.say(`Same scores: largest difference ${tiny(both.difference)}`, both.difference <= 1e-12);
      this.verdict.replaceChildren(kindWords(this.now), h("br"), countWords(this.now.counts, this.now.totals));
      put(this.svg, { "aria-label": `The net of one window with ${plural(this.levels, "level")}, its matrices, its parameters, and the scan with both forms.` });
      this.drawLook();
    }
    this.refreshFolds();
  }

  drawCards() {
    const kinds = ["dense first layer", "blocks, then all of them", "blocks, groups, then all"];
    this.cards.parts.forEach(({ node, note }, i) => {
      const found = this.now.others[i];
      const words = found ? `${plural(found.tied, "parameter")}` : this.data.layers ? "another net" : "blocks do not cover";
      put(note, { text: `${kinds[i]}: ${words}` });
      put(node, { "aria-pressed": String(this.levels === i + 1), disabled: Boolean(this.data.layers) && this.levels !== i + 1 });
    });
  }

  drawFault({ words }) {
    this.say("Blocks do not cover the window", false);
    this.words.replaceChildren(`No such net: ${words}.`);
    put(this.verdict, { text: "The last block must end where the window ends: with inputs left over, the window of the net would be a smaller one." });
  }

  stepName(step) {
    return this.now?.both ? `${step + 1} of ${this.now.both.windows}` : "none";
  }

  // ---- what is pointed at or pinned

  look(target) {
    this.pointed = target;
    this.drawLook();
  }

  pin(target) {
    this.pinned = JSON.stringify(target) === JSON.stringify(this.pinned) ? null : target;
    this.drawLook();
  }

  drawLook() {
    const { net } = this.now;
    if (net.fault) return;
    const found = this.pointed ?? this.pinned;
    const block = found && found.place !== undefined;
    const target = !found ? null : block || found.tie >= 0 ? found : null;
    this.wiring.mark(target && (block ? target : { layer: target.layer, tie: target.tie }));
    this.matrices.mark(target ?? (found ? { layer: found.layer, tie: NaN } : null), found && !block ? found : null);
    if (!found) {
      const { before, value, after } = positionWords(this.now, this.position);
      this.words.replaceChildren(before, h("strong", { text: value }), after);
      this.tip.hide();
      return;
    }
    this.words.replaceChildren(block ? blockWords(net, found) : entryWords(net, found));
    if (!this.pointed) return this.tip.hide();
    const [x, y] = block ? this.wiring.at(found) : this.matrices.at(found);
    return this.tip.show(x, y, block ? `block ${letterOf(found.layer)}, ${product(net.inside.maps[found.layer])} ×` : this.entryTip(found));
  }

  entryTip({ layer, tie }) {
    return tie < 0 ? "no connection" : `${short(this.now.net.layers[layer - 1].weight[tie], 4)}, ${product(this.now.net.inside.maps[layer])} ×`;
  }

  lookAtScore(position) {
    if (position === null) return this.tip.hide();
    const { both } = this.now;
    const top = both.maps.length - 1;
    const box = this.strip.scores[0](0, position);
    const pair = [both.maps[top].values[position], both.numbers[position][top][0]];
    return this.tip.show(box.x + box.width / 2, box.y, `convolutions ${pair[0]}\nexpanded MLP ${pair[1]}`.replaceAll("-", "−"));
  }

  // ---- hands, numbers and code

  moves() {
    if (this.now.net.fault) return {};
    const go = (by) => () => this.steps.go(this.steps.at + by);
    return { ArrowLeft: go(-1), ArrowRight: go(1), Home: () => this.steps.go(0), End: () => this.steps.go(Infinity) };
  }

  tables() {
    return this.now.net.fault ? [] : [countTable(this.now), scoreTable(this.now), weightTable(this.now)];
  }

  code() {
    return this.now.net.fault ? { numpy: "" } : { numpy: numpyListing(this.now), torch: torchListing(this.now) };
  }
}

function countTable({ counts, totals: { dense, untied, tied } }) {
  const rows = counts.map((l, i) => [`${i + 1}`, `${l.rows} × ${l.columns}`, l.places, thousands(l.dense), thousands(l.untied), thousands(l.tied), l.rows, l.features].map(String));
  rows.push(["with biases", "", "", dense, untied, tied, "", ""].map((value) => (value === "" ? "" : typeof value === "number" ? thousands(value) : value)));
  return table("Weights of each layer", ["layer", "matrix", "blocks", "entries", "connected", "different", "biases", "different"], rows);
}

function scoreTable({ net, both }) {
  const top = both.maps.length - 1;
  const places = net.whole.maps[top];
  const rows = Array.from({ length: both.windows * both.features }, (_, k) => {
    const [position, d] = [Math.floor(k / both.features), k % both.features];
    const [one, other] = [both.maps[top].values[d * both.windows + position], both.numbers[position][top][d]];
    return [unravel(position, places).join(", "), `${d}`, rounded(one, 6), rounded(other, 6), tiny(Math.abs(one - other))];
  });
  return table("The scan: one row a score", ["window", "neuron", "convolutions", "expanded MLP", "difference"], rows);
}

function weightTable({ net }) {
  const rows = net.layers.flatMap(({ weight, features, channels, kernel }, i) =>
    [...weight].map((value, tie) => [`${i + 1}`, unravel(tie, [features, channels, ...kernel]).join(", "), short(value, 6), String(product(net.inside.maps[i + 1]))]),
  );
  return table("The different weights", ["layer", "index", "value", "copies"], rows);
}

function render({ model, el }) {
  const view = new DistributedScan(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with cnnlab.nn; a front end uses the default only.
export { alternatives, bothForms, netOf, shapeOf, sharedBlocks, totals, unpackPool, weightCounts };
export default { render };
