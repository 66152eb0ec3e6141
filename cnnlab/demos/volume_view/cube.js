// The stack of input planes and the stack of activation maps, as cards that stand one behind the other; the filter goes
// through all planes of its group and ends in one cell of one map.
class Cube {
  constructor({ onFilter }) {
    this.inside = s("g", { class: "cards" });
    this.outside = s("g", { class: "cards out" });
    this.beam = s("path", { class: "beam" });
    this.tunnel = s("path", { class: "tunnel" });
    this.windows = s("path", { class: "windows" });
    this.cell = s("path", { class: "windows cell" });
    this.labels = s("g", { class: "card-labels" });
    this.inName = s("text", { class: "title label" });
    this.outName = s("text", { class: "title label" });
    const parts = [this.inside, this.outside, this.beam, this.tunnel, this.windows, this.cell, this.labels, this.inName, this.outName];
    this.node = s("g", { class: "cube", "aria-hidden": "true" }, ...parts);
    this.onFilter = onFilter;
    this.cards = { in: [], out: [] };
  }

  // Boxes { x, y, width, height } for both stacks; inShape and outShape are [count, rows, columns].
  layout({ inBox, outBox, inShape, outShape, inName, outName }) {
    this.in = this.stack(inBox, inShape);
    this.out = this.stack(outBox, outShape);
    put(this.inName, { x: inBox.x, y: inBox.y + 12, text: inName });
    put(this.outName, { x: outBox.x, y: outBox.y + 12, text: outName });
    this.place("in", this.inside, this.in);
    this.place("out", this.outside, this.out);
  }

  // The measures of a stack: a card is `across` wide and `tall` high, its right edge `rise` higher; cards are `gap` apart.
  stack({ x, y, width, height }, [count, rows, columns]) {
    const [slant, lean] = [0.5, 0.42];
    const unit = Math.min(150 / rows, (height - 48) / (rows + lean * slant * columns), (width * 0.5) / (slant * columns));
    const across = Math.max(10, unit * columns * slant);
    const tall = Math.max(9, unit * rows);
    const rise = across * lean;
    const gap = count > 1 ? Math.min(across * 0.8 + 8, (width - across - 4) / (count - 1)) : 0;
    return { x, top: y + 24 + rise, count, rows, columns, across, tall, rise, gap };
  }

  place(kind, group, stack) {
    const cards = this.cards[kind];
    while (cards.length < stack.count) {
      const raster = new Raster().layout({ x: 0, y: 0, width: 1, height: 1 });
      const [back, edge] = [s("path", { class: "back" }), s("path", { class: "edge" })];
      const node = s("g", {}, back, raster.node, edge);
      if (kind === "out") node.addEventListener("click", () => this.onFilter(cards.findIndex((card) => card.node === node)));
      cards.push({ raster, back, edge, node });
    }
    cards.length = stack.count;
    group.replaceChildren(...cards.map(({ node }) => node));
    cards.forEach(({ raster, back, edge }, i) => {
      put(raster.node, { transform: `matrix(${stack.across} ${-stack.rise} 0 ${stack.tall} ${stack.x + i * stack.gap} ${stack.top})` });
      for (const path of [back, edge]) put(path, { d: this.outline(stack, i, [0, 0, stack.rows, stack.columns]) });
    });
  }

  // A corner of a cell on a card, in pixels.
  corner(stack, card, row, column) {
    const [u, v] = [column / stack.columns, row / stack.rows];
    return [stack.x + card * stack.gap + u * stack.across, stack.top - u * stack.rise + v * stack.tall];
  }

  corners(stack, card, [row, column, rows, columns]) {
    const ends = [[row, column], [row, column + columns], [row + rows, column + columns], [row + rows, column]];
    return ends.map(([r, c]) => this.corner(stack, card, Math.min(Math.max(r, 0), stack.rows), Math.min(Math.max(c, 0), stack.columns)));
  }

  outline(stack, card, area) {
    return `M${this.corners(stack, card, area).map((point) => point.join(" ")).join("L")}Z`;
  }

  paint(kind, images, scale) {
    const { rows, columns } = this[kind];
    this.cards[kind].forEach(({ raster }, i) => raster.paint(rows, columns, (r, c) => scale(images(i, r * columns + c))));
  }

  // Filter, its channels (first, depth), the groups, the window on the planes and the cell of the map.
  draw({ filter, first, depth, groups, window, cell }) {
    const seen = Array.from({ length: depth }, (_, c) => first + c);
    this.cards.in.forEach(({ node }, c) => put(node, { class: seen.includes(c) ? "card" : "card unseen" }));
    this.cards.out.forEach(({ node }, j) => put(node, { class: j === filter ? "card chosen" : "card" }));
    this.outside.append(this.cards.out[filter].node); // on top of the others
    put(this.windows, { d: seen.map((c) => this.outline(this.in, c, window)).join("") });
    const near = this.corners(this.in, first, window);
    const far = this.corners(this.in, first + depth - 1, window);
    put(this.tunnel, { d: near.map((point, i) => `M${point.join(" ")}L${far[i].join(" ")}`).join("") });
    const end = this.corners(this.out, filter, [...cell, 1, 1]);
    const [x, y] = [(end[0][0] + end[2][0]) / 2, (end[0][1] + end[2][1]) / 2];
    put(this.beam, { d: far.map((point) => `M${point.join(" ")}L${x} ${y}`).join("") });
    put(this.cell, { d: this.outline(this.out, filter, [...cell, 1, 1]) });
    this.name(this.labels, groups, filter, { first, depth });
  }

  // Numbers under the cards, as far as there is room; with groups, a line under each group.
  name(labels, groups, filter, { first, depth }) {
    const texts = [];
    for (const [stack, chosen] of [[this.in, (i) => i >= first && i < first + depth], [this.out, (i) => i === filter]]) {
      const every = Math.max(1, Math.ceil(15 / (stack.gap || 15)));
      const level = stack.top + stack.tall + 14;
      for (let i = 0; i < stack.count; i += 1) {
        const x = stack.x + i * stack.gap;
        if (i % every === 0 || (chosen(i) && stack.count === groups)) texts.push(s("text", { class: chosen(i) ? "small label chosen" : "small label", x: x + 1, y: level, text: String(i) }));
      }
      if (groups < 2) continue;
      const size = stack.count / groups;
      for (let g = 0; g < groups; g += 1) {
        const from = stack.x + g * size * stack.gap;
        const line = { x1: from, x2: from + (size - 1) * stack.gap + Math.min(stack.gap * 0.8 || 12, 14), y1: level + 5, y2: level + 5 };
        texts.push(s("line", { class: chosen(g * size) || (filter >= g * size && filter < (g + 1) * size && stack === this.out) ? "group chosen" : "group", ...line }));
      }
    }
    labels.replaceChildren(...texts);
  }
}
