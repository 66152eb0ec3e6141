const nothingThere = (value) => value === null || value === undefined || Number.isNaN(value);

// A matrix drawn as cells with their numbers. Nodes are made when the shape changes; new values, frames and the cursor
// only set attributes. A grid that can be picked or edited takes the keyboard: arrows choose a cell.
class Grid {
  // title: its name in the picture and to a screen reader; size: words to the right of the title, or a function of
  // (rows, columns). onPoint(row, column) is called for the cell under the pointer or cursor, and with null when there
  // is none any more; onPick on click, Enter or space; onEdit(row, column, value) when a number was typed.
  constructor({ name, title = "", size = (rows, columns) => `${rows} × ${columns}`, onPoint, onPick, onEdit }) {
    Object.assign(this, { name, title, sizeWords: size, onPoint, onPick, onEdit, rows: 0, columns: 0, frames: new Map(), marks: new Map() });
    this.heading = s("text", { class: "title label" });
    this.cells = s("g", { class: "cells" });
    this.hatching = s("path", { class: "hatching" });
    this.over = s("g", { class: "over" });
    this.cursorFrame = s("rect", { class: "cursor", rx: 2, visibility: "hidden" });
    const active = onPick || onEdit;
    const attributes = active ? { tabindex: 0, role: "group", keydown: (event) => this.key(event) } : {};
    this.node = s("g", { class: "cell-grid", "data-grid": name, ...attributes }, this.heading, this.cells, this.hatching, this.over, this.cursorFrame);
    if (onPoint || active) {
      put(this.cells, { pointermove: (event) => this.point(event), pointerleave: () => this.onPoint?.(null) });
    }
    // Chromium makes an SVG element with a focus listener a stop of the Tab key, so only what takes keys has one.
    if (active) put(this.node, { focus: () => this.moveCursor(0, 0), blur: () => this.drawCursor() });
    if (active) put(this.cells, { click: (event) => this.click(event), class: "cells active" });
    this.cursor = { row: 0, column: 0 };
  }

  // Place the grid: top left corner of the title, size of a cell in pixels. `width` is what the heading may take.
  layout({ x, y, cell, rows = this.rows, columns = this.columns, heading = true, gap = cell > 14 ? 2 : 0 }) {
    const top = y + (heading ? 22 : 0);
    const changed = rows !== this.rows || columns !== this.columns;
    Object.assign(this, { x, y, top, cell, rows, columns, gap });
    if (changed) this.make();
    const sized = typeof this.sizeWords === "function" ? this.sizeWords(rows, columns) : this.sizeWords;
    const size = s("tspan", { class: "size", dx: 8, text: sized });
    this.heading.replaceChildren(...(heading ? [this.title, size] : []));
    put(this.heading, { x, y: y + 12 });
    put(this.node, { "aria-label": [this.title, sized].filter(Boolean).join(", ") + this.help() });
    this.boxes.forEach((box, i) => {
      const [left, above] = [x + (i % columns) * cell, top + Math.floor(i / columns) * cell];
      put(box, { x: left + gap / 2, y: above + gap / 2, width: cell - gap, height: cell - gap });
      if (this.numbers[i].firstChild) this.place(i);
    });
    for (const [kind, area] of this.frames) this.frame(kind, area);
    for (const [kind, marks] of this.marks) this.dots(kind, marks);
    this.drawCursor();
    return this;
  }

  get width() {
    return this.columns * this.cell;
  }

  get height() {
    return this.top - this.y + this.rows * this.cell;
  }

  get bottom() {
    return this.top + this.rows * this.cell;
  }

  // The middle of a cell; rows and columns may lie outside, and may be fractions.
  center(row, column) {
    return [this.x + (column + 0.5) * this.cell, this.top + (row + 0.5) * this.cell];
  }

  // Cells are kept when the grid shrinks and used again when it grows: making one costs more than moving it.
  make() {
    const count = this.rows * this.columns;
    this.made ??= { boxes: [], numbers: [], boxLayer: s("g"), numberLayer: s("g") };
    const { boxes, numbers, boxLayer, numberLayer } = this.made;
    while (boxes.length < count) {
      boxes.push(s("rect", { rx: 1 }));
      numbers.push(s("text", { class: "value", "text-anchor": "middle", "dominant-baseline": "central" }));
    }
    [this.boxes, this.numbers] = [boxes.slice(0, count), numbers.slice(0, count)];
    for (const [layer, nodes] of [[boxLayer, this.boxes], [numberLayer, this.numbers]]) {
      while (layer.childNodes.length > count) layer.lastChild.remove();
      layer.append(...nodes.slice(layer.childNodes.length));
    }
    if (!boxLayer.parentNode) this.cells.append(boxLayer, numberLayer);
    this.cursor = { row: Math.min(this.cursor.row, this.rows - 1), column: Math.min(this.cursor.column, this.columns - 1) };
  }

  // The text of a cell. One without a text is not moved along: thousands of them would cost time for nothing.
  write(i, text, style) {
    put(this.numbers[i], { text, style });
    if (text) this.place(i);
  }

  place(i) {
    const [x, y] = this.center(Math.floor(i / this.columns), i % this.columns);
    put(this.numbers[i], { x, y });
  }

  // Show numbers: null and NaN leave a cell empty (not yet computed, or nothing there). `words` turns a number into
  // what stands in the cell; it is left out where it does not fit. `kind(i)` may give a class for a cell's box;
  // `hatched(i)` draws stripes over it; `isEmpty(value)` may say otherwise what is left empty.
  fill(values, { scale = scaleFor(values), words = (value) => short(value), kind = () => null, hatched = () => false, isEmpty = nothingThere } = {}) {
    this.values = values;
    put(this.hatching, { d: this.boxes.map((box, i) => (hatched(i) ? this.stripes(i) : "")).join("") });
    this.boxes.forEach((box, i) => {
      const value = values[i];
      const empty = isEmpty(value);
      const color = empty ? null : scale(value);
      put(box, { class: kind(i) ?? (empty ? "empty" : null), fill: color && css(color) });
      const text = empty ? "" : words(value, i);
      const room = this.cell - 3;
      const letter = text.length * 7.4 < room ? 12.5 : 11;
      const fits = this.cell >= 16 && text.length * letter * 0.58 <= room;
      const ink = color ? `fill: ${inkOn(color)}` : "";
      this.write(i, fits ? text : "", `font-size: ${letter}px; ${ink}`);
    });
    return this;
  }

  // Three strokes across a cell, from lower left to upper right.
  stripes(i) {
    const inset = this.gap / 2;
    const [x, y] = [this.x + (i % this.columns) * this.cell + inset, this.top + Math.floor(i / this.columns) * this.cell + inset];
    const size = this.cell - 2 * inset;
    const stroke = (from, to) => `M${x + from} ${y + to}L${x + to} ${y + from}`;
    const lower = `M${x + size / 2} ${y + size}L${x + size} ${y + size / 2}`;
    return stroke(0, size / 2) + stroke(0, size) + lower;
  }

  // Outline cells: kind is a class (window, pin, reach …); area = { row, column, rows, columns } or null for none.
  frame(kind, area) {
    if (!this.frames.has(kind) && !area) return this;
    this.frames.set(kind, area);
    let node = this.over.querySelector(`.${kind}`);
    if (!node) {
      node = s("g", { class: `frame-pair ${kind}` }, s("rect", { class: "halo", rx: 2 }), s("rect", { class: "line", rx: 2 }));
      this.over.append(node);
    }
    put(node, { visibility: area ? null : "hidden" });
    if (!area) return this;
    const { row, column, rows = 1, columns = 1 } = area;
    const box = { x: this.x + column * this.cell, y: this.top + row * this.cell };
    Object.assign(box, { width: columns * this.cell, height: rows * this.cell });
    for (const rect of node.children) put(rect, box);
    return this;
  }

  // Small dots along the lower edge of cells, as many as `count` says and as fit; marks = [{ row, column, count }, …].
  dots(kind, marks) {
    this.marks.set(kind, marks);
    let node = this.over.querySelector(`path.${kind}`);
    if (!node) this.over.append((node = s("path", { class: `dots ${kind}` })));
    const radius = Math.min(3, this.cell / 8);
    const most = Math.max(1, Math.floor(this.cell / (3 * radius)) - 1);
    const circles = marks.map(({ row, column, count = 1 }) => {
      const shown = Math.min(count, most);
      const [x, y] = this.center(row + 0.5, column);
      return Array.from({ length: shown }, (_, i) => {
        const left = x + (i - (shown - 1) / 2) * 3 * radius - radius;
        return `M${left} ${y - 2.2 * radius}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`;
      }).join("");
    });
    put(node, { d: circles.join("") });
    return this;
  }

  // ---- pointer and keyboard

  cellAt(event) {
    const i = this.boxes.indexOf(event.target);
    return i < 0 ? null : [Math.floor(i / this.columns), i % this.columns];
  }

  point(event) {
    const found = this.cellAt(event);
    if (found) this.onPoint?.(...found, event);
  }

  click(event) {
    const found = this.cellAt(event);
    if (!found) return;
    [this.cursor.row, this.cursor.column] = found;
    if (this.onEdit) this.edit();
    else this.onPick(...found);
  }

  help() {
    if (this.onEdit) return ". Arrow keys choose a cell, a digit or Enter changes it.";
    return this.onPick ? ". Arrow keys choose a cell, Enter picks it." : "";
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { cursor } = this;
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (event.key in moves) {
      this.moveCursor(...moves[event.key]);
    } else if (this.onEdit && /^[-−0-9.]$/.test(event.key)) this.edit(event.key);
    else if (event.key === "Enter" && this.onEdit) this.edit();
    else if ((event.key === "Enter" || event.key === " ") && this.onPick) this.onPick(cursor.row, cursor.column);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  moveCursor(down, right) {
    const { cursor } = this;
    cursor.row = Math.min(Math.max(cursor.row + down, 0), this.rows - 1);
    cursor.column = Math.min(Math.max(cursor.column + right, 0), this.columns - 1);
    this.drawCursor();
    this.onPoint?.(cursor.row, cursor.column);
  }

  drawCursor() {
    const [x, y] = this.center(this.cursor.row - 0.5, this.cursor.column - 0.5);
    const visibility = this.node.matches(":focus") ? null : "hidden";
    put(this.cursorFrame, { x, y, width: this.cell, height: this.cell, visibility });
  }

  // Type a number over a cell: Enter, Tab or leaving takes it, Escape does not, what is no number stays and says so.
  edit(typed = null) {
    const { row, column } = this.cursor;
    const stage = this.node.closest(".stage");
    const [x, y] = this.center(row - 0.5, column - 0.5);
    const label = `${this.title}, row ${row}, column ${column}`;
    const input = h("input", { class: "cell-input", type: "text", inputmode: "decimal", "aria-label": label });
    const wide = Math.max(this.cell, 52);
    input.value = typed ?? String(this.values[row * this.columns + column] ?? "");
    input.style.cssText = `left:${x + (this.cell - wide) / 2}px;top:${y}px;width:${wide}px;height:${this.cell}px`;
    let open = true;
    const close = (focus) => {
      open = false;
      input.remove();
      if (focus) this.node.focus();
    };
    const take = (focus) => {
      if (!open) return;
      const value = Number(input.value.trim().replace("−", "-").replace(",", "."));
      if (input.value.trim() === "" || !Number.isFinite(value)) {
        if (focus) put(input, { "aria-invalid": "true", title: "Type a number, such as 2 or −0.5" });
        else close(false);
        return;
      }
      close(focus);
      this.onEdit(row, column, value);
    };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") take(true);
      else if (event.key === "Escape") close(true);
    });
    input.addEventListener("blur", () => take(false));
    stage.append(input);
    input.focus();
    if (typed === null) input.select();
  }
}
