// Two axes: the input and each layer as a grid, from left to right. What is reached is filled; in the input, frames show
// the field of the middle unit of each layer below, inside one another.
const ROOMY = 16; // a cell of so many pixels holds a number
const MOST_NUMBERS = 400;

// Shades in steps that no eye can tell apart, made once: a picture of many cells is painted at each move.
const SHADES = Array.from({ length: 512 }, (_, i) => cividis(i / 511));

class Plane {
  constructor() {
    this.name = s("text", { class: "strong" });
    this.told = s("text", { class: "small" });
    this.back = s("rect", { class: "plane" });
    this.lines = s("path", { class: "lines" });
    this.fill = s("path", { class: "reached" });
    this.raster = new Raster();
    this.frame = s("rect", { class: "reach-frame" });
    this.nest = s("g", { class: "nest" });
    this.self = s("rect", { class: "self-frame" });
    this.numbers = s("g");
    this.node = s("g", {}, this.name, this.told, this.back, this.lines, this.fill, this.raster.node, this.numbers, this.nest, this.frame, this.self);
  }

  layout({ x, y, rows, columns, cell, name, told }) {
    Object.assign(this, { x, y: y + 38, rows, columns, cell });
    const size = s("tspan", { class: "size", dx: 6, text: `${rows} × ${columns}` });
    put(this.name, { x, y: y + 12 });
    this.name.replaceChildren(name, size);
    put(this.told, { x, y: y + 28, text: told });
    put(this.back, { x, y: this.y, width: this.width, height: this.height });
    const down = Array.from({ length: columns - 1 }, (_, i) => `M${x + (i + 1) * cell} ${this.y}v${this.height}`);
    const across = Array.from({ length: rows - 1 }, (_, i) => `M${x} ${this.y + (i + 1) * cell}h${this.width}`);
    put(this.lines, { d: cell >= 5 ? [...down, ...across].join("") : "" });
  }

  get width() {
    return this.columns * this.cell;
  }

  get height() {
    return this.rows * this.cell;
  }

  box(row, column, rows, columns) {
    const [x, y] = [this.x + column * this.cell, this.y + row * this.cell];
    return { x, y, width: columns * this.cell, height: rows * this.cell };
  }

  // Paths on the two axes, or null where nothing is shown; kind: "down", "up" or "self".
  draw(counts, kind, weighted) {
    const sets = counts && counts.map(reached);
    const shown = sets && !sets.includes(null) && kind !== "self";
    for (const node of [this.frame, this.raster.node, this.self]) put(node, { visibility: "hidden" });
    put(this.fill, { d: shown && !weighted ? this.cells(counts) : "", class: `reached ${kind}` });
    this.number(shown && weighted && this.cell >= ROOMY ? counts : null);
    if (kind === "self") put(this.self, { ...this.box(sets[0].first, sets[1].first, 1, 1), visibility: null });
    this.reach = kind === "self" || shown ? this.box(sets[0].first, sets[1].first, ...sets.map(({ first, last }) => last - first + 1)) : null;
    if (!shown) return;
    put(this.frame, { ...this.reach, class: `reach-frame ${kind}`, visibility: null });
    if (weighted) this.paint(counts, sets);
  }

  // The product of two sets of positions as rectangles, one for each pair of runs.
  cells(counts) {
    const [down, across] = counts.map(runs);
    const parts = down.flatMap(([top, bottom]) =>
      across.map(([left, right]) => {
        const { x, y, width, height } = this.box(top, left, bottom - top + 1, right - left + 1);
        return `M${x} ${y}h${width}v${height}h${-width}z`;
      }),
    );
    return parts.join("");
  }

  paint(counts, sets) {
    const [rows, columns] = sets.map(({ first, last }) => last - first + 1);
    const factor = 511 / (Math.max(...counts[0]) * Math.max(...counts[1]));
    const at = (r, c) => counts[0][sets[0].first + r] * counts[1][sets[1].first + c];
    this.raster.layout(this.reach).paint(rows, columns, (r, c) => (at(r, c) ? SHADES[Math.round(at(r, c) * factor)] : null));
    put(this.raster.node, { visibility: null });
  }

  number(counts) {
    const cells = counts ? [...positions([this.rows, this.columns])].filter(([r, c]) => counts[0][r] * counts[1][c] > 0) : [];
    const shown = cells.length <= MOST_NUMBERS ? cells : [];
    while (this.numbers.children.length < shown.length) {
      this.numbers.append(s("text", { class: "value", "text-anchor": "middle", "dominant-baseline": "central" }));
    }
    const scale = counts && oneSided(0, Math.max(...counts[0]) * Math.max(...counts[1]));
    [...this.numbers.children].forEach((node, i) => {
      if (i >= shown.length) return put(node, { text: "" });
      const [r, c] = shown[i];
      const value = counts[0][r] * counts[1][c];
      const text = countWords(value);
      const style = `font-size: 11px; fill: ${inkOn(scale(value))}`;
      return put(node, { x: this.x + (c + 0.5) * this.cell, y: this.y + (r + 0.5) * this.cell, text: text.length * 6.6 <= this.cell ? text : "", style });
    });
  }

  at(x, y) {
    const [row, column] = [Math.floor((y - this.y) / this.cell), Math.floor((x - this.x) / this.cell)];
    return row >= 0 && column >= 0 && row < this.rows && column < this.columns ? [row, column] : null;
  }
}

// First and last position of each stretch that is reached without a gap.
function runs(counts) {
  const found = [];
  counts.forEach((count, i) => {
    if (!count) return;
    if (found.length && found.at(-1)[1] === i - 1) found.at(-1)[1] = i;
    else found.push([i, i]);
  });
  return found;
}

class Planes {
  constructor() {
    this.links = s("g", { class: "links" });
    this.panels = s("g");
    this.node = s("g", {}, this.links, this.panels);
    this.planes = [];
  }

  layout(model, layers, width) {
    const sizes = model.axes[0].sizes.map((rows, l) => [rows, model.axes[1].sizes[l]]);
    while (this.planes.length < sizes.length) this.planes.push(new Plane());
    this.planes.length = sizes.length;
    this.panels.replaceChildren(...this.planes.map(({ node }) => node));
    const [gap, slot] = [width < 560 ? 16 : 28, 100];
    const cells = cellSizes(sizes, width, gap, slot);
    let [x, y, tall] = [2, 0, 0];
    sizes.forEach(([rows, columns], l) => {
      const wide = Math.max(slot, columns * cells[l]);
      if (x > 2 && x + wide > width) [x, y, tall] = [2, y + tall + 14, 0];
      const field = model.axes.map(({ seen }) => seen[l].field);
      const told = l ? `${layerWords(layers[l - 1], "/")}${wide > 170 ? `, sees ${field.join("×")}` : ""}` : "";
      this.planes[l].layout({ x, y, rows, columns, cell: cells[l], name: l ? `layer ${l}` : "input", told });
      this.planes[l].row = y;
      tall = Math.max(tall, 38 + rows * cells[l]);
      x += wide + gap;
    });
    return y + tall + 4;
  }

  // counts[axis][level]; unit: [level, row, column]; nested: one frame a layer in the input, [row, column, rows, columns].
  draw(counts, [level], [lowest, highest], weighted, nested) {
    this.planes.forEach((plane, l) => {
      const shown = l >= lowest && l <= highest;
      plane.draw(shown ? counts.map((axis) => axis[l]) : null, l === level ? "self" : l < level ? "down" : "up", weighted);
      plane.nest.replaceChildren();
    });
    const [input] = this.planes;
    const frames = nested.flatMap((area) => ["halo", "line"].map((kind) => s("rect", { class: kind, ...clipped(input, area) })));
    input.nest.replaceChildren(...frames);
    const links = this.planes.slice(1).map((plane, i) => {
      const below = this.planes[i];
      if (!plane.reach || !below.reach || plane.row !== below.row || i < lowest || i + 1 > highest) return "";
      const [a, b] = [below.reach, plane.reach];
      return s("path", {
        class: i < level ? "link down" : "link up",
        d: `M${a.x + a.width} ${a.y}L${b.x} ${b.y}V${b.y + b.height}L${a.x + a.width} ${a.y + a.height}Z`,
      });
    });
    this.links.replaceChildren(...links.filter(Boolean));
  }

  at(x, y) {
    for (let l = 0; l < this.planes.length; l += 1) {
      const found = this.planes[l].at(x, y);
      if (found) return [l, ...found];
    }
    return null;
  }

  place([level, row, column]) {
    const { x, y, width } = this.planes[level].box(row, column, 1, 1);
    return [x + width / 2, y];
  }
}

// A rectangle of cells as far as it lies in the plane.
function clipped(plane, [row, column, rows, columns]) {
  const [top, left] = [Math.max(0, row), Math.max(0, column)];
  const [bottom, right] = [Math.min(plane.rows, row + rows), Math.min(plane.columns, column + columns)];
  return plane.box(top, left, bottom - top, right - left);
}

// One size of cell for all grids where they fit beside one another; else large grids are drawn smaller by a square root.
function cellSizes(sizes, width, gap, slot) {
  const across = sizes.reduce((sum, [, columns]) => sum + columns, 0);
  const equal = Math.min(26, (width - gap * (sizes.length - 1) - 4) / across, 340 / Math.max(...sizes.map(([rows]) => rows)));
  if (equal >= 11 && sizes.every(([, columns]) => columns * equal >= slot * 0.6)) return sizes.map(() => equal);
  const largest = Math.max(...sizes.flat());
  const side = Math.min(300, width - 8);
  return sizes.map(([rows, columns]) => {
    const most = Math.max(rows, columns);
    return Math.min(30, Math.max(64, side * Math.sqrt(most / largest)) / most);
  });
}
