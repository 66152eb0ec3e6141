// A board of tiles, or of the pixels of one tile: what lies over the canvas and can be pointed at, picked and reached
// by keyboard. The pixels themselves are painted by the sheet.
class Board {
  // onPoint(index or null, event) follows pointer and cursor; onPick(index) a click, Enter or space.
  constructor({ name, title, noun = "tile", onPoint, onPick }) {
    Object.assign(this, { name, title, noun, onPoint, onPick, rows: 0, columns: 0, count: 0, cursor: 0, frames: new Map() });
    this.heading = s("text", { class: "title label" });
    this.back = s("rect", { class: "back" });
    this.hit = s("rect", { class: "hit", pointermove: (event) => this.point(event), pointerleave: () => onPoint?.(null) });
    this.over = s("g", { class: "over" });
    this.texts = s("g", { class: "captions" });
    this.cursorFrame = s("rect", { class: "cursor", rx: 2, visibility: "hidden" });
    const active = onPoint || onPick;
    const attributes = active ? { tabindex: 0, role: "group", keydown: (event) => this.key(event) } : { "aria-hidden": "true" };
    this.node = s("g", { class: "board", "data-board": name, ...attributes }, this.heading, this.back, this.over, this.texts, this.cursorFrame, this.hit);
    if (onPick) put(this.hit, { click: (event) => this.pick(event), class: "hit active" });
    if (active) put(this.node, { focus: () => this.move(0), blur: () => this.drawCursor() });
  }

  // tile: width and height of one; gap: what lies between two; captions need a gap below.
  layout({ x, y, tile, gap = [0, 0], rows, columns, count = rows * columns, room = Infinity }) {
    Object.assign(this, { x, y, tile, gap, rows, columns, count, room, top: y + 22 });
    this.cursor = Math.min(this.cursor, count - 1);
    this.entitle(this.size ?? "");
    const box = { x, y: this.top, width: this.width, height: this.height };
    for (const rect of [this.back, this.hit]) put(rect, box);
    for (const [kind, area] of this.frames) this.frame(kind, area);
    this.drawCursor();
    return this;
  }

  // Words to the right of the title are left out where there is no room for them.
  entitle(size, title = this.title) {
    Object.assign(this, { title, size });
    const fits = title.length * 8 + size.length * 7 + 10 < this.room;
    this.heading.replaceChildren(title, s("tspan", { class: "size", dx: 8, text: fits ? size : "" }));
    put(this.heading, { x: this.x, y: this.y + 12 });
    const help = this.onPick ? `Arrow keys choose a ${this.noun}, Enter picks it.` : "Arrow keys choose a cell.";
    put(this.node, { "aria-label": `${[title, size].filter(Boolean).join(", ")}. ${help}` });
  }

  get width() {
    return this.columns * this.tile[0] + (this.columns - 1) * this.gap[0];
  }

  get height() {
    return this.rows * this.tile[1] + (this.rows - 1) * this.gap[1];
  }

  get bottom() {
    return this.top + this.height;
  }

  // Where tile i stands, or an area of tiles.
  box(i, rows = 1, columns = 1) {
    return this.area({ row: Math.floor(i / this.columns), column: i % this.columns, rows, columns });
  }

  area({ row, column, rows = 1, columns = 1 }) {
    const [[width, height], [across, down]] = [this.tile, this.gap];
    return {
      x: this.x + column * (width + across),
      y: this.top + row * (height + down),
      width: columns * (width + across) - across,
      height: rows * (height + down) - down,
    };
  }

  // One line of text, or several, under each tile.
  caption(lines) {
    this.texts.replaceChildren(
      ...lines.flatMap((words, i) => {
        const { x, y, width, height } = this.box(i);
        const line = (text, k) => s("text", { class: k ? "small" : "tick value", "text-anchor": "middle", x: x + width / 2, y: y + height + 14 + 15 * k, text });
        return words.map(line);
      }),
    );
  }

  frame(kind, area) {
    if (!this.frames.has(kind) && !area) return;
    this.frames.set(kind, area);
    let node = this.over.querySelector(`.${kind}`);
    if (!node) {
      node = s("g", { class: `frame-pair ${kind}` }, s("rect", { class: "halo", rx: 2 }), s("rect", { class: "line", rx: 2 }));
      this.over.append(node);
    }
    put(node, { visibility: area ? null : "hidden" });
    if (!area) return;
    const { x, y, width, height } = this.area(area);
    const out = Math.min(width, height) < 18 ? 2.5 : 0; // around a small cell, so that its color is still seen
    for (const rect of node.children) put(rect, { x: x - out, y: y - out, width: width + 2 * out, height: height + 2 * out });
  }

  frameTile(kind, i) {
    this.frame(kind, i === null ? null : { row: Math.floor(i / this.columns), column: i % this.columns });
  }

  // ---- pointer and keyboard

  at({ clientX, clientY }) {
    const { left, top, width, height } = this.hit.getBoundingClientRect();
    const [[wide, high], [across, down]] = [this.tile, this.gap];
    const scale = width / this.width || 1;
    const column = Math.floor((clientX - left) / scale / (wide + across));
    const row = Math.floor((clientY - top) / ((height / this.height) || 1) / (high + down));
    const inside = row >= 0 && column >= 0 && row < this.rows && column < this.columns;
    const i = row * this.columns + column;
    return inside && i < this.count ? i : null;
  }

  point(event) {
    this.onPoint?.(this.at(event), event);
  }

  pick(event) {
    const i = this.at(event);
    if (i === null) return;
    this.cursor = i;
    this.onPick(i);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    if (event.key in moves) this.move(moves[event.key]);
    else if ((event.key === "Enter" || event.key === " ") && this.onPick) this.onPick(this.cursor);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(by) {
    const to = this.cursor + by;
    if (to >= 0 && to < this.count) this.cursor = to;
    this.drawCursor();
    this.onPoint?.(this.cursor);
  }

  drawCursor() {
    put(this.cursorFrame, { ...this.box(this.cursor), visibility: this.node.matches(":focus") ? null : "hidden" });
  }
}
