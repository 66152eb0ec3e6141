// The picture: spectrogram (canvas) and score curve (SVG) over one time axis. Nodes are made once; a move only sets
// attributes, which is what keeps a drag under one frame.
class ScanPlot {
  constructor() {
    const pattern = `hatch-${Math.random().toString(36).slice(2)}`; // two demos on a page must not share an id
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.axes = s("g", {});
    this.truth = s("g", { class: "truth" });
    this.rest = s("rect", { class: "rest", fill: `url(#${pattern})` });
    this.restLabel = s("text", { class: "small label", "text-anchor": "middle" });
    this.area = s("path", { class: "area" });
    this.line = s("path", { class: "curve" });
    this.dots = s("path", { class: "dots" });
    this.limit = s("line", { class: "limit" });
    this.limitLabel = s("text", { class: "label", "text-anchor": "end" });
    this.marks = s("path", { class: "marks" });
    this.best = s("path", { class: "best" });
    this.bestLabel = s("text", { class: "label strong" });
    this.heading = s("text", { class: "title label" });
    this.link = s("line", { class: "link" });
    this.halo = s("rect", { class: "halo", rx: 2 });
    this.frame = s("rect", { class: "frame", rx: 2 });
    this.playhead = s("line", { class: "playhead" });
    this.dot = s("circle", { class: "dot", r: 5.5 });
    const stripes = s("path", { d: "M0 6 L6 0", class: "stripe" });
    this.svg = s(
      "svg",
      { role: "img" },
      s("defs", {}, s("pattern", { id: pattern, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, stripes)),
      ...[this.axes, this.rest, this.restLabel, this.area, this.line, this.dots, this.limit, this.marks, this.link],
      ...[this.heading, this.truth, this.halo, this.frame, this.playhead, this.best, this.limitLabel, this.bestLabel, this.dot],
    );
  }

  // Sizes, axes and everything that depends on the recording only.
  layout(total, recording, frameSeconds) {
    const small = total < 480;
    const top = recording.truth ? 26 : 8;
    const [mapHeight, curveHeight] = small ? [110, 100] : [144, 124];
    const bottom = top + mapHeight;
    Object.assign(this, { left: 44, right: total - 14, top, bottom, frames: recording.frames });
    Object.assign(this, { curveTop: bottom + 36, curveBottom: bottom + 36 + curveHeight });
    Object.assign(this.canvas.style, { left: `${this.left}px`, top: `${top}px` });
    Object.assign(this.canvas.style, { width: `${this.right - this.left}px`, height: `${mapHeight}px` });
    put(this.svg, { width: total, height: this.curveBottom + 42 });
    const seconds = recording.frames * frameSeconds;
    const grid = ticks(0, seconds, Math.max(2, Math.floor((this.right - this.left) / 64)));
    this.axes.replaceChildren(
      ...grid.values.flatMap((second) => {
        const x = this.x(second / frameSeconds);
        return [
          s("line", { class: "grid", x1: x, x2: x, y1: this.curveTop, y2: this.curveBottom }),
          this.tick(x, this.curveBottom + 17, "middle", number(second, grid.digits)),
        ];
      }),
      this.tick((this.left + this.right) / 2, this.curveBottom + 35, "middle", "time in seconds"),
      this.tick(this.left - 8, top + 11, "end", "high"),
      this.tick(this.left - 8, this.bottom - 2, "end", "low"),
      (this.scale = s("g", {})),
    );
    const heading = small ? "Score of the window starting here" : "Score y(t) of the window that starts here";
    put(this.heading, { x: this.left, y: this.curveTop - 10, text: heading });
    this.drawTruth(recording.truth, frameSeconds);
  }

  drawTruth(truth, frameSeconds) {
    if (!truth) return this.truth.replaceChildren();
    const [x1, x2] = truth.map((second) => this.x(second / frameSeconds));
    const [y1, y2] = [this.top - 5, this.top - 11];
    // On the side with more room; shorter where even that is narrow (about 7 pixels a letter).
    const anchor = x1 - this.left > this.right - x2 ? "end" : "start";
    const room = Math.max(x1 - this.left, this.right - x2) - 7;
    const text = ["“welcome” is spoken here", "“welcome”"].find((words) => words.length * 7 < room) ?? "";
    return this.truth.replaceChildren(
      s("path", { class: "bracket", d: `M${x1} ${y1} V${y2} H${x2} V${y1}` }),
      s("path", { class: "edges", d: `M${x1} ${this.top} V${this.bottom} M${x2} ${this.top} V${this.bottom}` }),
      s("text", { class: "small", x: anchor === "end" ? x1 - 7 : x2 + 7, y: this.top - 7, "text-anchor": anchor, text }),
    );
  }

  tick(x, y, anchor, text) {
    return s("text", { class: "tick", x, y, "text-anchor": anchor, text });
  }

  x(frame) {
    return this.left + (frame / this.frames) * (this.right - this.left);
  }

  y(score) {
    return this.curveBottom - ((score - this.low) / (this.high - this.low)) * (this.curveBottom - this.curveTop);
  }

  frameAt(x) {
    return ((x - this.left) / (this.right - this.left)) * this.frames;
  }

  scoreAt(y) {
    return this.low + ((this.curveBottom - y) / (this.curveBottom - this.curveTop)) * (this.high - this.low);
  }

  // The scores at every hop, the threshold and the answer.
  drawCurve(scores, { hop, threshold, digits, span, decision }) {
    const margin = 0.1 * (span[1] - span[0] || 1);
    [this.low, this.high] = [span[0] - margin, span[1] + 1.8 * margin]; // room for the label of the largest
    const grid = ticks(this.low, this.high, 4);
    this.scale.replaceChildren(
      ...grid.values.flatMap((value) => [
        s("line", { class: "grid", x1: this.left, x2: this.right, y1: this.y(value), y2: this.y(value) }),
        this.tick(this.left - 8, this.y(value) + 4, "end", number(value, grid.digits)),
      ]),
    );
    const places = [];
    for (let t = 0; t < scores.length; t += hop) places.push([this.x(t), this.y(scores[t])]);
    const join = (points) => points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L");
    const level = Math.min(Math.max(this.y(threshold), this.curveTop), this.curveBottom);
    this.level = level;
    this.line.setAttribute("d", `M${join(places)}`);
    this.area.setAttribute("d", aboveAreas(places, level));
    const spacing = this.x(hop) - this.x(0);
    this.dots.setAttribute("d", spacing < 6 ? "" : places.map(([x, y]) => `M${x.toFixed(2)} ${y.toFixed(2)}h0`).join(""));
    put(this.limit, { x1: this.left, x2: this.right, y1: level, y2: level });
    const beyond = threshold < this.low || threshold > this.high ? ", off the scale" : "";
    const words = `threshold ${number(threshold, digits)}${beyond}`;
    put(this.limitLabel, { x: this.right - 4, y: level + (level < this.curveTop + 12 ? 15 : -6), text: words });
    const triangle = (x) => `M${x - 5} ${level + 10}H${x + 5}L${x} ${level + 2}Z`;
    this.marks.setAttribute("d", decision.runs.map(({ first }) => triangle(this.x(first))).join(""));
    this.drawBest(scores[decision.best], decision.best, digits);
    const end = this.x((decision.count - 1) * hop);
    this.drawRest(end);
  }

  // After the last start there is sound, but no full window.
  drawRest(end) {
    const width = Math.max(0, this.right - end - 1);
    put(this.rest, { x: end + 1, y: this.curveTop, width, height: this.curveBottom - this.curveTop });
    const lines = width > 100 ? ["no full window", "starts here"] : [];
    const [x, y] = [(end + this.right) / 2, this.curveBottom - 24];
    this.restLabel.replaceChildren(...lines.map((text, i) => s("tspan", { x, y: y + 15 * i, text })));
  }

  drawBest(score, t, digits) {
    const [x, y] = [this.x(t), this.y(score)];
    put(this.best, { d: `M${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}L${x - 7} ${y}Z` });
    const leftward = x > this.right - 110;
    const side = leftward ? { x: x - 12, "text-anchor": "end" } : { x: x + 12, "text-anchor": "start" };
    put(this.bestLabel, { ...side, y: y + 1, text: `largest ${signed(score, digits)}` });
  }

  drawWindow(t, width, score, playhead) {
    const [x, y] = [this.x(t), this.y(score)];
    const box = { x, y: this.top, width: this.x(t + width) - x, height: this.bottom - this.top };
    put(this.halo, box);
    put(this.frame, box);
    put(this.link, { x1: x, x2: x, y1: this.bottom, y2: y });
    put(this.dot, { cx: x, cy: y });
    const sound = playhead === null ? null : this.x(playhead);
    const line = { x1: sound, x2: sound, y1: this.top - 4, y2: this.bottom + 4 };
    put(this.playhead, { ...line, visibility: sound === null && "hidden" });
  }
}

// What lies between the curve and the level, where the curve is higher; cut exactly where the drawn line crosses.
function aboveAreas(places, level) {
  let path = "";
  let open = false;
  places.forEach(([x, y], i) => {
    const [before, below] = i ? places[i - 1] : [x, level];
    const crosses = i && (below - level) * (y - level) < 0;
    const crossing = crosses ? before + ((level - below) / (y - below)) * (x - before) : x;
    if (y < level && !open) path += `M${crossing.toFixed(2)} ${level.toFixed(2)}`;
    if (y < level) path += `L${x.toFixed(2)} ${y.toFixed(2)}`;
    if (y >= level && open) path += `L${crossing.toFixed(2)} ${level.toFixed(2)}Z`;
    open = y < level;
  });
  return open ? `${path}L${places[places.length - 1][0].toFixed(2)} ${level.toFixed(2)}Z` : path;
}
