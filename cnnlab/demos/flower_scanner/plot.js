// The picture and the map, over the same coordinates: each score stands at the center of its window, so the bright place
// of the map lies where the flower lies in the picture. Pixels are canvases; everything drawn over them is SVG.
class FlowerPlot {
  constructor() {
    const unique = Math.random().toString(36).slice(2); // two demos on a page must not share an id
    const stops = CIVIDIS.map((color, i) => s("stop", { offset: i / (CIVIDIS.length - 1), "stop-color": css(color) }));
    const stripe = s("path", { d: "M0 6 L6 0", class: "stripe" });
    const defs = s(
      "defs",
      {},
      s("linearGradient", { id: `scale-${unique}` }, ...stops),
      s("pattern", { id: `hatch-${unique}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, stripe),
    );
    this.pictureCanvas = h("canvas", { "aria-hidden": "true", class: "picture" });
    this.mapCanvas = h("canvas", { "aria-hidden": "true", class: "map" });
    this.pictureTitle = s("text", { class: "title label" });
    this.mapTitle = s("text", { class: "title label" });
    this.extent = s("rect", { class: "extent" });
    this.stale = s("path", { class: "stale", fill: `url(#hatch-${unique})` });
    this.contour = s("path", { class: "contour" });
    this.truths = [0, 1].map(() => s("g", { class: "truth" }, s("circle", { class: "under" }), s("circle", { class: "over" })));
    this.ghost = s("rect", { class: "ghost", visibility: "hidden" });
    this.ghostCell = s("rect", { class: "ghost", visibility: "hidden" });
    this.frame = s("g", { class: "frame-pair" }, s("rect", { class: "halo", rx: 2 }), s("rect", { class: "line", rx: 2 }));
    this.best = s("g", { class: "best" }, s("path", { class: "under" }), s("path", { class: "over" }));
    this.bestLabel = s("text", { class: "label strong" });
    this.spotFrame = s("g", { class: "frame-pair spot" }, s("rect", { class: "halo" }), s("rect", { class: "line" }));
    this.margin = s("text", { class: "tick", "text-anchor": "middle" });
    this.legend = s("rect", { class: "legend", height: 9, rx: 2, fill: `url(#scale-${unique})` });
    this.low = s("text", { class: "tick" });
    this.high = s("text", { class: "tick" });
    this.note = s("text", { class: "tick" });
    this.pictureArea = s("rect", { class: "area picture" });
    this.mapArea = s("rect", { class: "area map" });
    this.nodes = [
      ...[defs, this.pictureTitle, this.mapTitle, this.extent, this.stale, this.contour, ...this.truths, this.ghost, this.ghostCell],
      ...[this.frame, this.best, this.spotFrame, this.bestLabel, this.legend, this.low, this.high, this.note, this.margin],
      ...[this.pictureArea, this.mapArea],
    ];
  }

  // left and right: where the two panels begin; width: what each may take.
  layout({ left, right, top, width, height }, { shape: [, rows, columns], size }) {
    this.scale = Math.min(width / columns, height / rows);
    Object.assign(this, { left, right, top, rows, columns, size });
    const panel = { width: columns * this.scale, height: rows * this.scale };
    Object.assign(this, { across: panel.width, down: panel.height, bottom: top + panel.height });
    for (const [canvas, x] of [[this.pictureCanvas, left], [this.mapCanvas, right]]) {
      canvas.style.cssText = `left:${x}px;top:${top}px;width:${panel.width}px;height:${panel.height}px`;
    }
    put(this.pictureArea, { x: left, y: top, ...panel, "data-scale": this.scale });
    put(this.mapArea, { x: right, y: top, ...panel, "data-scale": this.scale });
    put(this.extent, { x: right, y: top, ...panel });
    put(this.pictureTitle, { x: left, y: top - 10 });
    put(this.mapTitle, { x: right, y: top - 10 });
    const rim = ((size[0] - 1) / 2) * this.scale;
    const fits = rim > 20 && panel.width > 270;
    put(this.margin, { x: right + panel.width / 2, y: this.bottom - rim / 2 + 4, text: fits ? "no full window has its center here" : "" });
    return this;
  }

  // Where a point of the picture, in pixels from its upper left corner, lies in a panel that begins at `from`.
  place(from, row, column) {
    return [from + column * this.scale, this.top + row * this.scale];
  }

  pointAt(from, x, y) {
    return [(y - this.top) / this.scale, (x - from) / this.scale];
  }

  // The cell of the map of the window at (i, j): stride pixels wide, never wider than the window, around its center.
  cell([i, j], stride) {
    const [height, width] = this.size.map((size, axis) => Math.min(stride[axis], size));
    const [x, y] = this.place(this.right, i + (this.size[0] - height) / 2, j + (this.size[1] - width) / 2);
    return { x, y, width: width * this.scale, height: height * this.scale };
  }

  drawPicture({ picture, shape }) {
    const color = pictureColors({ values: picture, shape });
    const [, rows, columns] = shape;
    Object.assign(this.pictureCanvas, { width: columns, height: rows });
    const context = this.pictureCanvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    for (let r = 0, i = 0; r < rows; r += 1) {
      for (let c = 0; c < columns; c += 1, i += 4) image.data.set([...color(r, c), 255], i);
    }
    context.putImageData(image, 0, 0);
  }

  // Cells 0 … count − 1; those not yet computed are hatched, those not yet scanned are left empty.
  drawMap({ values, shape: [rows, columns] }, { stride, count, low, high, threshold, outline }) {
    const fine = Math.min(3, window.devicePixelRatio || 1);
    Object.assign(this.mapCanvas, { width: Math.round(this.across * fine), height: Math.round(this.down * fine) });
    const context = this.mapCanvas.getContext("2d");
    const color = oneSided(low, high);
    const stale = [];
    let edges = "";
    const above = (r, c) => r >= 0 && c >= 0 && r < rows && c < columns && r * columns + c < count && values[r * columns + c] > threshold;
    for (let p = 0; p < count; p += 1) {
      const [r, c] = [Math.floor(p / columns), p % columns];
      const { x, y, width, height } = this.cell([r * stride[0], c * stride[1]], stride);
      if (Number.isNaN(values[p])) {
        stale.push(`M${x} ${y}h${width}v${height}h${-width}Z`);
        continue;
      }
      // Whole pixels of the screen: no seams between cells.
      const [from, to] = [(x - this.right) * fine, (x + width - this.right) * fine].map(Math.round);
      const [over, under] = [(y - this.top) * fine, (y + height - this.top) * fine].map(Math.round);
      context.fillStyle = css(color(values[p]));
      context.fillRect(from, over, to - from, under - over);
      if (!outline || !above(r, c)) continue;
      if (!above(r - 1, c)) edges += `M${x} ${y}h${width}`;
      if (!above(r + 1, c)) edges += `M${x} ${y + height}h${width}`;
      if (!above(r, c - 1)) edges += `M${x} ${y}v${height}`;
      if (!above(r, c + 1)) edges += `M${x + width} ${y}v${height}`;
    }
    put(this.stale, { d: stale.join("") });
    put(this.contour, { d: edges });
  }

  drawWindow([i, j], stride) {
    const [x, y] = this.place(this.left, i, j);
    const box = { x, y, width: this.size[1] * this.scale, height: this.size[0] * this.scale };
    for (const rect of this.frame.children) put(rect, box);
    this.box = box;
    const cell = this.cell([i, j], stride);
    this.spot = [cell.x, cell.y + cell.height / 2];
    const grown = { x: cell.x - 1.5, y: cell.y - 1.5, width: cell.width + 3, height: cell.height + 3 };
    for (const rect of this.spotFrame.children) put(rect, grown);
  }

  drawBest(at, stride, text) {
    put(this.best, { visibility: at ? null : "hidden" });
    put(this.bestLabel, { text: at ? text : "" });
    if (!at) return;
    // A label with a line to its cell, on the side with more room.
    const cell = this.cell(at, stride);
    const leftward = cell.x > this.right + this.across / 2;
    const upward = cell.y > this.top + this.down / 2;
    const [x, y] = [cell.x + (leftward ? 0 : cell.width), cell.y + (upward ? 0 : cell.height)];
    const [toX, toY] = [x + (leftward ? -22 : 22), y + (upward ? -26 : 26)];
    for (const path of this.best.children) put(path, { d: `M${x} ${y}L${toX} ${toY}` });
    put(this.bestLabel, { x: toX + (leftward ? 4 : -4), y: toY + (upward ? -4 : 14), "text-anchor": leftward ? "end" : "start" });
  }

  // The flower's true place: the same circle in the picture and in the map.
  drawTruth(truth) {
    for (const [node, from] of [[this.truths[0], this.left], [this.truths[1], this.right]]) {
      put(node, { visibility: truth ? null : "hidden" });
      if (!truth) continue;
      const [cx, cy] = this.place(from, truth.row + 0.5, truth.column + 0.5);
      for (const circle of node.children) put(circle, { cx, cy, r: truth.radius * this.scale });
    }
  }

  drawGhost(at, stride) {
    for (const node of [this.ghost, this.ghostCell]) put(node, { visibility: at ? null : "hidden" });
    if (!at) return;
    const [x, y] = this.place(this.left, ...at);
    put(this.ghost, { x, y, width: this.size[1] * this.scale, height: this.size[0] * this.scale });
    put(this.ghostCell, this.cell(at, stride));
  }

  drawLegend(low, high, words) {
    const y = this.bottom + 18;
    const known = Number.isFinite(low.value);
    put(this.low, { x: this.right, y: y + 9, text: known ? low.text : "" });
    const from = this.right + (known ? low.text.length * 7.2 : 0) + 6;
    const wide = Math.min(90, this.across / 3);
    put(this.legend, { x: from, y, width: wide, visibility: known ? null : "hidden" });
    put(this.high, { x: from + wide + 6, y: y + 9, text: known ? high.text : "" });
    const room = this.across - (from + wide + 6 - this.right) - high.text.length * 7.2;
    const beside = room > words.length * 6.6 + 20;
    const at = beside ? { x: this.right + this.across, y: y + 9, "text-anchor": "end" } : { x: this.right, y: y + 27, "text-anchor": "start" };
    put(this.note, { ...at, text: words });
  }
}
