// What the reader sees and does. State is four numbers (width, hop, threshold, position), kept in step with Python.
class WelcomeScanner {
  constructor(model, el) {
    const data = model.get("data");
    const spectrogram = unpack(data.x);
    this.model = model;
    this.frameSeconds = data.frameSeconds;
    this.channels = spectrogram.shape[0];
    this.nets = new Map(data.nets.map(({ width, layers }) => [width, layers.map((layer) => ({ weight: unpack(layer.weight).values, bias: unpack(layer.bias).values }))]));
    this.widths = [...this.nets.keys()];
    this.given = { name: null, frames: spectrogram.shape[1], values: spectrogram.values, truth: data.truth };
    Object.assign(this.given, { samples: data.wave && unpack(data.wave).values, rate: data.sampleRate });
    for (const name of ["width", "hop", "threshold", "position"]) this[name] = model.get(name);
    this.plot = new ScanPlot();
    this.player = new Player({ onTick: (time) => this.follow(time), onState: () => this.showPlaying() });
    this.build(el);
    this.show(this.given);
    this.listeners = ["width", "hop", "threshold", "position"].map((name) => [`change:${name}`, () => this.receive(name)]);
    this.listeners.forEach(([event, call]) => model.on(event, call));
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
  }

  destroy() {
    this.player.destroy();
    this.observer.disconnect();
    clearTimeout(this.saving);
    this.listeners.forEach(([event, call]) => this.model.off(event, call));
  }

  // ---- the page

  build(el) {
    this.answer = h("p", { class: "answer" });
    this.legend = h("span", { class: "legend" }, "quiet", h("i", { "aria-hidden": "true" }), "loud");
    this.caption = h("span", { class: "title" });
    const keys = "Left and right arrow keys move the window, space plays, Home and End jump.";
    const stage = { class: "stage", tabindex: 0, role: "group", "aria-label": `Spectrogram and score curve. ${keys}` };
    this.stage = h("div", { ...stage, pointerdown: (event) => this.grab(event) }, this.plot.canvas, this.plot.svg);
    this.crop = h("canvas", { class: "crop", "aria-hidden": "true" });
    this.words = h("p", { class: "words", "aria-live": "polite" });
    this.verdict = h("p", { class: "verdict" });
    const text = h("div", {}, this.words, this.verdict);
    this.root = h(
      "section",
      { class: "cnnlab-demo welcome-scanner", "aria-label": "Welcome scanner", "data-lm-suppress-shortcuts": "true", keydown: (event) => this.key(event) },
      h("header", {}, h("h3", { text: "Is “welcome” in this recording?" }), this.answer),
      h("div", { class: "map-head" }, this.caption, this.legend),
      this.stage,
      this.transport(),
      h("div", { class: "explain" }, h("figure", {}, this.crop, h("figcaption", { text: "in the window" })), text),
      this.settings(),
      this.extras(),
    );
    el.append(this.root);
  }

  transport() {
    this.playButton = button({ name: "play", icon: "play", label: "Play (space)", text: "Play", onClick: () => this.player.playing ? this.player.pause() : this.player.play() });
    this.playButton.node.classList.add("primary");
    const start = button({ name: "start", icon: "start", label: "To the start (Home)", onClick: () => this.move(0) });
    const back = button({ name: "back", icon: "back", label: "One step back (left arrow)", onClick: () => this.move(this.position - this.hop) });
    const forward = button({ name: "forward", icon: "forward", label: "One step on (right arrow)", onClick: () => this.move(this.position + this.hop) });
    const where = (index) => `${this.seconds(index * this.hop)} s`;
    this.scrub = slider({ name: "position", label: "Window starts at", show: where, onInput: (index) => this.move(index * this.hop) });
    this.scrub.node.classList.add("wide");
    const speeds = [[0.25, "¼ ×"], [0.5, "½ ×"], [1, "1 ×"], [2, "2 ×"]];
    const speed = choice({ name: "speed", label: "Speed", options: speeds, value: 1, onInput: (rate) => this.player.speed(rate) });
    this.soundNote = h("small", { class: "control-note" });
    const keys = h("small", { class: "control-note", text: "On the picture: drag the window or the threshold; ← → move it, space plays, Home and End jump." });
    const buttons = h("div", { class: "buttons" }, start.node, back.node, this.playButton.node, forward.node);
    return h("div", { class: "transport" }, buttons, this.scrub.node, speed, keys, this.soundNote);
  }

  settings() {
    this.thresholdSlider = slider({ name: "threshold", label: "Threshold", show: (value) => number(Number(value), this.digits ?? 2), onInput: (value) => this.setThreshold(value) });
    this.hopSlider = slider({ name: "hop", label: "Hop", min: 1, show: (value) => this.frameWords(Number(value)), onInput: (value) => this.setHop(value) });
    this.widthSlider = slider({ name: "width", label: "Window width", max: this.widths.length - 1, show: (index) => this.frameWords(this.widths[index]), onInput: (index) => this.setWidth(this.widths[index]) });
    if (this.widths.length === 1) {
      this.widthSlider.disable(`Fixed: this net’s first layer takes exactly ${this.channels} × ${this.width} = ${this.channels * this.width} numbers. Another width is another net; pass {width: layers} to compare nets.`);
    }
    return h("div", { class: "settings" }, this.thresholdSlider.node, this.hopSlider.node, this.widthSlider.node);
  }

  extras() {
    this.numbers = folded({ name: "numbers", summary: "The numbers", fill: (body) => body.replaceChildren(this.numberTable()) });
    this.code = folded({ name: "code", summary: "Show me the code", fill: (body) => body.replaceChildren(...this.codeListings()) });
    this.own = folded({ name: "own", summary: "Your own recording", fill: () => {} });
    this.file = h("input", { type: "file", name: "wav", accept: ".wav,audio/*", "aria-label": "A WAV file of your own", change: () => this.file.files.length && this.load(this.file.files[0]) });
    this.restore = h("button", { type: "button", name: "restore", text: "Back to the given recording", hidden: true, click: () => this.show(this.given, "") });
    this.status = h("p", { class: "status", role: "status" });
    const note = "The file stays in this browser. Expect little: the net has heard one speech synthesiser only, so a voice at a microphone will probably be missed, or something else taken for “welcome”. That is domain shift, not a broken demo.";
    const fits = this.channels === BANDS && Math.abs(this.frameSeconds - FRAME / RATE) < 1e-9;
    const body = this.own.node.lastChild;
    if (fits) body.append(h("p", { text: note }), h("div", { class: "buttons" }, this.file, this.restore), this.status);
    else body.append(h("p", { text: `Not here: a sound is turned into ${BANDS} bands × ${FRAME / RATE} s frames, and this net reads ${this.channels} bands × ${this.frameSeconds} s.` }));
    return h("div", { class: "extras" }, this.numbers.node, this.code.node, this.own.node);
  }

  // ---- a recording

  show(recording, message = "") {
    this.recording = recording;
    this.scored = new Map();
    this.player.load(recording.samples && wavAddress(recording.samples, recording.rate), recording.frames * this.frameSeconds);
    paintMap(this.plot.canvas, recording.values, this.channels, recording.frames);
    this.caption.textContent = `Spectrogram, ${this.channels} mel bands × ${recording.frames} frames${recording.name ? `: ${recording.name}` : ""}`;
    this.soundNote.textContent = recording.samples ? "" : "No sound was given: the window moves in silence.";
    put(this.restore, { hidden: recording === this.given });
    put(this.status, { text: message, class: "status" });
    this.resize();
  }

  async load(file) {
    put(this.status, { text: "Reading …", class: "status" });
    try {
      const { wave, cut } = await readSound(file);
      const { values, frames } = logMel(wave);
      const need = Math.max(...this.widths);
      if (frames < need) throw new Error(`“${file.name}” lasts ${plural(frames, "frame")} (${this.seconds(frames)} s), but the window needs ${need} (${this.seconds(need)} s): record something longer.`);
      this.position = 0;
      this.show({ name: file.name, frames, values, truth: null, samples: toInt16(wave), rate: RATE }, cut ? `Only the first ${LONGEST_SECONDS} s are used.` : "Loaded. The answer above is for your recording.");
    } catch (error) {
      put(this.status, { text: error.message, class: "status wrong" });
    }
    this.file.value = "";
  }

  get scores() {
    if (!this.scored.has(this.width)) {
      this.scored.set(this.width, scanScores(this.recording.values, this.channels, this.recording.frames, this.nets.get(this.width), this.width));
    }
    return this.scored.get(this.width);
  }

  // ---- changes

  setThreshold(value) {
    this.threshold = Number(value.toFixed(this.digits));
    this.change();
  }

  setHop(hop) {
    this.hop = hop;
    this.change();
  }

  setWidth(width) {
    this.width = width;
    this.change();
  }

  change() {
    this.player.pause();
    this.drawCurve();
    this.move(this.position);
  }

  receive(name) {
    const value = this.model.get(name);
    if (value === this[name]) return;
    if (name === "position") return this.move(value);
    this[name] = value;
    this.change();
  }

  // By hand: the window goes to t (down to a multiple of the hop), and the sound will begin at its left edge.
  move(t) {
    this.player.pause();
    this.position = this.snap(t);
    this.player.seek(this.position * this.frameSeconds);
    this.drawWindow();
    this.save();
  }

  // While playing: the sound runs through the window it began in, then pushes the window along by its right edge,
  // so the window always holds what has just been heard.
  follow(time) {
    const heard = Math.floor(time / this.frameSeconds + 1e-6);
    const next = this.snap(heard - this.width);
    if (heard < this.position) this.position = 0; // started again from the beginning
    if (next > this.position) this.position = next;
    this.drawWindow();
  }

  snap(t) {
    const last = this.scores.length - 1;
    return Math.floor(Math.min(Math.max(t, 0), last) / this.hop) * this.hop;
  }

  save() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      for (const name of ["width", "hop", "threshold", "position"]) this.model.set(name, this[name]);
      this.model.save_changes();
    }, 100);
  }

  // ---- drawing

  resize() {
    const width = this.stage.clientWidth;
    if (!width) return; // not on the page yet
    this.plot.layout(width, this.recording, this.frameSeconds);
    this.position = Math.min(this.position, this.scores.length - 1);
    this.drawCurve();
    this.position = this.snap(this.position);
    this.drawWindow();
  }

  drawCurve() {
    const scores = this.scores;
    const [low, high] = scores.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
    const range = high - low || 1;
    this.digits = Math.min(6, Math.max(2, 2 - Math.floor(Math.log10(range))));
    const span = [Math.min(low, this.threshold), Math.max(high, this.threshold)];
    if (span[0] === span[1]) span[1] += 1;
    this.decision = decide(scores, this.hop, this.threshold);
    this.plot.drawCurve(scores, { hop: this.hop, threshold: this.threshold, digits: this.digits, span, decision: this.decision });
    this.thresholdSlider.range(Math.min(low - 0.1 * range, this.threshold), Math.max(high + 0.1 * range, this.threshold), "any");
    this.thresholdSlider.set(this.threshold);
    this.hopSlider.range(1, Math.max(this.width, this.hop), 1);
    this.hopSlider.set(this.hop);
    this.widthSlider.set(this.widths.indexOf(this.width));
    this.scrub.range(0, this.decision.count - 1, 1);
    this.showAnswer();
    this.numbers.title.textContent = `The numbers: ${plural(this.decision.count, "score")}`;
    this.numbers.refresh();
    this.code.refresh();
  }

  drawWindow() {
    const t = this.position;
    const playhead = this.player.time / this.frameSeconds;
    this.plot.drawWindow(t, this.width, this.scores[t], playhead > t + 0.5 ? playhead : null);
    this.scrub.set(t / this.hop);
    put(this.crop, { width: this.width, height: this.channels });
    this.crop.getContext("2d").drawImage(this.plot.canvas, t, 0, this.width, this.channels, 0, 0, this.width, this.channels);
    this.showWords();
  }

  showWords() {
    const t = this.position;
    const score = this.scores[t];
    const layers = this.nets.get(this.width);
    const sizes = [this.channels * this.width, ...layers.map(({ bias }) => bias.length)];
    const above = score > this.threshold;
    const parts = [
      `Window t = ${t} (${this.seconds(t)}–${this.seconds(t + this.width)} s): ${this.channels} bands × ${this.width} frames = ${sizes[0]} numbers → net ${sizes.join(" → ")} → score `,
      h("strong", { text: signed(score, this.digits) }),
      ` (probability ${this.chance(score)}), ${above ? "above" : "not above"} the threshold ${number(this.threshold, this.digits)}.`,
    ];
    this.words.replaceChildren(...parts);
    put(this.plot.svg, { "aria-label": `Spectrogram of ${this.seconds(this.recording.frames)} s with a window at ${this.seconds(t)} s, and under it the score at each start. ${this.answer.textContent}.` });
  }

  showAnswer() {
    const { best, found, runs, above, count } = this.decision;
    const top = this.scores[best];
    const limit = number(this.threshold, this.digits);
    put(this.answer, { "data-found": String(found), text: found ? `Yes: welcome at ${this.seconds(best)} s` : "No window above the threshold" });
    const stretch = ({ first, last }) => (first === last ? `${this.seconds(first)} s` : `${this.seconds(first)}–${this.seconds(last)} s`);
    const listed = runs.slice(0, 4).map(stretch).join(", ") + (runs.length > 4 ? ", …" : "");
    const reason = `The largest of ${plural(count, "score")} is ${signed(top, this.digits)}, at t = ${best}; ${found ? "it is above" : "it is not above"} ${limit}, so the answer is ${found ? "yes" : "no"}.`;
    this.verdict.textContent = reason + (found ? ` ${plural(above, "window")} above, starting at ${listed}.` : "");
  }

  showPlaying() {
    const { playing } = this.player;
    if (playing) this.playButton.look("pause", "Pause (space)", "Pause");
    else this.playButton.look("play", "Play (space)", "Play");
    // A screen reader hears where the window stops, not every frame on the way.
    put(this.words, { "aria-live": playing ? "off" : "polite" });
    if (playing && this.player.silent && this.recording.samples) this.soundNote.textContent = "This browser plays no sound here: the window moves in silence.";
    if (!playing) this.save();
  }

  numberTable() {
    const rows = [];
    for (let t = 0; t < this.scores.length; t += this.hop) {
      const score = this.scores[t];
      rows.push([String(t), this.seconds(t), this.seconds(t + this.width), signed(score, this.digits), this.chance(score), score > this.threshold ? "yes" : "no"]);
    }
    return table("One row a window", ["t", "from (s)", "to (s)", "score", "probability", "above threshold"], rows);
  }

  codeListings() {
    const values = { channels: this.channels, frames: this.recording.frames, width: this.width, hop: this.hop, threshold: this.threshold, frameSeconds: this.frameSeconds };
    return [...codeListing("NumPy", numpyCode(values)), ...codeListing("PyTorch", torchCode(values))];
  }

  seconds(frame) {
    return (frame * this.frameSeconds).toFixed(2);
  }

  frameWords(frames) {
    return `${plural(frames, "frame")} = ${this.seconds(frames)} s`;
  }

  chance(score) {
    const p = probability(score);
    if (p > 0.999) return "> 0.999";
    return p < 0.001 ? "< 0.001" : p.toFixed(3);
  }

  // ---- hands

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { tagName, type } = event.target;
    const isMap = event.target === this.stage;
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
    let act = null;
    if (event.key === " " && (isMap || (tagName === "INPUT" && type === "range"))) act = () => (this.player.playing ? this.player.pause() : this.player.play());
    else if (isMap && event.key in steps) act = () => this.move(this.position + steps[event.key] * this.hop);
    else if (isMap && event.key === "Home") act = () => this.move(0);
    else if (isMap && event.key === "End") act = () => this.move(Infinity);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  grab(event) {
    if (event.button) return;
    const box = this.stage.getBoundingClientRect();
    const at = (e) => [e.clientX - box.left, e.clientY - box.top];
    const [x, y] = at(event);
    const onLimit = y > this.plot.curveTop && Math.abs(y - Number(this.plot.limit.getAttribute("y1"))) < 9;
    const t = this.plot.frameAt(x);
    const inside = t >= this.position && t < this.position + this.width;
    const offset = y > this.plot.bottom ? 0 : inside ? t - this.position : this.width / 2;
    const pull = (e) => (onLimit ? this.setThreshold(this.plot.scoreAt(at(e)[1])) : this.move(Math.round(this.plot.frameAt(at(e)[0]) - offset)));
    const release = () => this.stage.removeEventListener("pointermove", pull);
    this.stage.setPointerCapture(event.pointerId);
    this.stage.addEventListener("pointermove", pull);
    this.stage.addEventListener("pointerup", release, { once: true });
    this.stage.addEventListener("pointercancel", release, { once: true });
    if (!inside || y > this.plot.bottom) pull(event);
  }
}

function render({ model, el }) {
  const scanner = new WelcomeScanner(model, el);
  return () => scanner.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { decide, logMel, scanScores };
export default { render };
