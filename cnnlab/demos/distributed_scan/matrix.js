// The matrices of the expanded MLP: an entry for each pair of input and unit, empty where there is no connection. Equal
// weights have equal colors; the frame of a block has the color of its letter.
const MARGIN = 20;

class Matrices {
  // onEntry({ layer, row, column, tie } or null), onPick likewise; rows and columns are those of the arrays.
  constructor({ onEntry, onPick }) {
    Object.assign(this, { onEntry, onPick, views: [] });
    this.sheets = s("g", {});
    this.marks = ["copies", "self"].map((kind) => s("g", { class: `mark ${kind}` }, s("path", { class: "halo" }), s("path", { class: "line" })));
    const keys = { tabindex: 0, role: "group", keydown: (event) => this.key(event), blur: () => this.onEntry(null) };
    this.node = s("g", { class: "matrices", ...keys }, this.sheets, ...this.marks);
    put(this.node, { pointermove: (event) => this.onEntry(this.entryAt(event)), pointerleave: () => this.onEntry(null), click: (event) => this.onPick(this.entryAt(event)) });
    put(this.node, { "aria-label": "The matrices of the expanded MLP. Arrow keys choose an entry, Enter pins it." });
  }

  layout(net, both, order, { x, y, width }) {
    Object.assign(this, { net, both, order, cursor: null });
    const most = Math.max(...both.expanded.map(({ columns }) => columns));
    const tall = both.expanded.reduce((sum, { rows }) => sum + rows, 0);
    const cell = Math.min(28, (width - MARGIN) / most, Math.max(4, 340 / tall));
    let top = y;
    this.views = both.expanded.map((expanded, i) => {
      const view = { ...expanded, i, x: x + MARGIN, y: top + 24, cell, ...this.orders(expanded, i) };
      top = view.y + expanded.rows * cell + 16;
      return view;
    });
    this.sheets.replaceChildren(...this.views.map((view) => this.sheet(view, x)));
    return top - 16;
  }

  // Which row and column of the arrays stands at each place of the picture, and the inverse.
  orders({ rows, columns }, i) {
    const { maps } = this.net.inside;
    const sorted = (count, plane) => {
      const index = Array.from({ length: count }, (_, k) => k);
      if (this.order === "place") index.sort((a, b) => (a % plane) - (b % plane) || a - b);
      const back = Array(count);
      index.forEach((data, shown) => (back[data] = shown));
      return { index, back };
    };
    return { row: sorted(rows, product(maps[i + 1])), column: sorted(columns, product(maps[i])) };
  }

  sheet(view, left) {
    const { i, x, y, cell, rows, columns, ties, matrix } = view;
    const words = `Layer ${i + 1}: ${rows} × ${columns}`;
    const scale = centered(this.net.layers[i].weight.reduce((most, w) => Math.max(most, Math.abs(w)), 0));
    const entries = [];
    const gap = cell > 9 ? 1 : 0.3;
    ties.forEach((tie, at) => {
      if (tie < 0) return;
      const box = inset(this.box(view, Math.floor(at / columns), at % columns), gap / 2);
      const color = scale(matrix[at]);
      entries.push(s("rect", { ...box, fill: css(color) }));
      if (cell < 20) return;
      entries.push(s("text", { class: "entry", x: box.x + box.width / 2, y: box.y + box.height / 2, text: short(matrix[at], 1), style: `font-size: ${cell < 25 ? 9.5 : 10.5}px; fill: ${inkOn(color)}` }));
    });
    const frames = s("path", { class: "frames", d: pathOf(this.blocks(view)), style: `stroke-width: ${Math.min(1.8, cell / 6)}px` });
    const ground = s("rect", { class: "ground", x, y, width: columns * cell, height: rows * cell });
    return s("g", { class: `level-${i + 1}` }, s("text", { class: "title", x: left, y: y - 8, text: words }), ground, ...entries, frames, ...this.letters(view));
  }

  letters(view) {
    const { i, x, y, cell, rows } = view;
    const plane = product(this.net.inside.maps[i + 1]);
    const letter = LETTERS[i] ?? String(i + 1);
    const grouped = this.order === "place";
    const [count, high] = grouped ? [plane, (rows / plane) * cell] : [rows, cell];
    if (high < 9) return [];
    return Array.from({ length: count }, (_, k) => s("text", { class: "letter", x: x - 10, y: y + (k + 0.5) * high, text: letter }));
  }

  box({ x, y, cell, row, column }, r, c) {
    return { x: x + column.back[c] * cell, y: y + row.back[r] * cell, width: cell, height: cell };
  }

  // Rectangles around the connections of one block, or of all: runs of neighboring columns over its rows.
  blocks(view, only = null) {
    const { ties, rows, columns, i, cell } = view;
    const plane = product(this.net.inside.maps[i + 1]);
    const found = [];
    const rest = this.order === "place" ? [...Array(plane).keys()] : [...Array(rows).keys()]; // one representative row each
    for (const r of rest) {
      if (only !== null && r % plane !== only) continue;
      const connected = Array.from({ length: columns }, (_, shown) => ties[r * columns + view.column.index[shown]] >= 0);
      for (let from = 0; from < columns; from += 1) {
        if (!connected[from] || connected[from - 1]) continue;
        let to = from;
        while (connected[to + 1]) to += 1;
        const top = this.box(view, r, view.column.index[from]);
        found.push({ ...top, width: (to - from + 1) * cell, height: this.order === "place" ? (rows / plane) * cell : cell });
      }
    }
    return found;
  }

  // { layer, place } frames a block and its copies, { layer, tie } the copies of one weight, `entry` the one pointed at.
  mark(target, entry = null) {
    const [copies, self] = this.marks;
    const set = (mark, boxes, by) => {
      const d = pathOf(boxes.map((box) => inset(box, by)));
      for (const path of mark.children) put(path, { d });
    };
    if (!target) return [set(copies, [], 0), set(self, [], 0)];
    const view = this.views[target.layer - 1];
    const tied = () => [...view.ties].flatMap((tie, at) => (tie === target.tie ? [this.box(view, Math.floor(at / view.columns), at % view.columns)] : []));
    set(copies, target.place === undefined ? tied() : this.blocks(view), -0.5);
    return set(self, target.place === undefined ? (entry ? [this.box(view, entry.row, entry.column)] : []) : this.blocks(view, target.place), -1.5);
  }

  at({ layer, row, column }) {
    const box = this.box(this.views[layer - 1], row, column);
    return [box.x + box.width / 2, box.y];
  }

  // ---- hands

  entryAt(event) {
    const stage = this.node.closest(".stage").getBoundingClientRect();
    const [x, y] = [event.clientX - stage.left, event.clientY - stage.top];
    for (const view of this.views) {
      const [right, down] = [Math.floor((x - view.x) / view.cell), Math.floor((y - view.y) / view.cell)];
      if (right >= 0 && right < view.columns && down >= 0 && down < view.rows) return this.entry(view, down, right);
    }
    return null;
  }

  entry(view, down, right) {
    const [row, column] = [view.row.index[down], view.column.index[right]];
    return { layer: view.i + 1, row, column, tie: view.ties[row * view.columns + column] };
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (event.key in moves) this.moveCursor(...moves[event.key]);
    else if (event.key === "Enter" && this.cursor) this.onPick(this.entry(this.views[this.cursor.i], this.cursor.down, this.cursor.right));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Beyond the last row of a matrix comes the first of the next.
  moveCursor(down, right) {
    const old = this.cursor ?? { i: 0, down: -down, right: -right };
    let [i, row] = [old.i, old.down + down];
    if (row >= this.views[i].rows && i + 1 < this.views.length) [i, row] = [i + 1, 0];
    if (row < 0 && i > 0) [i, row] = [i - 1, this.views[i - 1].rows - 1];
    const view = this.views[i];
    const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
    this.cursor = { i, down: within(row, view.rows), right: within(old.right + right, view.columns) };
    this.onEntry(this.entry(view, this.cursor.down, this.cursor.right));
  }
}
