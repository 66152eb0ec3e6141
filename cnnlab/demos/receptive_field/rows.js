// One axis as rows of units, the input below, each unit above the middle of what it sees; lines are edges.
const UNIT = 34; // the widest a unit is drawn, in pixels
const FAINT_EDGES = 1600; // beyond so many, only the edges of the cones are drawn

class UnitRows {
  constructor() {
    const [faint, dashed, down, up] = ["faint", "dashed", "down", "up"].map((kind) => s("path", { class: `edge ${kind}` }));
    this.edges = { faint, dashed, down, up };
    this.units = s("g", { class: "units" });
    this.padding = s("path", { class: "padding" });
    this.bars = s("path", { class: "path-bars" });
    this.barTexts = s("g");
    this.bracket = s("path", { class: "bracket" });
    this.bracketText = s("text", { class: "label strong", "text-anchor": "middle" });
    this.labels = s("g");
    this.node = s("g", {}, faint, dashed, down, up, this.padding, this.bars, this.barTexts, this.bracket, this.bracketText, this.units, this.labels);
    this.shape = null;
  }

  // Place everything for a width; returns the height.
  layout(axis, layers, width, weighted) {
    const levels = axis.sizes.length;
    const narrow = width < 560;
    const left = narrow ? 48 : 116;
    // From where to where each level reaches, padding included, in positions of the input.
    const spans = axis.sizes.map((size, l) => {
      const more = l < levels - 1 ? [axis.steps[l].before, this.beyond(axis, l)] : [0, 0];
      return [this.middle(axis, l, -more[0]), this.middle(axis, l, size - 1 + more[1]), axis.seen[l].jump];
    });
    // Half a unit belongs to each end; how wide a unit is in positions depends on the pitch, so it is found in two turns.
    let [low, high] = [0, 0];
    this.pitch = 52;
    for (let turn = 0; turn < 2; turn += 1) {
      const half = (jump) => Math.min(0.43 * jump, UNIT / 2 / this.pitch);
      low = Math.min(...spans.map(([first, , jump]) => first - half(jump)));
      high = Math.max(...spans.map(([, last, jump]) => last + half(jump)));
      this.pitch = Math.min(52, (width - left - 6) / (high - low));
    }
    const spare = Math.max(0, width - left - 6 - this.pitch * (high - low)) / 2;
    Object.assign(this, { axis, left: left + (narrow ? 0 : spare), low, narrow, width });
    this.wide = axis.seen.map(({ jump }) => Math.max(1, Math.min(UNIT, this.pitch * jump * 0.86)));
    this.tall = Math.max(12, Math.min(UNIT, ...this.wide));
    this.rise = Math.max(this.tall + 18, Math.min(78, (narrow ? 300 : 420) / Math.max(1, levels - 1)));
    this.base = 8 + this.tall / 2 + (levels - 1) * this.rise;
    this.make(axis.sizes);
    axis.sizes.forEach((size, l) => {
      const [w, y] = [this.wide[l], this.y(l) - this.tall / 2];
      for (let i = 0; i < size; i += 1) {
        const x = this.x(l, i);
        put(this.rects[l][i], { x: x - w / 2, y, width: w, height: this.tall, rx: w > 10 ? 4 : 0 });
        if (this.texts[l]) put(this.texts[l][i], { x, y: this.y(l) });
      }
    });
    this.placeLabels(layers);
    this.drawPadding();
    return this.base + this.tall / 2 + 34 + (weighted ? 76 : 0);
  }

  // How many positions behind the last unit of a level the layer above looks at: its padding, or what `ceil` adds.
  beyond(axis, level) {
    const above = axis.sizes[level + 1] - 1;
    const last = Math.max(...tapsOf(axis, level + 1, above));
    return Math.max(axis.steps[level].after, last - axis.sizes[level] + 1);
  }

  middle({ seen }, level, unit) {
    const { field, jump, start } = seen[level];
    return start + unit * jump + (field - 1) / 2;
  }

  x(level, unit) {
    return this.left + (this.middle(this.axis, level, unit) - this.low) * this.pitch;
  }

  y(level) {
    return this.base - level * this.rise;
  }

  make(sizes) {
    const numbered = this.wide.map((w) => w >= 15);
    const shape = JSON.stringify([sizes, numbered]);
    if (shape === this.shape) return;
    this.shape = shape;
    this.rects = sizes.map((size) => Array.from({ length: size }, () => s("rect")));
    const text = () => s("text", { class: "value", "text-anchor": "middle", "dominant-baseline": "central" });
    this.texts = sizes.map((size, l) => (numbered[l] ? Array.from({ length: size }, text) : null));
    this.units.replaceChildren(...this.rects.flat(), ...this.texts.filter(Boolean).flat());
    this.looks = new Map();
  }

  placeLabels(layers) {
    const close = this.rise < 32; // no room for a second line
    const rows = this.axis.sizes.flatMap((size, l) => {
      const name = l ? `layer ${l}` : "input";
      if (this.narrow) return [s("text", { class: "strong", x: 0, y: this.y(l) + 4, text: name })];
      const { kernel, stride, dilation } = l ? this.axis.steps[l - 1] : {};
      const extras = [stride > 1 && `stride ${stride}`, dilation > 1 && `dil. ${dilation}`].filter(Boolean);
      const told = l ? [`${layers[l - 1].kind} ${kernel}`, ...extras].join(", ") : plural(size, "position");
      if (close) return [s("text", { class: "small", x: 0, y: this.y(l) + 4 }, s("tspan", { class: "strong", text: l || "input" }), `  ${l ? told : ""}`)];
      return [
        s("text", { class: "strong", x: 0, y: this.y(l) - 3, text: name }),
        s("text", { class: "small", x: 0, y: this.y(l) + 12, text: told }),
      ];
    });
    this.labels.replaceChildren(...rows);
  }

  drawPadding() {
    const boxes = this.axis.sizes.slice(0, -1).map((size, l) => {
      const [w, t] = [this.wide[l] * 0.8, this.tall * 0.8];
      const box = (i) => `M${this.x(l, i) - w / 2} ${this.y(l) - t / 2}h${w}v${t}h${-w}z`;
      const before = Array.from({ length: this.axis.steps[l].before }, (_, i) => box(-1 - i));
      return [...before, ...Array.from({ length: this.beyond(this.axis, l) }, (_, i) => box(size + i))].join("");
    });
    put(this.padding, { d: boxes.join("") });
    const edges = this.axis.sizes.slice(1).reduce((sum, size, l) => sum + size * this.axis.steps[l].kernel, 0);
    put(this.edges.faint, { d: edges > FAINT_EDGES ? "" : this.lines(() => "faint").faint.join("") });
  }

  // All edges as paths, each under the name that `kind(level, unit, below, inside)` gives it; an edge without is left out.
  lines(kind, from = () => true) {
    const paths = { faint: [], dashed: [], down: [], up: [] };
    for (let l = 1; l < this.axis.sizes.length; l += 1) {
      const [top, end] = [(this.y(l) + this.tall / 2).toFixed(1), (this.y(l - 1) - this.tall / 2).toFixed(1)];
      for (let i = 0; i < this.axis.sizes[l]; i += 1) {
        if (!from(l, i)) continue;
        const start = `M${this.x(l, i).toFixed(1)} ${top}L`;
        for (const at of tapsOf(this.axis, l, i)) {
          const name = kind(l, i, at, at >= 0 && at < this.axis.sizes[l - 1]);
          if (name) paths[name].push(`${start}${this.x(l - 1, at).toFixed(1)} ${end}`);
        }
      }
    }
    return paths;
  }

  // counts: paths by level (both cones); [level, unit]; first and last level that are shown.
  draw(counts, [level, unit], [lowest, highest], weighted) {
    const shown = (l, i) => l >= lowest && l <= highest && counts[l][i] > 0;
    counts.forEach((row, l) => {
      const scale = oneSided(0, Math.max(...row));
      row.forEach((count, i) => {
        const self = l === level && i === unit;
        const kind = !shown(l, i) ? "" : self ? "self" : l < level ? "down" : "up";
        const color = weighted && kind && !self ? scale(count) : null;
        const text = weighted && kind ? countWords(count) : String(i);
        this.look(l, i, kind, color, text);
      });
    });
    const rising = (l, at, inside) => inside && counts[l - 1][at] > 0 && "up";
    const kind = (l, i, at, inside) => (l > level ? rising(l, at, inside) : inside ? "down" : "dashed");
    const paths = this.lines(kind, (l, i) => shown(l, i) && (l > level || l > lowest));
    for (const name of ["dashed", "down", "up"]) put(this.edges[name], { d: paths[name].join("") });
    this.drawBracket(level, unit, lowest === 0 && level > 0);
    this.drawBars(counts[0], weighted && lowest === 0 && level > 0);
  }

  look(l, i, kind, color, text) {
    const key = `${l} ${i}`;
    const look = `${kind}|${color}|${text}`;
    if (this.looks.get(key) === look) return;
    this.looks.set(key, look);
    put(this.rects[l][i], { class: kind || null, style: color && `fill: ${css(color)}` });
    const node = this.texts[l]?.[i];
    const fits = text.length * (kind ? 8.1 : 7.2) <= this.wide[l];
    if (node) put(node, { text: fits ? text : "", class: `value ${kind}`, style: color && `fill: ${inkOn(color)}` });
  }

  // Under the input: from where to where the unit looks, padding included, as far as the picture goes.
  drawBracket(level, unit, visible) {
    put(this.bracket, { d: "" });
    put(this.bracketText, { text: "" });
    if (!visible) return;
    const { first, last, field } = fieldOf(this.axis, level, unit);
    const y = this.y(0) + this.tall / 2 + 8;
    const [from, to] = [first - 0.5, last + 0.5].map((at) => this.left + (at - this.low) * this.pitch);
    const [a, b] = [Math.max(from, this.left - 8), Math.min(to, this.width - 2)];
    const end = (x, whole) => (whole ? `M${x} ${y - 4}V${y + 4}` : "");
    put(this.bracket, { d: `M${a} ${y}H${b}${end(a, a === from)}${end(b, b === to)}` });
    const half = 54;
    put(this.bracketText, { x: Math.max(this.left + half, (a + b) / 2), y: y + 18, text: `receptive field ${field}` });
  }

  drawBars(counts, visible) {
    const most = Math.max(...counts);
    const base = this.y(0) + this.tall / 2 + 102;
    const w = this.wide[0] * 0.7;
    const high = (count) => (54 * count) / most;
    const bars = [...counts].map((count, i) => (count ? `M${this.x(0, i) - w / 2} ${base}v${-high(count)}h${w}v${high(count)}z` : ""));
    put(this.bars, { d: visible ? bars.join("") : "" });
    const words = ["paths", `most ${countWords(most)}`];
    this.barTexts.replaceChildren(...(visible ? words.map((text, i) => s("text", { class: "small", x: 0, y: base - 46 + 16 * i, text })) : []));
  }

  // The unit under a point, or null.
  at(x, y) {
    const level = Math.round((this.base - y) / this.rise);
    if (level < 0 || level >= this.axis.sizes.length || Math.abs(this.y(level) - y) > Math.max(this.tall, 24) / 2 + 4) return null;
    const { field, jump, start } = this.axis.seen[level];
    const middle = (x - this.left) / this.pitch + this.low;
    const unit = Math.round((middle - (field - 1) / 2 - start) / jump);
    return unit >= 0 && unit < this.axis.sizes[level] ? [level, unit] : null;
  }

  place([level, unit]) {
    return [this.x(level, unit), this.y(level) - this.tall / 2];
  }
}
