// Y of the softmax over the temperature, between its two limits: the maximum for small τ, the mean for large τ.
const POWERS = [-2, 2]; // τ from 0.01 to 100
const SAMPLES = 121;

class TemperatureCurve {
  constructor() {
    const pattern = `hatch-${Math.random().toString(36).slice(2)}`; // two demos on a page must not share an id
    const stripe = s("path", { d: "M0 6 L6 0", class: "stripe" });
    this.title = s("text", { class: "title label" });
    this.axis = s("g", {});
    this.broken = s("path", { class: "broken", fill: `url(#${pattern})` });
    this.brokenLabel = s("text", { class: "small label", "text-anchor": "middle" });
    this.limits = s("g", { class: "limits" });
    this.line = s("path", { class: "curve" });
    this.drop = s("line", { class: "drop" });
    this.dot = s("circle", { class: "dot", r: 6 });
    this.area = s("rect", { class: "area curve-area" });
    const defs = s("defs", {}, s("pattern", { id: pattern, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, stripe));
    this.nodes = [defs, this.title, this.axis, this.broken, this.brokenLabel, this.limits, this.line, this.drop, this.dot, this.area];
  }

  layout({ y, width }) {
    const narrow = width < 620;
    Object.assign(this, { left: 40, right: width - (narrow ? 88 : 108), top: y + 26, bottom: y + (narrow ? 140 : 160) });
    put(this.title, { x: this.left, y: y + 12, text: narrow ? "Softmax: Y over τ" : "Softmax: Y = Σ p·y over the temperature τ" });
    put(this.area, { x: this.left, y: this.top, width: this.right - this.left, height: this.bottom - this.top });
    return this.bottom + 34;
  }

  x(temperature) {
    return this.left + ((Math.log10(temperature) - POWERS[0]) / (POWERS[1] - POWERS[0])) * (this.right - this.left);
  }

  temperatureAt(x) {
    const share = Math.min(Math.max((x - this.left) / (this.right - this.left), 0), 1);
    return Number((10 ** (POWERS[0] + share * (POWERS[1] - POWERS[0]))).toPrecision(2));
  }

  draw({ y, options, ways }, temperature) {
    const points = Array.from({ length: SAMPLES }, (_, k) => {
      const tau = 10 ** (POWERS[0] + (k / (SAMPLES - 1)) * (POWERS[1] - POWERS[0]));
      return [this.x(tau), aggregate(y, "softmax", { ...options, temperature: tau }).Y];
    });
    const [most, mean] = ["max", "mean"].map((how) => ways.find((way) => way.how === how).Y);
    const known = points.map(([, Y]) => Y).filter(Number.isFinite);
    const [low, high] = [Math.min(mean, ...known), Math.max(most, ...known)];
    const margin = 0.12 * (high - low || 1);
    const level = (Y) => this.bottom - ((Y - low + margin) / (high - low + 2 * margin)) * (this.bottom - this.top);
    let [path, open] = ["", false];
    for (const [x, Y] of points) {
      if (Number.isFinite(Y)) path += `${open ? "L" : "M"}${x.toFixed(1)} ${level(Y).toFixed(1)}`;
      open = Number.isFinite(Y);
    }
    put(this.line, { d: path });
    const half = (this.right - this.left) / (SAMPLES - 1) / 2;
    const gaps = points.filter(([, Y]) => !Number.isFinite(Y)).map(([x]) => x);
    const box = (x) => `M${Math.max(this.left, x - half)} ${this.top}h${2 * half}V${this.bottom}h${-2 * half}Z`;
    put(this.broken, { d: gaps.map(box).join("") });
    const wide = gaps.length * 2 * half;
    put(this.brokenLabel, { x: gaps.length ? (gaps[0] + gaps[gaps.length - 1]) / 2 : 0, y: (this.top + this.bottom) / 2, text: wide > 110 ? "NaN in float32" : wide > 34 ? "NaN" : "" });
    const limit = (Y, name) => [
      s("line", { class: "limit", x1: this.left, x2: this.right, y1: level(Y), y2: level(Y) }),
      s("text", { class: "small", x: this.right + 8, y: level(Y) + 4, text: `${name} ${shown(Y)}` }),
    ];
    const close = Math.abs(level(most) - level(mean)) < 16;
    this.limits.replaceChildren(...limit(most, "max"), ...(close ? [] : limit(mean, "mean")));
    const marks = [0.01, 0.1, 1, 10, 100].flatMap((tau) => [
      s("line", { class: "grid", x1: this.x(tau), x2: this.x(tau), y1: this.top, y2: this.bottom }),
      s("text", { class: "tick", x: this.x(tau), y: this.bottom + 16, "text-anchor": "middle", text: String(tau) }),
    ]);
    this.axis.replaceChildren(...marks, s("text", { class: "tick", x: this.right + 26, y: this.bottom + 16, text: "τ" }));
    const now = ways.find((way) => way.how === "softmax").Y;
    const x = this.x(temperature);
    put(this.drop, { x1: x, x2: x, y1: this.top, y2: this.bottom });
    put(this.dot, { cx: x, cy: Number.isFinite(now) ? level(now) : this.bottom });
  }
}
