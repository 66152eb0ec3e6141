// One order as a row of time: a lane for each layer, a bar for each stretch of work, the clock as a line. What is done
// is full, what is to come is pale; work done again is hollow, so that color is not alone.
const LANE = 13;

class Timeline {
  constructor(onSeek) {
    this.axis = s("g", {});
    this.future = s("g", { class: "future" });
    this.past = s("svg", { overflow: "hidden" });
    this.clock = s("line", { class: "clock" });
    this.end = s("text", { class: "small" });
    this.flag = s("line", { class: "flag" });
    this.sheet = s("rect", { class: "sheet" });
    this.node = s("g", { class: "timeline" }, this.axis, this.future, this.past, this.end, this.flag, this.clock, this.sheet);
    this.sheet.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.sheet.setPointerCapture(event.pointerId);
      const pull = (moved) => onSeek(this.timeAt(moved));
      const release = () => this.sheet.removeEventListener("pointermove", pull);
      this.sheet.addEventListener("pointermove", pull);
      this.sheet.addEventListener("pointerup", release, { once: true });
      this.sheet.addEventListener("pointercancel", release, { once: true });
      pull(event);
    });
  }

  // longest: the larger of both totals, so that both panels share one scale.
  layout({ x, y, width, lanes, longest }) {
    Object.assign(this, { x: x + LABELS, y, width: width - LABELS, longest, lanes });
    this.height = lanes * LANE + 22;
    const bottom = y + lanes * LANE + 4;
    const grid = ticks(0, longest, Math.max(2, Math.floor(this.width / 70)));
    this.axis.replaceChildren(
      ...Array.from({ length: lanes }, (_, i) =>
        s("text", { class: "small", x: x + LABELS - 8, y: y + i * LANE + 10, "text-anchor": "end", text: `layer ${i + 1}` }),
      ),
      ...grid.values.flatMap((value) => [
        s("line", { class: "grid", x1: this.at(value), x2: this.at(value), y1: y - 2, y2: bottom }),
        s("text", { class: "tick", x: this.at(value), y: bottom + 13, "text-anchor": "middle", text: thousands(value) }),
      ]),
    );
    put(this.sheet, { x: this.x, y: y - 4, width: this.width, height: lanes * LANE + 10 });
    put(this.past, { x: this.x, y: y - 2, height: lanes * LANE + 6 });
  }

  at(time) {
    return this.x + (time / this.longest) * this.width;
  }

  timeAt(event) {
    const box = this.sheet.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * this.longest;
  }

  // bars: stretches of the order; total: when it is done.
  fill(bars, total) {
    const path = (again, x0, y0) =>
      bars.filter((bar) => Boolean(bar.again) === again).map(({ layer, from, to }) => {
        const [left, wide] = [(from / this.longest) * this.width, ((to - from) / this.longest) * this.width];
        const slit = Math.min(0.8, wide / 4);
        const [top, high] = again ? [2.5, LANE - 6] : [1, LANE - 3];
        return `M${(x0 + left + slit / 2).toFixed(2)} ${y0 + (layer - 1) * LANE + top}h${Math.max(0.5, wide - slit).toFixed(2)}v${high}h${-Math.max(0.5, wide - slit).toFixed(2)}Z`;
      }).join("");
    const layers = (x0, y0) => [s("path", { class: "first", d: path(false, x0, y0) }), s("path", { class: "again", d: path(true, x0, y0) })];
    this.future.replaceChildren(...layers(this.x, this.y));
    this.past.replaceChildren(...layers(0, 2));
    this.total = total;
    const x = this.at(total);
    put(this.end, { x: Math.max(x, this.x + 78), y: this.y - 9, "text-anchor": "end", text: `done at ${thousands(total)}` });
    put(this.flag, { x1: x, x2: x, y1: this.y - 7, y2: this.y + this.lanes * LANE + 4 });
  }

  go(clock) {
    const x = this.at(Math.min(clock, this.longest));
    put(this.past, { width: Math.max(0, x - this.x) });
    put(this.clock, { x1: x, x2: x, y1: this.y - 4, y2: this.y + this.lanes * LANE + 5 });
  }
}
