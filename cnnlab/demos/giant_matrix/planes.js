// The layer of two axes: a grid for each input channel and each filter's outputs. The window of one output stands on the
// input in the colors of its weights; a weight that is lit shows every input that it meets and every output it serves.
class Planes {
  // onPoint({ row } or { column } or null), onPick(row).
  constructor({ onPoint, onPick }) {
    Object.assign(this, { onPoint, onPick, inputs: [], outputs: [] });
    this.node = s("g", { class: "planes" });
  }

  layout({ x, y, width, model }) {
    this.model = model;
    const { depth, filters, n, outputs, plane, spots } = model;
    if (this.inputs.length !== depth || this.outputs.length !== filters) {
      this.inputs = Array.from({ length: depth }, (_, c) => this.grid("input", "Input", c, depth, plane, "column"));
      this.outputs = Array.from({ length: filters }, (_, j) => this.grid("output", "Output", j, filters, spots, "row"));
      this.node.replaceChildren(...[...this.inputs, ...this.outputs].map(({ node }) => node));
    }
    const across = Math.max(depth * (n[1] + 1) - 1, filters * (outputs[1] + 1) - 1, 6);
    const cell = Math.max(9, Math.min(30, Math.floor(width / across)));
    const place = (grids, [rows, columns], top) => {
      const room = Math.max(columns * cell + cell, depth + filters > 2 ? 84 : 0);
      const perLine = Math.max(1, Math.floor((width + cell) / room));
      let bottom = top;
      grids.forEach((grid, i) => {
        const line = Math.floor(i / perLine);
        grid.layout({ x: x + (i % perLine) * room, y: top + line * (rows * cell + 36), cell, rows, columns });
        bottom = grid.bottom;
      });
      return bottom;
    };
    this.bottom = place(this.inputs, n, place(this.outputs, outputs, y) + 18);
    return this;
  }

  grid(name, title, i, count, size, kind) {
    return new TieGrid({
      name: `${name}-${i}`,
      title: count > 1 ? `${title} ${i}` : title,
      onPoint: (r, c) => this.onPoint(r === null ? null : { [kind]: i * size + r * this.columnsOf(kind) + c }),
      onPick: (r, c) => this.onPick({ [kind]: i * size + r * this.columnsOf(kind) + c }),
    });
  }

  columnsOf(kind) {
    return (kind === "row" ? this.model.outputs : this.model.n)[1];
  }

  // row: the output whose window is shown; look(entry): as in the matrix; lit: entries or null.
  draw({ row, look, lit }) {
    const { plane, spots, columns, n, outputs, kernel, axes } = this.model;
    const plain = { fill: "var(--panel)", ink: "var(--ink)", text: "" };
    const touched = new Map((lit ?? []).map((entry) => [entry % columns, entry]));
    const served = new Map((lit ?? []).map((entry) => [Math.floor(entry / columns), entry]));
    const quiet = (seen) => seen && { ...seen, text: /^\d+$/.test(seen.text) ? "" : seen.text };
    this.inputs.forEach((grid, c) => {
      const entryOf = (i) => touched.get(c * plane + i) ?? row * columns + c * plane + i;
      grid.paint((i) => quiet(look(entryOf(i))) ?? plain);
      grid.light(lit && [...touched.keys()].filter((column) => Math.floor(column / plane) === c).map((column) => column % plane));
      const [r, k] = unravel(row % spots, outputs);
      const [top, left] = [r * axes[0].stride - axes[0].before, k * axes[1].stride - axes[1].before];
      const [bottom, right] = [Math.min(top + kernel[0], n[0]), Math.min(left + kernel[1], n[1])];
      const area = { row: Math.max(top, 0), column: Math.max(left, 0) };
      grid.frame("window", { ...area, rows: Math.max(0, bottom - area.row), columns: Math.max(0, right - area.column) });
    });
    this.outputs.forEach((grid, j) => {
      const entry = (i) => served.get(j * spots + i);
      grid.paint((i) => (entry(i) === undefined ? plain : quiet(look(entry(i))) ?? plain));
      grid.light(lit && [...served.keys()].filter((r) => Math.floor(r / spots) === j).map((r) => r % spots));
      const inside = Math.floor(row / spots) === j;
      const [r, c] = unravel(row % spots, outputs);
      grid.frame("window", inside ? { row: r, column: c } : null);
    });
  }
}
