// A plane of numbers: cells as long as they can be read, else pixels. Both take the same frames, pointer and tooltip.
const MOST_CELLS = 256;
const LEAST_CELL = 16;

class Plane extends Grid {
  constructor(options) {
    super({ size: (rows, columns) => (this.pitch > 145 ? `${rows} × ${columns}` : ""), ...options });
    this.raster = new Raster();
    this.focusable = Boolean(options.onEdit || options.onPick);
    this.pixels = false;
  }

  make() {
    this.raster.node.remove();
    if (!this.pixels) return super.make();
    Object.assign(this, { boxes: [], numbers: [], cursor: { row: 0, column: 0 } });
    return this.cells.replaceChildren(this.raster.node);
  }

  // pitch: how many pixels there are for the heading.
  layout({ pitch = 999, ...options }) {
    const pixels = options.rows * options.columns > MOST_CELLS || options.cell < LEAST_CELL;
    if (pixels !== this.pixels) this.rows = 0; // other nodes
    Object.assign(this, { pitch, pixels });
    super.layout(options);
    // Pixels cannot be edited, so a plane of them is no stop of the Tab key unless it can be picked from.
    if (this.focusable) put(this.node, { tabindex: pixels && this.onEdit ? null : 0 });
    if (pixels) this.raster.layout({ x: this.x, y: this.top, width: this.width, height: this.rows * this.cell });
    return this;
  }

  fill(values, options = {}) {
    if (!this.pixels) {
      // All numbers or none: a cell without one looks as if nothing had been computed.
      const texts = values.map((value) => this.fitting(value));
      const words = texts.includes(null) ? () => "" : (value, i) => texts[i];
      return super.fill(values, { words, ...options });
    }
    this.values = values;
    const { scale = scaleFor(values) } = options;
    put(this.hatching, { d: "" });
    this.raster.paint(this.rows, this.columns, (r, c) => scale(values[r * this.columns + c]));
    return this;
  }

  // A number with as many decimals as its cell takes: two, one, or none from 10 on; null where it does not fit.
  fitting(value) {
    const digits = Math.abs(value) >= 10 ? [2, 1, 0] : [2, 1];
    const texts = digits.map((count) => short(value, count));
    return texts.find((text) => text.length * 6.4 <= this.cell - 3) ?? null;
  }

  // The cell under the pointer; clamped, so that a drag may leave the plane.
  cellAt(event, clamp = false) {
    const box = this.node.ownerSVGElement.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - this.x) / this.cell);
    const row = Math.floor((event.clientY - box.top - this.top) / this.cell);
    const [r, c] = [Math.min(Math.max(row, 0), this.rows - 1), Math.min(Math.max(column, 0), this.columns - 1)];
    return clamp || (r === row && c === column) ? [r, c] : null;
  }

  help() {
    return this.pixels && this.onEdit ? "" : super.help();
  }

  edit(typed = null) {
    if (!this.pixels) super.edit(typed);
  }
}

// Pull something over a plane: onDrag(row, column) for the cell under the pointer once it has moved a little; a press
// that does not move stays a click.
function pullOver(plane, onDrag) {
  plane.cells.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    let moving = false;
    const [x, y] = [event.clientX, event.clientY];
    const pull = (moved) => {
      moving = moving || Math.hypot(moved.clientX - x, moved.clientY - y) > 4;
      if (moving) onDrag(...plane.cellAt(moved, true));
    };
    const swallow = (click) => click.stopPropagation();
    const release = () => {
      window.removeEventListener("pointermove", pull);
      window.removeEventListener("pointerup", release);
      window.removeEventListener("pointercancel", release);
      if (!moving) return;
      plane.node.addEventListener("click", swallow, { capture: true, once: true });
      setTimeout(() => plane.node.removeEventListener("click", swallow, { capture: true }));
    };
    window.addEventListener("pointermove", pull);
    window.addEventListener("pointerup", release);
    window.addEventListener("pointercancel", release);
  });
}
