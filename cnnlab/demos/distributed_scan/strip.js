// The scan: the whole input with the window on it, and the scores of both forms at every window, one above the other.
class ScanStrip {
  constructor({ onPick, onScore }) {
    Object.assign(this, { onPick, onScore });
    this.labels = s("g", {});
    this.images = s("g", {});
    this.cells = s("g", { class: "scores" });
    this.mark = s("g", { class: "mark window" }, s("path", { class: "halo" }), s("path", { class: "line" }));
    this.now = s("g", { class: "mark now" }, s("path", { class: "halo" }), s("path", { class: "line" }));
    this.node = s("g", { class: "strip" }, this.labels, this.images, this.cells, this.mark, this.now);
    put(this.cells, { click: (event) => this.hit(event, this.onPick), pointermove: (event) => this.hit(event, this.onScore), pointerleave: () => this.onScore(null) });
  }

  hit(event, call) {
    const found = this.found.get(event.target);
    if (found !== undefined) call(found);
  }

  // Returns the lower edge.
  layout(net, both, { x, y, width }) {
    Object.assign(this, { net, both });
    const [channels, ...size] = net.x.shape;
    const rank = size.length;
    const label = rank === 1 ? 104 : 0;
    const cell = rank === 1 ? (width - label) / size[0] : Math.min(16, (width - 16) / size[1], 190 / size[0]);
    const high = rank === 1 ? Math.max(16, Math.min(60, 8 * channels)) : size[0] * cell;
    this.area = { x: x + label, y: y + (rank === 1 ? 24 : 44), cell, high, rank };
    const inputs = width < 420 ? "" : `${size.join(" × ")} inputs, `;
    const words = `The scan: ${inputs}${plural(both.windows, "window")}, hop ${net.whole.jump.join(" × ")}`;
    this.labels.replaceChildren(s("text", { class: "title", x, y: y + 12, text: words }));
    if (rank === 2) this.labels.append(s("text", { class: "small", x, y: y + 38, text: channels > 1 ? "input, mean of its channels" : "input" }));
    this.drawInput(net.x, size);
    return rank === 1 ? this.rows(x) : this.maps(x, width);
  }

  drawInput({ values, shape: [channels] }, size) {
    const { x, y, cell, high, rank } = this.area;
    const scale = scaleFor(values);
    const [rows, columns] = rank === 1 ? [channels, size[0]] : size;
    // A picture of several channels shows their mean.
    const planes = rank === 1 ? 1 : channels;
    const at = (r, c) => Array.from({ length: planes }, (_, k) => values[(k * rows + r) * columns + c]).reduce((a, b) => a + b, 0) / planes;
    this.images.replaceChildren(new Raster().layout({ x, y, width: columns * cell, height: high }).paint(rows, columns, (r, c) => scale(at(r, c))).node);
  }

  // One axis: a row of scores for each form, each score under the middle of its window.
  rows(left) {
    const { x, y, cell, high } = this.area;
    const { whole } = this.net;
    const names = ["convolutions", "expanded MLP"];
    const wide = Math.min(whole.jump[0] * cell, 64);
    const tall = 20;
    let top = y + high + 12;
    this.scores = names.map((name) => {
      const shown = this.both.features;
      this.labels.append(s("text", { class: "small", x: x - 8, y: top + (tall * shown) / 2, "text-anchor": "end", "dominant-baseline": "central", text: name }));
      const start = top;
      top += tall * shown + 8;
      return (d, position) => ({ x: x + (position * whole.jump[0] + whole.field[0] / 2) * cell - wide / 2, y: start + d * tall, width: wide, height: tall });
    });
    this.labels.append(s("text", { class: "small", x: x - 8, y: y + high / 2, "text-anchor": "end", "dominant-baseline": "central", text: "input" }));
    this.make();
    return top;
  }

  // Two axes: a map of scores for each form, beside the picture or under it.
  maps(left, width) {
    const { x, y, cell, high } = this.area;
    const { whole, x: input } = this.net;
    const [rows, columns] = whole.maps[whole.maps.length - 1];
    const gap = 26;
    const picture = input.shape[2] * cell;
    const beside = width - picture - gap * 2 > 2 * 30 * columns;
    const room = beside ? (width - picture - gap * 2) / 2 : (width - gap) / 2;
    const side = Math.max(5, Math.min(46, room / columns, 170 / rows));
    const names = ["convolutions", "expanded MLP"];
    const top = beside ? y : y + high + 26;
    this.scores = names.map((name, k) => {
      const start = (beside ? x + picture + gap : x) + k * (columns * side + gap);
      this.labels.append(s("text", { class: "small", x: start, y: top - 6, text: name }));
      return (d, position) => {
        const [row, column] = unravel(position, [rows, columns]);
        return { x: start + column * side, y: top + (d * (rows + 0.4) + row) * side, width: side, height: side };
      };
    });
    this.make();
    return Math.max(y + high, top + (this.both.features * (rows + 0.4)) * side);
  }

  make() {
    const { maps, numbers, windows, features } = this.both;
    const top = maps.length - 1;
    const forms = [maps[top].values, Float64Array.from({ length: features * windows }, (_, at) => numbers[at % windows][top][Math.floor(at / windows)])];
    const scale = scaleFor(forms[0]);
    this.found = new Map();
    this.cells.replaceChildren(
      ...forms.flatMap((values, form) =>
        [...values].flatMap((value, at) => {
          const [d, position] = [Math.floor(at / windows), at % windows];
          const box = inset(this.scores[form](d, position), 1);
          const color = scale(value);
          const rect = s("rect", { ...box, fill: css(color), rx: 1 });
          this.found.set(rect, position);
          const fits = box.width >= 34 && box.height >= 15;
          if (!fits) return [rect];
          const text = rounded(value, box.width > 44 ? 3 : 2);
          return [rect, s("text", { class: "score", x: box.x + box.width / 2, y: box.y + box.height / 2, text, style: `fill: ${inkOn(color)}` })];
        }),
      ),
    );
  }

  // The window at a position, over the input and around its scores.
  go(position) {
    const { x, y, cell, high, rank } = this.area;
    const { whole } = this.net;
    const start = unravel(position, whole.maps[whole.maps.length - 1]).map((p, a) => p * whole.jump[a]);
    const along = (a) => [start[a] * cell, whole.field[a] * cell];
    const [left, wide] = along(rank - 1);
    const [top, tall] = rank === 1 ? [0, high] : along(0);
    const set = (mark, boxes) => {
      for (const path of mark.children) put(path, { d: pathOf(boxes) });
    };
    set(this.mark, [{ x: x + left, y: y + top, width: wide, height: tall }]);
    const scores = Array.from({ length: this.both.features }, (_, d) => this.scores.map((box) => box(d, position))).flat();
    set(this.now, scores);
  }
}

// Parameters of the three nets of these layer sizes as bars of one scale.
class ParameterBars {
  constructor() {
    this.node = s("g", { class: "bars" });
  }

  layout({ dense, untied, tied }, { x, y, width }) {
    const rows = [["everything connected", dense, "dense"], ["block-sparse, each its own", untied, "untied"], ["block-sparse and tied", tied, "tied"]];
    const [label, room] = [width < 380 ? 0 : 172, width < 380 ? width - 56 : width - 172 - 60];
    const pitch = label ? 22 : 36;
    this.node.replaceChildren(
      s("text", { class: "title", x, y: y + 12, text: "Parameters, biases included" }),
      ...rows.flatMap(([words, count, kind], i) => {
        const top = y + 24 + i * pitch;
        const wide = Math.max(1, (count / dense) * room);
        const bar = label ? top : top + 16;
        return [
          s("text", { class: "small", x, y: top + 12, text: words }),
          s("rect", { class: `bar ${kind}`, x: x + label, y: bar, width: wide, height: 14, rx: 2 }),
          s("text", { class: "strong", x: x + label + wide + 7, y: bar + 11.5, text: thousands(count) }),
        ];
      }),
    );
    return y + 24 + 3 * pitch;
  }
}
