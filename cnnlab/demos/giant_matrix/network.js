// The layer of one axis as two rows of units with its edges: inputs below, outputs above. Where there is one filter over
// one channel an output stands over the middle of its window, so that equal windows make equal fans.
class Network {
  // onPoint({ entry }, { row } or { column }, or null); onPick(entry).
  constructor({ onPoint, onPick }) {
    this.onPoint = onPoint;
    this.edges = s("g", { class: "edges" });
    this.over = s("g", { class: "lit-edges" });
    this.units = s("g", { class: "units" });
    this.names = s("g", {});
    this.area = s("rect", { class: "area", pointermove: (event) => this.point(event), pointerleave: () => onPoint(null) });
    put(this.area, { click: (event) => this.nearest(event)?.entry !== undefined && onPick(this.nearest(event).entry) });
    this.node = s("g", { class: "network", "data-part": "network" }, this.edges, this.over, this.units, this.names, this.area);
  }

  layout({ x, y, width, height, model }) {
    Object.assign(this, { x, y, width, height, model });
    const inputs = this.line(model.depth, model.plane);
    const single = model.depth * model.filters === 1;
    const [axis] = model.axes;
    const middle = (o) => o * axis.stride - axis.before + (axis.kernel - 1) / 2;
    const outputs = single ? Array.from({ length: model.rows }, (_, o) => middle(o)) : this.line(model.filters, model.spots);
    const span = (places) => [Math.min(...places), Math.max(...places)];
    const [low, high] = single ? span([...inputs, ...outputs]) : span(inputs);
    const scale = (places, [from, to]) => {
      const step = width / (to - from + 1.2);
      return { at: places.map((place) => x + (place - from + 0.6) * step), step };
    };
    const [below, above] = [scale(inputs, [low, high]), scale(outputs, single ? [low, high] : span(outputs))];
    Object.assign(this, { below, above, top: y + 34, bottom: y + height - 34 });
    this.radius = Math.max(2, Math.min(9, 0.34 * Math.min(below.step, above.step)));
    put(this.area, { x, y, width, height });
    this.make();
  }

  // Places of the units of a row in steps, a gap between channels.
  line(groups, size) {
    return Array.from({ length: groups * size }, (_, i) => i + Math.floor(i / size) * 0.9);
  }

  make() {
    const { below, above, top, bottom, radius, model } = this;
    const lines = model.rows * model.columns;
    if (this.lines?.length !== lines) {
      this.pool ??= [];
      while (this.pool.length < lines) this.pool.push(s("line", {}));
      this.lines = this.pool.slice(0, lines);
      this.edges.replaceChildren(...this.lines);
    }
    this.drawn = [];
    const unit = (kind) => (cx, i) => s("circle", { cx, cy: kind === "row" ? top : bottom, r: radius, [`data-${kind}`]: i });
    this.units.replaceChildren(...above.at.map(unit("row")), ...below.at.map(unit("column")));
    const label = ({ at, step }, size, y) => {
      const every = step >= 15 ? 1 : step >= 7 ? 4 : 10;
      const shown = at.map((cx, i) => [cx, i % size]).filter(([, i]) => i % every === 0);
      return shown.map(([cx, i]) => s("text", { class: "tick", x: cx, y, "text-anchor": "middle", text: i }));
    };
    const title = (y, text, size) => s("text", { class: "title", x: this.x, y, text: "" }, text, s("tspan", { class: "size", dx: 8, text: size }));
    const channels = (count, each, name) => (count > 1 ? `${plural(count, name)} of ${each}` : `${each}`);
    this.names.replaceChildren(
      ...label(above, model.spots, top - radius - 6), ...label(below, model.plane, bottom + radius + 15),
      title(this.y + 4, "Outputs", channels(model.filters, model.spots, "filter")),
      title(this.y + this.height + 10, "Inputs", channels(model.depth, model.plane, "channel")),
    );
  }

  ends(entry) {
    const [row, column] = [Math.floor(entry / this.model.columns), entry % this.model.columns];
    return { x1: this.above.at[row], y1: this.top, x2: this.below.at[column], y2: this.bottom };
  }

  // line(entry) gives { stroke, width, dash } or null for no edge; only edges that changed are touched.
  draw(line) {
    this.line_ = line;
    this.lines.forEach((node, entry) => {
      const seen = line(entry);
      const style = seen ? `stroke: ${seen.stroke}; stroke-width: ${seen.width}; stroke-dasharray: ${seen.dash}` : "display: none";
      if (this.drawn[entry] === style) return;
      this.drawn[entry] = style;
      put(node, seen ? { ...this.ends(entry), style } : { style });
    });
  }

  // Bring out these edges and their units, with their letters where there is room; null for all alike.
  light(entries, letter) {
    put(this.node, { "data-lighting": Boolean(entries) });
    const found = (entries ?? []).filter((entry) => this.line_(entry));
    const rows = new Set(found.map((entry) => Math.floor(entry / this.model.columns)));
    const columns = new Set(found.map((entry) => entry % this.model.columns));
    for (const node of this.units.children) {
      const { row, column } = node.dataset;
      put(node, { "data-lit": row === undefined ? columns.has(Number(column)) : rows.has(Number(row)) });
    }
    const lines = found.map((entry) => {
      const { stroke, dash } = this.line_(entry);
      return s("line", { ...this.ends(entry), style: `stroke: ${stroke}; stroke-dasharray: ${dash}`, "data-entry": entry });
    });
    const letters = found.length > 40 ? [] : found.map((entry) => {
      const { x1, y1, x2, y2 } = this.ends(entry);
      const along = 0.36;
      return s("text", { class: "label strong", x: x1 + along * (x2 - x1), y: y1 + along * (y2 - y1) + 4, "text-anchor": "middle", text: letter(entry) });
    });
    this.over.replaceChildren(...lines, ...letters);
  }

  // ---- pointer: the unit under it, else the nearest edge within reach

  nearest(event) {
    const box = this.node.ownerSVGElement.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const touched = (at, y) => at.findIndex((cx) => Math.hypot(cx - px, y - py) <= this.radius + 2);
    const [row, column] = [touched(this.above.at, this.top), touched(this.below.at, this.bottom)];
    if (row >= 0) return { row };
    if (column >= 0) return { column };
    let [best, least] = [null, 7];
    for (let entry = 0; entry < this.model.rows * this.model.columns; entry += 1) {
      if (!this.line_(entry)) continue;
      const { x1, y1, x2, y2 } = this.ends(entry);
      const share = Math.min(Math.max(((px - x1) * (x2 - x1) + (py - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2), 0), 1);
      const far = Math.hypot(x1 + share * (x2 - x1) - px, y1 + share * (y2 - y1) - py);
      if (far < least) [best, least] = [{ entry }, far];
    }
    return best;
  }

  point(event) {
    this.onPoint(this.nearest(event));
  }
}
