// The row of buttons, slider and speed that moves a demo through time. Who owns the time says what each does.
function transport({ label, show, hint, hints, speeds, speed, go, toggle, setSpeed }) {
  const words = { start: "To the start (Home)", back: "One step back (left arrow)", on: "One step on (right arrow)", ...hints };
  const start = button({ name: "start", icon: "start", label: words.start, onClick: () => go("start") });
  const back = button({ name: "back", icon: "back", label: words.back, onClick: () => go(-1) });
  const forward = button({ name: "forward", icon: "forward", label: words.on, onClick: () => go(+1) });
  const play = button({ name: "play", icon: "play", label: "Play (space)", text: "Play", onClick: toggle });
  play.node.classList.add("primary");
  const scrub = slider({ name: "position", label, show, onInput: (value) => go(value, true) });
  scrub.node.classList.add("wide");
  const pace = choice({ name: "speed", label: "Speed", options: speeds, value: speed, onInput: setSpeed });
  const keys = h("small", { class: "control-note", text: hint });
  const note = h("small", { class: "control-note", role: "status" });
  const buttons = h("div", { class: "buttons" }, start.node, back.node, play.node, forward.node);
  const node = h("div", { class: "transport" }, buttons, scrub.node, pace.node, keys, note);
  const look = (playing) => (playing ? play.look("pause", "Pause (space)", "Pause") : play.look("play", "Play (space)", "Play"));
  return { node, scrub, note, look };
}

// Whole steps 0 … count − 1 that can be played, paused, stepped and scrubbed, with their row of controls.
class Steps {
  // label and show(step) name the step beside the slider; onStep(step) draws it; perSecond is the pace at speed 1.
  constructor({ label, show = String, hint = "", hints = {}, perSecond = 2, onStep, onState = () => {} }) {
    Object.assign(this, { onStep, onState, perSecond, count: 1, at: 0 });
    const onTick = (time) => this.arrive(Math.floor(time + 1e-6));
    this.player = new Player({ onTick, onState: (playing) => this.state(playing) });
    this.player.rate = perSecond;
    this.controls = transport({
      ...{ label, show, hint, hints, speed: 1, speeds: [[0.25, "¼ ×"], [0.5, "½ ×"], [1, "1 ×"], [2, "2 ×"], [4, "4 ×"], [16, "16 ×"]] },
      go: (to, place) => this.go(place ? to : to === "start" ? 0 : this.at + to),
      toggle: () => this.toggle(),
      setSpeed: (factor) => this.player.speed(factor * this.perSecond),
    });
    this.node = this.controls.node;
    this.scrub = this.controls.scrub;
  }

  get playing() {
    return this.player.playing;
  }

  // Another number of steps; the step stays where it was, if it still exists. Does not call onStep.
  resize(count, at = this.at) {
    this.count = Math.max(1, count);
    this.at = Math.min(Math.max(at, 0), this.count - 1);
    this.player.load(null, this.count - 1);
    this.player.at = this.at;
    this.scrub.range(0, this.count - 1, 1);
    this.scrub.set(this.at);
  }

  go(step) {
    const at = Math.min(Math.max(Math.round(step), 0), this.count - 1);
    this.player.seek(at);
    this.show(at);
  }

  toggle() {
    this.player.toggle();
  }

  arrive(step) {
    if (step !== this.at) this.show(step);
  }

  show(step) {
    this.at = step;
    this.scrub.set(step);
    this.onStep(step);
  }

  state(playing) {
    this.controls.look(playing);
    this.onState(playing);
  }

  destroy() {
    this.player.destroy();
  }
}
