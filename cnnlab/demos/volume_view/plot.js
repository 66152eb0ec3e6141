// The picture: for each channel of the group its plane, its slice of the filter and its partial map, one below the
// other; the sum to the right; the cube above it. With one spatial axis, planes and maps are lines.
const MOST_COLUMNS = 4;

class VolumePlot {
  constructor(view) {
    this.view = view;
    this.columns = Array.from({ length: MOST_COLUMNS }, (_, i) => this.column(i));
    this.map = new Plane({ name: "map", title: "", onPick: (...cell) => view.go(cell), onPoint: (...cell) => view.point("map", 0, ...cell) });
    this.equals = s("text", { class: "operator", text: "=" });
    this.below = s("text", { class: "small" });
    this.cube = new Cube({ onFilter: (filter) => view.choose(filter) });
    pullOver(this.map, (...cell) => view.go(cell));
    const nodes = this.columns.map(({ node }) => node);
    this.nodes = [this.cube.node, ...nodes, this.map.node, this.equals, this.below];
  }

  column(i) {
    const { view } = this;
    const size = () => view.planeSize();
    const plane = new Plane({ name: `plane-${i}`, size, onEdit: (...edit) => view.editInput(i, ...edit), onPoint: (...cell) => view.point("plane", i, ...cell) });
    const slice = new Plane({ name: `slice-${i}`, onEdit: (...edit) => view.editWeight(i, ...edit), onPoint: (...cell) => view.point("slice", i, ...cell) });
    const partial = new Plane({ name: `partial-${i}`, onPoint: (...cell) => view.point("partial", i, ...cell) });
    pullOver(plane, (...cell) => view.aim(cell));
    pullOver(partial, (...cell) => view.go(cell));
    partial.cells.addEventListener("click", (event) => view.go(partial.cellAt(event, true)));
    const plus = s("text", { class: "operator", text: "+" });
    const [over, sum] = [s("text", { class: "small", text: "products add to" }), s("text", { class: "sum label strong" })];
    const node = s("g", { class: "channel" }, plane.node, slice.node, partial.node, plus, over, sum);
    return { node, plane, slice, partial, plus, over, sum };
  }

  // ---- places

  // How many channels of the group are shown at once.
  shown({ depth }, width) {
    return Math.min(depth, width < 560 ? 3 : MOST_COLUMNS);
  }

  layout(width, model, titles) {
    const shown = this.shown(model, width);
    this.columns.forEach(({ node }, i) => put(node, { display: i < shown ? null : "none" }));
    const { padded, kernel, outputs } = model;
    const [plane, slice, map] = [padded.slice(1), kernel.slice(1), outputs.map((size) => Math.max(1, size)).slice(1)];
    this.columns.forEach((column, i) => {
      if (i < shown) [column.plane.title, column.slice.title, column.partial.title] = titles(i);
      if (i < shown && width < 560) column.slice.title = column.slice.title.replace("Slice ", "");
    });
    [this.map.title] = titles(null);
    const narrow = width < 560;
    const top = narrow ? this.layoutCube({ x: 2, y: 2, width: width - 4, height: model.rank === 1 ? 96 : 150 }, model) + 10 : 2;
    const place = model.rank === 1 ? this.lines : this.stacks;
    return place.call(this, { width, shown, plane, slice, map, narrow, top, model });
  }

  // Cells of whole pixels where they are drawn, of any size where they are pixels.
  cellFor([rows, columns], wide, tall, most) {
    const cell = Math.min(most, wide / columns, tall / rows);
    return rows * columns > MOST_CELLS || cell < LEAST_CELL ? cell : Math.floor(cell);
  }

  stacks({ width, shown, plane, slice, map, narrow, top, model }) {
    const gap = narrow ? 22 : 40;
    const room = narrow ? width - 4 - (shown - 1) * gap : width - 4 - shown * gap - 250;
    const wide = Math.min(narrow ? 160 : 230, Math.floor(room / shown));
    const cells = {
      plane: this.cellFor(plane, wide, 210, 30),
      slice: this.cellFor(slice, wide * 0.62, 150, 34),
      map: this.cellFor(map, wide, 190, 36),
    };
    const pitch = wide + gap - (model.rank === 3 ? 60 : 0); // the depth stands there too
    const levels = { slice: top + 22 + plane[0] * cells.plane + 16 };
    levels.partial = levels.slice + 22 + slice[0] * cells.slice + 18;
    this.columns.slice(0, shown).forEach((column, i) => {
      const x = 2 + i * (wide + gap);
      column.plane.layout({ x, y: top, cell: cells.plane, rows: plane[0], columns: plane[1], pitch });
      column.slice.layout({ x, y: levels.slice, cell: cells.slice, rows: slice[0], columns: slice[1], pitch });
      column.partial.layout({ x, y: levels.partial, cell: cells.map, rows: map[0], columns: map[1], pitch });
      this.note(column, x + column.slice.width + 8, column.slice.top + (slice[0] * cells.slice) / 2, wide - column.slice.width - 8);
      const middle = column.partial.top + (map[0] * cells.map) / 2 + 8;
      put(column.plus, { x: x + (column.partial.width + wide + gap) / 2, y: middle, visibility: i < shown - 1 ? null : "hidden" });
    });
    const right = 2 + shown * (wide + gap);
    const last = this.columns[shown - 1].partial;
    const at = narrow ? { x: 2, y: last.bottom + 14 } : { x: right, y: levels.partial };
    this.map.layout({ ...at, cell: narrow ? this.cellFor(map, width - 40, 190, 36) : cells.map, rows: map[0], columns: map[1] });
    const middle = last.top + (map[0] * cells.map) / 2 + 8;
    put(this.equals, { x: (last.x + last.width + right) / 2, y: middle, visibility: narrow ? "hidden" : null });
    put(this.below, { x: this.map.x, y: this.map.bottom + 16 });
    if (!narrow) this.layoutCube({ x: right, y: 2, width: width - right - 2, height: levels.partial - 20 }, model);
    return Math.max(this.map.bottom + 22, last.bottom) + 4;
  }

  lines({ width, shown, plane, slice, map, narrow, top, model }) {
    const gap = narrow ? 16 : 44;
    const cell = Math.max(4, Math.min(30, Math.floor((width - 4 - gap) / (plane[1] + slice[1]))));
    const high = 22 + cell + 10;
    const low = top + shown * high + 8;
    this.columns.slice(0, shown).forEach((column, i) => {
      column.plane.layout({ x: 2, y: top + i * high, cell, rows: 1, columns: plane[1] });
      const x = 2 + column.plane.width + gap;
      column.slice.layout({ x, y: top + i * high, cell, rows: 1, columns: slice[1], pitch: narrow ? 0 : 999 });
      this.note(column, x + column.slice.width + 8, column.slice.top + cell / 2, width - x - column.slice.width - 10);
      column.partial.layout({ x: 2, y: low + i * high, cell, rows: 1, columns: map[1] });
      put(column.plus, { x: column.partial.x + column.partial.width + 14, y: column.partial.top + cell / 2 + 8, visibility: i < shown - 1 ? null : "hidden" });
    });
    this.map.layout({ x: 2, y: low + shown * high, cell, rows: 1, columns: map[1] });
    const last = this.columns[shown - 1].partial;
    put(this.equals, { x: last.x + last.width + 14, y: last.top + cell / 2 + 8 });
    put(this.below, { x: 2, y: this.map.bottom + 16 });
    const right = this.map.x + this.map.width + 56;
    if (!narrow) this.layoutCube({ x: right, y: low, width: Math.max(width - right - 2, 120), height: Math.max(this.map.bottom - low, 150) }, model);
    return Math.max(this.map.bottom + 22, narrow ? 0 : low + 154) + 4;
  }

  // The sum of the products beside the slice.
  note({ over, sum }, x, y, room) {
    const wide = room >= 92;
    put(over, { x, y: y - 6, visibility: wide ? null : "hidden" });
    put(sum, { x, y: wide ? y + 12 : y + 5, visibility: room >= 34 ? null : "hidden" });
  }

  // Side by side where there is room, else one above the other. Returns the lower edge.
  layoutCube({ x, y, width, height }, { channels, filters, padded, outputs }) {
    const beside = width > 1.2 * height;
    const half = beside ? width / 2 - 10 : height / 2 - 4;
    const inBox = { x, y, width: beside ? half : width, height: beside ? height : half };
    const outBox = beside ? { ...inBox, x: x + half + 20 } : { ...inBox, y: y + half + 8 };
    const out = outputs.slice(1).map((size) => Math.max(1, size));
    this.cube.layout({
      ...{ inBox, outBox, inShape: [channels, ...padded.slice(1)], outShape: [filters, ...out] },
      ...{ inName: plural(channels, "input plane"), outName: plural(filters, "activation map") },
    });
    return y + height;
  }

  // ---- numbers

  // The planes and slices that are shown; the cards of all input planes only where `cards` says so.
  paintInput(model, { channels, filter, depthIn, tap, cards }) {
    const { x, w, depth, kernel, axes, sizes, padded } = model;
    const most = x.values.reduce((a, b) => Math.max(a, b), 0);
    const scale = x.values.every((value) => value >= 0) ? grey(0, most || 1) : scaleFor(x.values);
    const inner = { row: axes[1].before, column: axes[2].before, rows: sizes[1], columns: sizes[2] };
    const isPadding = (i) => {
      const [r, c] = unravel(i, padded.slice(1));
      return r < inner.row || c < inner.column || r >= inner.row + inner.rows || c >= inner.column + inner.columns;
    };
    const taps = product(kernel);
    const [plane, size] = [kernel[1] * kernel[2], w.values.reduce((a, b) => Math.max(a, Math.abs(b)), 0)];
    const first = firstChannel(filter, model.filters, model.groups, depth);
    channels.forEach((channel, i) => {
      const column = this.columns[i];
      column.plane.fill(paddedPlane(model, channel, depthIn), { scale, kind: (j) => (isPadding(j) ? "padding" : null) });
      column.plane.frame("inner", column.plane.pixels && (inner.row || inner.column) ? inner : null);
      const from = (filter * depth + channel - first) * taps + tap * plane;
      column.slice.fill([...w.values.subarray(from, from + plane)], { scale: centered(size) });
    });
    if (!cards) return;
    const planes = Array.from({ length: model.channels }, (_, c) => paddedPlane(model, c, depthIn));
    this.cube.paint("in", (c, i) => planes[c][i], scale);
  }

  // Partial maps and the map, and where `cards` says so all maps; all on one scale.
  paintMaps(model, partials, { channels, filter, depthOut, cards }) {
    const scale = centered(model.most);
    const { outputs } = model;
    const [places, plane] = [product(outputs), outputs[1] * outputs[2]];
    const from = (map) => map * places + depthOut * plane;
    const slice = (values, map) => [...values.subarray(from(map), from(map) + plane)];
    channels.forEach((channel, i) => this.columns[i].partial.fill(slice(partials.values, channel - partials.first), { scale }));
    this.map.fill(slice(model.maps.values, filter), { scale });
    if (cards) this.cube.paint("out", (map, i) => model.maps.values[from(map) + i], scale);
  }

  // The window, the cells and the sums at one position.
  paintStep(model, dot, { channels, filter, position }) {
    const { groups, depth } = model;
    const window = this.windowAt(model, position);
    const cell = { row: position[1], column: position[2] };
    channels.forEach((channel, i) => {
      const { plane, partial, sum } = this.columns[i];
      plane.frame("window", window);
      partial.frame("window", cell);
      put(sum, { text: `= ${short(dot[channel - dot[0].channel].sum)}` });
    });
    this.map.frame("window", cell);
    const area = [window.row, window.column, window.rows, window.columns];
    this.cube.draw({ filter, first: dot[0].channel, depth, groups, window: area, cell: [position[1], position[2]] });
  }

  windowAt({ axes }, position) {
    const [row, column] = [1, 2].map((i) => position[i] * axes[i].stride);
    const [rows, columns] = [1, 2].map((i) => extent(axes[i].kernel, axes[i].dilation));
    return { row, column, rows, columns };
  }

  frameAll(kind, area, shown) {
    for (const { plane } of this.columns.slice(0, shown)) plane.frame(kind, area);
  }
}
