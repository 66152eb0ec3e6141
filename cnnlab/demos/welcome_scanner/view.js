// What the reader sees and does. The state is four numbers (width, hop, threshold, position), kept in step with Python.
const STATE = ["width", "hop", "threshold", "position"];

class WelcomeScanner {
  constructor(model, el) {
    const data = model.get("data");
    const spectrogram = unpack(data.x);
    const values = ({ weight, bias }) => ({ weight: unpack(weight).values, bias: unpack(bias).values });
    this.model = model;
    this.frameSeconds = data.frameSeconds;
    this.seconds = (frames) => (frames * this.frameSeconds).toFixed(2);
    this.channels = spectrogram.shape[0];
    this.nets = new Map(data.nets.map(({ width, layers }) => [width, layers.map(values)]));
    this.widths = [...this.nets.keys()];
    this.given = { name: null, frames: spectrogram.shape[1], values: spectrogram.values, truth: data.truth };
    Object.assign(this.given, { samples: data.wave && unpack(data.wave).values, rate: data.sampleRate });
    for (const name of STATE) this[name] = model.get(name);
    this.plot = new ScanPlot();
    this.player = new Player({ onTick: (time) => this.follow(time), onState: () => this.showPlaying() });
    this.build(el);
    this.show(this.given);
    this.listeners = STATE.map((name) => [`change:${name}`, () => this.receive(name)]);
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

  build(el) {
    this.answer = h("p", { class: "answer" });
    this.caption = h("span", { class: "title" });
    const legend = h("span", { class: "legend" }, "quiet", h("i", { "aria-hidden": "true" }), "loud");
    const keys = "Left and right arrow keys move the window, space plays, Home and End jump.";
    const stage = { class: "stage", tabindex: 0, role: "group", "aria-label": `Spectrogram and score curve. ${keys}` };
    this.stage = h("div", { ...stage, pointerdown: (event) => this.grab(event) }, this.plot.canvas, this.plot.svg);
    this.crop = h("canvas", { class: "crop", "aria-hidden": "true" });
    this.words = h("p", { class: "words", "aria-live": "polite" });
    this.verdict = h("p", { class: "verdict", "aria-live": "polite" });
    const figure = h("figure", {}, this.crop, h("figcaption", { text: "in the window" }));
    const root = h(
      "section",
      { class: "cnnlab-demo welcome-scanner", "aria-label": "Welcome scanner", keydown: (event) => this.key(event) },
      h("header", {}, h("h3", { text: "Is “welcome” in this recording?" }), this.answer),
      h("div", { class: "map-head" }, this.caption, legend),
      this.stage,
      transportPanel(this),
      h("div", { class: "explain" }, figure, h("div", {}, this.words, this.verdict)),
      settingsPanel(this),
      foldedPanel(this),
    );
    el.append(root);
  }

  // ---- recordings and scores

  show(recording, message = "") {
    const { samples, frames, name } = recording;
    this.recording = recording;
    this.scored = new Map();
    this.player.load(samples && wavAddress(samples, recording.rate), frames * this.frameSeconds);
    paintMap(this.plot.canvas, recording.values, this.channels, frames);
    this.caption.textContent = `Spectrogram, ${this.channels} mel bands × ${frames} frames${name ? `: ${name}` : ""}`;
    this.soundNote.textContent = samples ? "" : "No sound was given: the window moves in silence.";
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
      if (frames < need) {
        const lasts = `“${file.name}” lasts ${plural(frames, "frame")} (${this.seconds(frames)} s)`;
        throw new Error(`${lasts}, but the window needs ${need} (${this.seconds(need)} s): record something longer.`);
      }
      this.position = 0;
      const limit = cut ? ` Only its first ${LONGEST_SECONDS} s are used.` : "";
      const message = `Loaded: everything above is now about your recording.${limit}`;
      this.show({ name: file.name, frames, values, truth: null, samples: toInt16(wave), rate: RATE }, message);
    } catch (error) {
      put(this.status, { text: error.message, class: "status wrong" });
    }
  }

  get scores() {
    if (!this.scored.has(this.width)) {
      const { values, frames } = this.recording;
      this.scored.set(this.width, scanScores(values, this.channels, frames, this.nets.get(this.width), this.width));
    }
    return this.scored.get(this.width);
  }

  // ---- changes

  change(name, value) {
    this.player.pause();
    this[name] = value;
    this.drawCurve();
    this.move(this.position);
  }

  // From the slider or the line: to as many decimals as are shown, so that what is compared is what is read.
  setThreshold(value) {
    const { min, max } = this.thresholdSlider.input;
    const kept = Math.min(Math.max(value, Number(min)), Number(max));
    this.change("threshold", Number(kept.toFixed(this.digits)));
  }

  receive(name) {
    const value = this.model.get(name);
    if (value === this[name]) return;
    if (name === "position") this.move(value);
    else this.change(name, value);
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
  // so that the window holds what has just been heard.
  follow(time) {
    const heard = Math.floor(time / this.frameSeconds + 1e-6);
    const restarted = heard < this.position;
    this.position = Math.max(restarted ? 0 : this.position, this.snap(heard - this.width));
    this.drawWindow(time);
  }

  snap(t) {
    const last = this.scores.length - 1;
    return Math.floor(Math.min(Math.max(t, 0), last) / this.hop) * this.hop;
  }

  // Python hears of a change when the hand rests, not at every step of a drag.
  save() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      for (const name of STATE) this.model.set(name, this[name]);
      this.model.save_changes();
    }, 100);
  }

  // ---- drawing

  resize() {
    const width = this.stage.clientWidth;
    if (!width) return; // not on the page yet
    this.plot.layout(width, this.recording, this.frameSeconds);
    this.position = this.snap(this.position);
    this.drawCurve();
    this.drawWindow();
  }

  drawCurve() {
    const { scores, hop, threshold } = this;
    const least = scores.reduce((a, b) => Math.min(a, b));
    const most = scores.reduce((a, b) => Math.max(a, b));
    const range = most - least || 1;
    this.digits = Math.min(6, Math.max(2, 2 - Math.floor(Math.log10(range))));
    this.decision = decide(scores, hop, threshold);
    // The axis makes room for a threshold near the scores; one far away is drawn at the edge, or the curve would be flat.
    const low = Math.min(least, Math.max(threshold, least - range));
    const high = Math.max(most, Math.min(threshold, most + range));
    this.plot.drawCurve(scores, { hop, threshold, digits: this.digits, span: [low, high], decision: this.decision });
    this.thresholdSlider.range(Math.min(least - 0.1 * range, threshold), Math.max(most + 0.1 * range, threshold), "any");
    this.thresholdSlider.set(threshold);
    this.hopSlider.range(1, Math.max(this.width, hop), 1);
    this.hopSlider.set(hop);
    this.widthSlider.set(this.widths.indexOf(this.width));
    this.scrub.range(0, this.decision.count - 1, 1);
    const { found, best, count } = this.decision;
    const text = found ? `Yes: welcome at ${this.seconds(best)} s` : "No window above the threshold";
    put(this.answer, { "data-found": String(found), text });
    this.verdict.textContent = verdictWords(this);
    this.numbers.title.textContent = `The numbers: ${plural(count, "score")}`;
    this.numbers.refresh();
    this.code.refresh();
  }

  drawWindow(time = this.player.time) {
    const { position: t, width, channels, recording } = this;
    const playhead = time / this.frameSeconds;
    this.plot.drawWindow(t, width, this.scores[t], playhead > t + 0.5 ? playhead : null);
    this.scrub.set(t / this.hop);
    put(this.crop, { width, height: channels });
    this.crop.getContext("2d").drawImage(this.plot.canvas, t, 0, width, channels, 0, 0, width, channels);
    const { before, score, after } = windowWords(this);
    this.words.replaceChildren(before, h("strong", { text: score }), after);
    const picture = `Spectrogram of ${this.seconds(recording.frames)} s with a window at ${this.seconds(t)} s`;
    put(this.plot.svg, { "aria-label": `${picture}, and under it the score at each start. ${this.answer.textContent}.` });
  }

  showPlaying() {
    const { playing, silent } = this.player;
    this.lookPlaying(playing);
    // A screen reader hears where the window stops, not every frame on the way.
    put(this.words, { "aria-live": playing ? "off" : "polite" });
    if (playing && silent && this.recording.samples) {
      this.soundNote.textContent = "This browser plays no sound here: the window moves in silence.";
    }
    if (!playing) this.save();
  }

  // ---- hands

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, target } = event;
    const onPicture = target === this.stage;
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
    if (key === " " && (onPicture || target.type === "range")) this.player.toggle();
    else if (onPicture && key in steps) this.move(this.position + steps[key] * this.hop);
    else if (onPicture && key === "Home") this.move(0);
    else if (onPicture && key === "End") this.move(Infinity);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // On the spectrogram the window is taken where it is touched; on the curve its left edge, or the threshold line.
  grab(event) {
    if (event.button) return;
    const { stage, plot } = this;
    const box = stage.getBoundingClientRect();
    const place = ({ clientX, clientY }) => [clientX - box.left, clientY - box.top];
    const [x, y] = place(event);
    const onCurve = y > plot.bottom;
    const onLimit = y > plot.curveTop && Math.abs(y - plot.level) < 9;
    const t = plot.frameAt(x);
    const inside = !onCurve && t >= this.position && t < this.position + this.width;
    const offset = inside ? t - this.position : onCurve ? 0 : this.width / 2;
    const pull = (moved) => {
      const [toX, toY] = place(moved);
      if (onLimit) this.setThreshold(plot.scoreAt(toY));
      else this.move(Math.round(plot.frameAt(toX) - offset));
    };
    const release = () => stage.removeEventListener("pointermove", pull);
    stage.setPointerCapture(event.pointerId);
    stage.addEventListener("pointermove", pull);
    stage.addEventListener("pointerup", release, { once: true });
    stage.addEventListener("pointercancel", release, { once: true });
    if (!inside) pull(event);
  }
}

function render({ model, el }) {
  const scanner = new WelcomeScanner(model, el);
  return () => scanner.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { decide, logMel, scanScores };
export default { render };
