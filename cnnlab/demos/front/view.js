// The listings of "show me the code", in this order.
const LISTINGS = [["numpy", "NumPy"], ["cnnlab", "cnnlab"], ["torch", "PyTorch"]];

// What every demo's view does the same way: the shell on the page, the state that it shares with Python, its keys,
// and drawing again when its width changes. A demo extends it, builds its parts and calls `begin`.
class DemoView {
  // kind: the class on the page; heading: the question that the demo answers; state: the traits that the reader moves.
  // keys: what the stage itself does with keys, in words; without it the stage is not a stop of the Tab key.
  constructor(model, { kind, heading, state, keys = "" }) {
    Object.assign(this, { model, stateNames: state, data: model.get("data") });
    for (const name of state) this[name] = model.get(name);
    this.answer = h("p", { class: "answer", hidden: true });
    this.svg = s("svg", { role: "group" });
    const focus = keys ? { tabindex: 0 } : {};
    this.stage = h("div", { class: "stage", role: "group", "aria-label": `${heading} ${keys}`.trim(), ...focus }, this.svg);
    this.tip = new Tooltip(this.stage);
    this.words = h("p", { class: "words", "aria-live": "polite" });
    this.verdict = h("p", { class: "verdict", "aria-live": "polite" });
    this.explain = h("div", { class: "explain" }, h("div", {}, this.words, this.verdict));
    const header = h("header", {}, h("h3", { text: heading }), this.answer);
    this.root = h("section", { class: `cnnlab-demo ${kind}`, "aria-label": heading }, header, this.stage);
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.folds = [];
  }

  // ---- to be written by each demo

  // Work out from the state what layout and draw will show; called once for each change, before both.
  compute() {}

  // Lay out for this width in pixels (called when the width or a shape changes), then draw.
  layout() {}

  // Show the numbers as they stand. Everything that may change with the state is set here.
  draw() {}

  // For the folded parts: [table(…), …] and { numpy: "…", cnnlab: "…", torch: "…" }, each where there is one.
  tables() {
    return [];
  }

  code() {
    return {};
  }

  // Keys on the stage: { ArrowLeft: () => …, … }; the space bar plays where there are steps.
  moves() {
    return {};
  }

  // ---- the shell

  // Add the parts under the picture, the folded numbers and code, and start.
  begin(el, ...parts) {
    this.numbers = this.fold("numbers", "The numbers", () => this.tables());
    this.listing = this.fold("code", "Show me the code", () => {
      const code = this.code();
      return LISTINGS.flatMap(([name, title]) => (code[name] ? codeListing(title, code[name]) : []));
    });
    this.extras = h("div", { class: "extras" }, ...this.folds.map(({ node }) => node));
    this.root.append(...parts, this.extras);
    el.append(this.root);
    this.listeners = this.stateNames.map((name) => [`change:${name}`, () => this.receive(name)]);
    this.listeners.forEach(([event, call]) => this.model.on(event, call));
    this.observer = new ResizeObserver(() => this.stage.clientWidth !== this.laidOut && this.resize());
    this.observer.observe(this.stage);
    this.compute();
    this.resize();
  }

  // A folded part whose content is made anew whenever it is open and something changed.
  fold(name, summary, make) {
    const part = folded({ name, summary, fill: (body) => body.replaceChildren(...make()) });
    this.folds.push(part);
    return part;
  }

  refreshFolds() {
    for (const part of this.folds) part.refresh();
  }

  resize() {
    const width = this.stage.clientWidth;
    if (!width) return; // not on the page yet
    this.laidOut = width; // what is drawn changes the height, which is no reason to lay out again
    this.layout(width);
    this.draw();
  }

  // The answer in the upper right corner: found is true, false or null for neither.
  say(text, found = null) {
    put(this.answer, { text, hidden: !text, "data-found": found === null ? null : String(found) });
  }

  destroy() {
    this.steps?.destroy();
    this.observer.disconnect();
    clearTimeout(this.saving);
    this.listeners.forEach(([event, call]) => this.model.off(event, call));
  }

  // ---- state

  // The reader changed something: { name: value, … } of the state. `reshape` lays out anew.
  change(values, { reshape = false } = {}) {
    Object.assign(this, values);
    this.compute();
    if (reshape) this.resize();
    else this.redraw();
    this.save();
  }

  // A view may be made before it is put on the page (JupyterLab does so): there is nothing to draw on until then.
  redraw() {
    if (this.laidOut) this.draw();
  }

  // Python changed something; what is laid out anew may have another shape.
  receive(name) {
    const value = this.model.get(name);
    if (JSON.stringify(value) === JSON.stringify(this[name])) return;
    this[name] = value;
    this.received(name);
    this.compute();
    this.resize();
  }

  // For what a demo keeps beside its state and must follow a change by Python.
  received() {}

  // Python hears of a change when the hand rests, not at every step of a drag.
  save() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      for (const name of this.stateNames) this.model.set(name, this[name]);
      this.model.save_changes();
    }, 100);
  }

  // While steps play, a screen reader hears where they stop, not every step on the way.
  quiet(playing) {
    put(this.words, { "aria-live": playing ? "off" : "polite" });
    put(this.verdict, { "aria-live": playing ? "off" : "polite" });
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, target } = event;
    const onStage = target === this.stage;
    const moves = onStage ? this.moves() : {};
    if (key === " " && this.steps && (onStage || target.type === "range")) this.steps.toggle();
    else if (key in moves) moves[key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
