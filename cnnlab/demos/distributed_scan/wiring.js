// The net of one window as a wiring diagram: inputs, then blocks of neurons; blocks that share their weights carry the
// same letter and color. Lines are drawn for all connections on one axis while they can be told apart.
const MOST_LINES = 900;

class Wiring {
  // onBlock({ layer, place } or null) for what is under the pointer or the cursor; onPick for a click or Enter.
  constructor({ onBlock, onPick }) {
    Object.assign(this, { onBlock, onPick, made: "" });
    this.lines = s("g", { class: "lines" });
    this.hot = s("path", { class: "hot" });
    this.inputs = s("g", { class: "inputs" });
    this.reads = s("path", { class: "reads" });
    this.blocks = s("g", { class: "blocks" });
    this.labels = s("g", {});
    const keys = { tabindex: 0, role: "group", keydown: (event) => this.key(event), blur: () => this.onBlock(null) };
    this.node = s("g", { class: "wiring", ...keys }, this.labels, this.lines, this.hot, this.inputs, this.reads, this.blocks);
    put(this.node, { pointermove: (event) => this.point(event), pointerleave: () => this.onBlock(null), click: (event) => this.click(event) });
  }

  // Returns the lower edge.
  layout(net, { x, y, width, height = 0 }) {
    this.net = net;
    this.levels = layoutWiring(net, { x, y: y + 24, width, height: height - 24 });
    const shape = JSON.stringify(this.levels.map(({ places, units }) => [places, units]));
    if (shape !== this.made) this.make();
    this.made = shape;
    this.cursor = null;
    this.place();
    const size = net.inside.size.join(" × ");
    this.labels.replaceChildren(s("text", { class: "title", x, y: y + 12, text: `The net of one window: ${size} inputs` }));
    put(this.node, { "aria-label": "The net of one window. Arrow keys choose a block, Enter pins it." });
    this.lines.replaceChildren(...net.layers.map((_, i) => s("path", { class: `line level-${i + 1}`, d: this.linesOf(i + 1) })));
    const last = this.levels[this.levels.length - 1];
    return last.y + last.height;
  }

  make() {
    const [input, ...levels] = this.levels;
    this.cells = Array.from({ length: product(input.places) * input.units }, () => s("rect", {}));
    this.inputs.replaceChildren(...this.cells);
    this.parts = levels.map(({ places, units, i }) =>
      Array.from({ length: product(places) }, () => ({
        box: s("rect", { class: "block", rx: 6 }),
        letter: s("text", { class: "letter", text: LETTERS[i - 1] ?? String(i) }),
        units: Array.from({ length: units }, () => s("circle", {})),
      })),
    );
    this.found = new Map();
    const nodes = this.parts.flatMap((blocks, i) =>
      blocks.map((part, place) => {
        const node = s("g", { class: `block-part level-${i + 1}` }, part.box, part.letter, ...part.units);
        for (const child of node.children) this.found.set(child, { layer: i + 1, place });
        return Object.assign(part, { node }).node;
      }),
    );
    this.blocks.replaceChildren(...nodes);
  }

  place() {
    const [input, ...levels] = this.levels;
    const plane = product(input.places);
    this.cells.forEach((cell, at) => {
      const box = blockBox(input, unravel(at % plane, input.places));
      const strip = box.height / input.units;
      put(cell, inset({ ...box, y: box.y + Math.floor(at / plane) * strip, height: strip }, input.wide > 8 ? 1 : 0.3));
    });
    levels.forEach((level, i) => {
      this.parts[i].forEach(({ box, letter, units }, flat) => {
        const place = unravel(flat, level.places);
        const area = blockBox(level, place);
        put(box, area);
        put(letter, { x: area.x + area.width / 2, y: area.y + 12 });
        units.forEach((circle, d) => {
          const [cx, cy] = unitAt(level, d, place);
          put(circle, { cx, cy, r: Math.max(2, Math.min(6, area.width / (2.4 * level.columns))) });
        });
      });
    });
  }

  // Lines from what a block reads to its units: of one place, or of all; of one weight (a tie) or of all.
  linesOf(layer, { place = null, tie = null } = {}) {
    const { layers, inside: { maps } } = this.net;
    const { features, channels, fan } = layers[layer - 1];
    const taps = tapsOf({ maps }, layers, layer);
    const all = place === null && tie === null;
    if (all && (this.levels[0].rank === 2 || taps.length * features * fan > MOST_LINES)) return "";
    const [above, below] = [this.levels[layer], this.levels[layer - 1]];
    let path = "";
    taps.forEach((reads, p) => {
      if (place !== null && p !== place) return;
      for (let d = 0; d < features; d += 1) {
        for (let c = 0; c < channels; c += 1) {
          reads.forEach((tap, k) => {
            if (tie !== null && tie !== d * fan + c * reads.length + k) return;
            const [x1, y1] = unitAt(below, c, unravel(tap, below.places));
            const [x2, y2] = unitAt(above, d, unravel(p, above.places));
            path += `M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}`;
          });
        }
      }
    });
    return path;
  }

  // The numbers of one window: the inputs, then those of each layer, as colors.
  paint(numbers, scales) {
    const color = (node, value, i) => put(node, { style: `fill: ${css(scales[i](value))}` });
    this.cells.forEach((cell, at) => color(cell, numbers[0][at], 0));
    this.parts.forEach((blocks, i) =>
      blocks.forEach(({ units }, place) => units.forEach((circle, d) => color(circle, numbers[i + 1][d * blocks.length + place], i + 1))),
    );
  }

  // Light up a block and its copies, or all copies of one weight: { layer, place } or { layer, tie }; null for none.
  mark(target) {
    this.parts.forEach((blocks, i) =>
      blocks.forEach(({ node }, place) => {
        const same = target && target.layer === i + 1;
        const self = same && target.place === place;
        put(node, { class: `block-part level-${i + 1}${self ? " self" : same ? " copy" : target ? " dim" : ""}` });
      }),
    );
    put(this.lines, { class: target ? "lines dim" : "lines" });
    put(this.hot, { d: target ? this.linesOf(target.layer, target) : "", class: target ? `hot level-${target.layer}` : "hot" });
    put(this.reads, { d: target && target.place !== undefined ? pathOf(this.boxesRead(target)) : "" });
  }

  boxesRead({ layer, place }) {
    const { layers, inside: { maps } } = this.net;
    const below = this.levels[layer - 1];
    const boxes = [...tapsOf({ maps }, layers, layer)[place]].map((tap) => blockBox(below, unravel(tap, below.places)));
    if (below.rank === 2) return boxes;
    const last = boxes[boxes.length - 1];
    return [{ ...boxes[0], width: last.x + last.width - boxes[0].x }];
  }

  // The upper middle of a block, for a note beside it.
  at({ layer, place }) {
    const { x, y, width } = blockBox(this.levels[layer], unravel(place, this.levels[layer].places));
    return [x + width / 2, y];
  }

  // ---- hands

  point(event) {
    this.onBlock(this.found.get(event.target) ?? null);
  }

  click(event) {
    this.onPick(this.found.get(event.target) ?? null);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (event.key in moves) this.moveCursor(...moves[event.key]);
    else if (event.key === "Enter") this.onPick(this.cursor);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  moveCursor(down, right) {
    const top = this.levels.length - 1;
    const old = this.cursor ?? { layer: 1 - down, place: -right };
    const layer = Math.min(Math.max(old.layer + down, 1), top);
    const count = product(this.levels[layer].places);
    this.cursor = { layer, place: Math.min(Math.max(old.place + right, 0), count - 1) };
    this.onBlock(this.cursor);
  }
}
