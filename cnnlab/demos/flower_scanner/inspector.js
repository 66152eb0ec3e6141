// What happens to one window: its pixels, laid out as a vector, go through the layers of the net and become one score.
class Inspector {
  // onNeuron(n): a neuron of the first layer was picked.
  constructor(onNeuron) {
    this.title = s("text", { class: "title label" });
    this.patch = h("canvas", { "aria-hidden": "true", class: "patch" });
    this.strip = h("canvas", { "aria-hidden": "true", class: "strip" });
    this.patchFrame = s("rect", { class: "patch-frame", rx: 2 });
    this.rays = s("path", { class: "ray" });
    this.link = s("path", { class: "ray" });
    this.captions = s("g", {});
    this.units = s("g", {});
    this.score = s("text", { class: "score" });
    this.swatch = s("rect", { class: "swatch", width: 22, height: 22, rx: 3 });
    this.nodes = [this.title, this.rays, this.link, this.patchFrame, this.captions, this.units, this.score, this.swatch];
    this.units.addEventListener("click", (event) => event.target.dataset?.neuron && onNeuron(Number(event.target.dataset.neuron)));
  }

  // area: { x, y, width }; narrow: patch on the left, the rest on its right.
  layout({ x, y, width, narrow, room }, { shape: [channels], size, layers }) {
    const widest = narrow ? Math.min(112, width * 0.36) : Math.min(150, width);
    const scale = Math.min(widest / size[1], (narrow ? 112 : 128) / size[0]);
    const [wide, high] = [size[1] * scale, size[0] * scale];
    const left = narrow ? x : x + (width - wide) / 2;
    this.box = { x: left, y, width: wide, height: high };
    put(this.title, { x: narrow ? x : x + width / 2, y: y - 10, "text-anchor": narrow ? "start" : "middle", text: "In the window" });
    this.patch.style.cssText = `left:${left}px;top:${y}px;width:${wide}px;height:${high}px`;
    put(this.patchFrame, this.box);
    const taps = channels * size[0] * size[1];
    const [from, across] = narrow ? [x + wide + 18, width - wide - 18] : [x, width];
    const middle = narrow ? from : from + across / 2;
    const anchor = narrow ? "start" : "middle";
    let level = narrow ? y + 10 : y + high + 18;
    const lines = [];
    const caption = (text, gap) => {
      lines.push(s("text", { class: "tick label", x: middle, y: level, "text-anchor": anchor, text }));
      level += gap;
    };
    caption(`↓ ${channels} × ${size[0]} × ${size[1]} = ${taps} numbers`, 6);
    this.strip.style.cssText = `left:${from}px;top:${level}px;width:${across}px;height:14px`;
    level += 14 + 18;
    this.cells = layers.slice(0, -1).map(({ bias }, l) => {
      const count = bias.length;
      const shown = Math.min(count, 256);
      const perRow = Math.max(1, Math.min(shown, Math.floor(across / (shown <= 48 ? 11 : 8))));
      const cell = Math.min(16, across / perRow);
      caption(`↓ ${count} neurons${count > shown ? `, first ${shown}` : ""}`, 6);
      const start = narrow ? from : from + (across - perRow * cell) / 2;
      const boxes = Array.from({ length: shown }, (_, n) => {
        const at = { x: start + (n % perRow) * cell + 0.5, y: level + Math.floor(n / perRow) * cell + 0.5 };
        return s("rect", { ...at, width: cell - 1, height: cell - 1, rx: 1, class: l ? "unit" : "unit first", "data-neuron": l ? null : n });
      });
      level += Math.ceil(shown / perRow) * cell + 18;
      return boxes;
    });
    caption("↓ one score", 24);
    this.scoreAt = { x: narrow ? from + 30 : middle + 15, y: level };
    put(this.score, { ...this.scoreAt, "text-anchor": anchor });
    this.captions.replaceChildren(...lines);
    this.units.replaceChildren(...this.cells.flat());
    this.narrow = narrow;
    this.room = room;
    this.bottom = Math.max(level + 8, y + high + 8);
    return this;
  }

  // stages: the layers' sums and values, or null while this window is not yet computed.
  draw({ picture, shape, size }, [i, j], stages, { text, color, neuron }) {
    const [channels, rows, columns] = shape;
    const [height, width] = size;
    Object.assign(this.patch, { width, height });
    const paint = this.patch.getContext("2d");
    const image = paint.createImageData(width, height);
    const colorAt = pictureColors({ values: picture, shape });
    for (let r = 0, k = 0; r < height; r += 1) {
      for (let q = 0; q < width; q += 1, k += 4) image.data.set([...colorAt(i + r, j + q), 255], k);
    }
    paint.putImageData(image, 0, 0);
    this.drawStrip(picture, channels, rows, columns, i, j, size);
    this.cells.forEach((boxes, l) => {
      const values = stages?.[l].values;
      const scale = oneSided(0, values ? Math.max(...values) : 1);
      boxes.forEach((box, n) => {
        const on = values && values[n] > 0;
        put(box, { fill: on ? css(scale(values[n])) : null, "data-off": on ? null : true, "data-shown": l === 0 && n === neuron ? true : null });
      });
    });
    put(this.score, { text: stages ? text : "…" });
    const wide = this.narrow ? 0 : (text.length * 12) / 2;
    put(this.swatch, { x: this.narrow ? this.scoreAt.x - 30 : this.scoreAt.x - wide - 34, y: this.scoreAt.y - 18, fill: color, visibility: color ? null : "hidden" });
  }

  // The vector: channel after channel, row after row, one number a column of the canvas.
  drawStrip(picture, channels, rows, columns, i, j, [height, width]) {
    const count = channels * height * width;
    Object.assign(this.strip, { width: count, height: 1 });
    const context = this.strip.getContext("2d");
    const image = context.createImageData(count, 1);
    let at = 0;
    for (let c = 0; c < channels; c += 1) {
      for (let r = 0; r < height; r += 1) {
        const from = (c * rows + i + r) * columns + j;
        for (let q = 0; q < width; q += 1, at += 4) {
          const level = Math.round(255 * Math.min(Math.max(picture[from + q], 0), 1));
          image.data.set([level, level, level, 255], at);
        }
      }
    }
    context.putImageData(image, 0, 0);
  }

  // Lines from the window in the picture to its enlargement, and from the score to its place in the map.
  connect(frame, spot) {
    const { x, y, width, height } = this.box;
    const right = frame.x + frame.width;
    const rays = this.narrow
      ? `M${frame.x} ${frame.y + frame.height}L${x} ${y}M${right} ${frame.y + frame.height}L${x + width} ${y}`
      : `M${right} ${frame.y}L${x} ${y}M${right} ${frame.y + frame.height}L${x} ${y + height}`;
    put(this.rays, { d: rays });
    const from = this.narrow ? [this.scoreAt.x + 40, this.scoreAt.y - 22] : [this.scoreAt.x + 42, this.scoreAt.y - 7];
    put(this.link, { d: `M${from.join(" ")}L${spot.join(" ")}` });
  }
}
