// The layer of two axes: a grid for each input channel and each filter's outputs. The window of one output stands on the
// input in the colors of its weights; a weight that is lit shows every input that it meets and every output it serves.
class Planes {
  // onPoint({ row } or { column } or null), onPick(row).
  constructor({ onPoint, onPick }) {
    Object.assign(this, { onPoint, onPick, inputs: [], outputs: [] });
    this.node = s("g", { class: "planes" });
  }

  // Where there is room the kernel stands between, `aside.kernelWide` pixels wide, and `kernelAt` says where.
  layout({ x, y, width, model, aside }) {
    this.model = model;
    const { depth, filters, n, outputs, plane, spots } = model;
    if (this.inputs.length !== depth || this.outputs.length !== filters) {
      this.inputs = Array.from({ length: depth }, (_, c) => this.grid("input", "Input", c, depth, plane, "column"));
      this.outputs = Array.from({ length: filters }, (_, j) => this.grid("output", "Output", j, filters, spots, "row"));
      this.node.replaceChildren(...[...this.inputs, ...this.outputs].map(({ node }) => node));
    }
    const { gap, kernelWide } = aside;
    // One block of grids: so many beside each other that at most three stand on top of each other.
    const block = (grids, [rows, columns], cell, most) => {
      const room = Math.max(columns * cell + cell, grids.length > 1 ? 104 : 72);
      const perLine = Math.min(Math.max(1, Math.floor(most / room)), Math.ceil(grids.length / 3));
      return { grids, rows, columns, cell, room, perLine, wide: perLine * room };
    };
    const place = ({ grids, rows, columns, cell, room, perLine }, left, top) => {
      grids.forEach((grid, i) => {
        const [line, column] = [Math.floor(i / perLine), i % perLine];
        grid.layout({ x: left + column * room, y: top + line * (rows * cell + 36), cell, rows, columns });
      });
      return grids.at(-1).bottom;
    };
    const row = [30, 26, 22, 18, 15, 12].map((cell) => [block(this.inputs, n, cell, width), block(this.outputs, outputs, cell, width)]);
    const fits = row.find(([ins, outs]) => ins.wide + outs.wide + kernelWide + 2 * gap <= width);
    if (fits && kernelWide) {
      const [ins, outs] = fits;
      const bottom = place(ins, x, y);
      this.kernelAt = { x: x + ins.wide + gap - ins.cell / 2, y };
      const right = this.kernelAt.x + kernelWide + gap;
      this.signs = [this.kernelAt.x - gap / 2 - 4, right - gap / 2];
      this.bottom = Math.max(bottom, place(outs, right, y));
      this.level = y + 22 + (outputs[0] * outs.cell) / 2 + 8;
    } else {
      this.kernelAt = this.signs = null;
      const cell = Math.max(8, Math.min(26, Math.floor(width / Math.max(n[1], outputs[1], 6))));
      const stacked = (grids, size) => ({ ...block(grids, size, cell, width), perLine: Math.max(1, Math.floor((width + cell) / Math.max(size[1] * cell + cell, 104))) });
      this.bottom = place(stacked(this.outputs, outputs), x, place(stacked(this.inputs, n), x, y) + 18);
    }
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
    const touched = new Map((lit ?? []).map((entry) => [entry % columns, entry]));
    const served = new Map((lit ?? []).map((entry) => [Math.floor(entry / columns), entry]));
    const quiet = (seen) => seen && { ...seen, text: /^\d+$/.test(seen.text) ? "" : seen.text };
    this.inputs.forEach((grid, c) => {
      const entryOf = (i) => touched.get(c * plane + i) ?? row * columns + c * plane + i;
      grid.paint((i) => quiet(look(entryOf(i))));
      grid.light(lit && [...touched.keys()].filter((column) => Math.floor(column / plane) === c).map((column) => column % plane));
      const [r, k] = unravel(row % spots, outputs);
      const [top, left] = [r * axes[0].stride - axes[0].before, k * axes[1].stride - axes[1].before];
      const [bottom, right] = [Math.min(top + kernel[0], n[0]), Math.min(left + kernel[1], n[1])];
      const area = { row: Math.max(top, 0), column: Math.max(left, 0) };
      grid.frame("window", { ...area, rows: Math.max(0, bottom - area.row), columns: Math.max(0, right - area.column) });
    });
    this.outputs.forEach((grid, j) => {
      const entry = (i) => served.get(j * spots + i);
      grid.paint((i) => (entry(i) === undefined ? null : quiet(look(entry(i)))));
      grid.light(lit && [...served.keys()].filter((r) => Math.floor(r / spots) === j).map((r) => r % spots));
      const inside = Math.floor(row / spots) === j;
      const [r, c] = unravel(row % spots, outputs);
      grid.frame("window", inside ? { row: r, column: c } : null);
    });
  }
}
