// What the reader sees and does: expected, got and difference cell beside cell; the sum behind one cell tap by tap.
const AXIS_NAMES = { 2: ["row", "column"], 1: ["column"], 3: ["slice", "row", "column"] };

class Autopsy extends AutopsyHands {
  constructor(model, el) {
    const data = model.get("data");
    const walk = data.convolution ? "Left and right arrow keys go through the products" : "Left and right arrow keys go through the wrong cells";
    super(model, {
      ...{ kind: "autopsy", heading: data.title ?? "Where does the answer go wrong?", state: ["cell", "tap", "hints_shown"] },
      keys: `${walk}, n and p to the next and previous wrong cell, space plays.`,
    });
    this.convolution = readConvolution(data.convolution);
    this.judge();
    this.grids = this.makeGrids();
    this.chart = new SumChart((tap) => this.takeTaps(tap));
    this.overviews = new Overviews((row, column) => this.pickWhole(row, column));
    this.times = s("text", { class: "operator", text: "×" });
    this.equals = s("text", { class: "operator", text: "=" });
    const grids = Object.values(this.grids).map(({ node }) => node);
    this.svg.append(...grids, this.overviews.node, this.times, this.equals, this.chart.node);
    this.steps = this.makeSteps();
    this.hints = new Hints(data, () => this.change({ hints_shown: this.hints_shown + 1 }));
    this.suspects = new Suspects();
    const found = data.got ? findingsPanel(this.found) : h("div", { hidden: true });
    const explained = !this.found.length && this.lined.some(({ matches }) => matches);
    put(found, { hidden: !data.got || explained || (this.over.same && !this.over.where.length) });
    const panels = h("div", { class: "panels" }, found, this.suspects.node);
    this.begin(el, this.steps.node, this.explain, this.hints.node, panels, this.settings());
  }

  // All that is judged once: the arrays do not change.
  judge() {
    const { data } = this;
    this.expected = unpack(data.expected);
    this.got = data.got && unpack(data.got);
    this.names = this.namesOfAxes();
    this.over = overlay(this.expected, this.got, data.tolerance);
    this.errors = errorsOf(this.over);
    const finite = [...this.over.expected, ...this.over.got].filter(Number.isFinite);
    Object.assign(this, { negative: finite.some((value) => value < 0), largest: finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0) });
    this.firstWrong = this.over.where[0] ?? null;
    this.found = this.got ? findings(this.expected, this.got, { tolerance: data.tolerance, names: this.names, dtypes: data.dtypes }) : [];
    const outputs = data.suspects.map(({ name, output }) => ({ name, output: unpack(output) }));
    const size = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const limitFor = (values) => (data.relative === null ? data.tolerance : data.relative * size(values));
    const asItCame = this.got && { values: this.got.values, shape: data.block ? this.got.shape : data.shapes.got };
    this.lined = lineUp(asItCame, this.convolution, outputs, { limitFor });
  }

  namesOfAxes() {
    const { convolution, expected } = this;
    if (!convolution) return [];
    const space = AXIS_NAMES[convolution.axes.length];
    const names = convolution.plain ? space : [...(convolution.batch ? ["batch"] : []), "channel", ...space];
    return [...Array(Math.max(0, expected.shape.length - names.length)).fill(""), ...names];
  }

  // ---- parts

  makeGrids() {
    const linked = (name, title) => new Grid({ name, title, onPoint: (row, column) => this.point(name, row, column), onPick: (row, column) => this.pick(row, column) });
    const tap = (name, title) => new Grid({ name, title });
    return {
      ...{ expected: linked("expected", "Expected"), got: linked("got", "Got"), difference: linked("difference", "Got − expected") },
      ...{ window: tap("window", "Window"), kernel: tap("kernel", "Kernel"), products: tap("products", "Products") },
    };
  }

  makeSteps() {
    const common = { onState: (playing) => this.quiet(playing) };
    if (this.convolution) {
      return new Steps({
        ...{ ...common, label: "Products taken", show: (tap) => `${tap} of ${this.sum?.taps.length ?? 0}` },
        ...{ hint: "Play the sum behind the framed cell. Click a cell of the arrays to take another.", onStep: (tap) => this.takeTaps(tap) },
      });
    }
    const show = (k) => (this.over.where.length ? `${k + 1} of ${thousands(this.over.where.length)}` : "none");
    return new Steps({ ...common, label: "Wrong cell", show, hint: "Click a cell of the arrays to look at it.", onStep: (k) => this.toWrong(k) });
  }

  settings() {
    const leading = this.over.shape.slice(0, -2);
    this.axisSliders = leading.map((size, axis) => {
      const name = axisName(axis, this.names);
      const label = name[0].toUpperCase() + name.slice(1);
      const show = (place) => `${place} of 0–${size - 1}, ${this.wrongAt(axis, Number(place))} wrong`;
      return slider({ name: `axis-${axis}`, label, max: size - 1, show, onInput: (place) => this.moveTo(this.index.map((old, i) => (i === axis ? place : old))) });
    });
    this.wrongSlider = null;
    if (this.convolution && this.over.where.length > 1) {
      const count = this.over.where.length;
      this.wrongSlider = slider({ name: "wrong", label: "Wrong cell", max: count - 1, show: (k) => `${Number(k) + 1} of ${count}`, onInput: (k) => this.toWrong(k) });
    }
    const sliders = [...(this.wrongSlider ? [this.wrongSlider] : []), ...this.axisSliders];
    return h("div", { class: "settings", hidden: !sliders.length }, ...sliders.map(({ node }) => node));
  }

  wrongAt(axis, place) {
    return this.over.where.filter((i) => unravel(i, this.over.shape)[axis] === place).length;
  }

  // ---- where the reader is

  locate() {
    const { over } = this;
    const flat = this.cell ? ravel(this.cell, over.shape) : (this.firstWrong ?? 0);
    this.at = Number.isFinite(flat) && flat < over.expected.length ? flat : 0;
    this.index = unravel(this.at, over.shape);
    const own = this.convolution && outputIndex(this.index, this.convolution);
    this.sum = own ? productsAt(this.convolution, own) : null;
    this.taken = this.sum ? Math.min(this.tap ?? Infinity, this.sum.taps.length) : 0;
  }

  // The plane of the last two axes around the cell, and which part of it is shown.
  plane() {
    const shape = this.over.shape.length > 1 ? this.over.shape : [1, ...this.over.shape];
    const [rows, columns] = shape.slice(-2);
    const index = this.over.shape.length > 1 ? this.index : [0, ...this.index];
    const base = ravel([...index.slice(0, -2), 0, 0], shape);
    const place = index.slice(-2);
    const { shown } = this;
    const from = place.map((p, i) => {
      const [size, room] = [[rows, columns][i], shown[i]];
      const old = this.from?.[i] ?? 0;
      const kept = p < old ? p : p >= old + room ? p - room + 1 : old;
      return Math.max(0, Math.min(kept, size - room));
    });
    this.from = from;
    return { rows, columns, base, place, from, flat: (r, c) => base + (from[0] + r) * columns + from[1] + c };
  }

  // ---- drawing

  draw() {
    this.locate();
    this.steps.resize(...(this.sum ? [this.sum.taps.length + 1, this.taken] : this.convolution ? [1, 0] : [Math.max(1, this.over.where.length), Math.max(0, this.over.where.indexOf(this.at))]));
    this.drawArrays();
    this.drawSum();
    this.axisSliders.forEach((control, axis) => control.set(this.index[axis]));
    this.wrongSlider?.set(Math.max(0, this.over.where.indexOf(this.at)));
    this.hints.show(this.hints_shown);
    this.suspects.show(this.suspectRows(), suspectWords(this));
    this.drawWords();
    this.refreshFolds();
  }

  drawArrays() {
    const { over, data } = this;
    const plane = this.plane();
    const cells = [...positions(this.shown)].map(([r, c]) => plane.flat(r, c));
    const tame = (scale) => (value) => (Number.isFinite(value) ? scale(value) : [213, 94, 0]);
    const levels = tame(this.negative ? centered(this.largest) : grey(0, this.largest || 1));
    const [start, end] = [shifted0(plane.from, data.block && { start: (over.shape.length > 1 ? data.block.start : [0, ...data.block.start]).slice(-2) }), this.shown];
    const part = plane.rows > end[0] || plane.columns > end[1] ? `rows ${start[0]}–${start[0] + end[0] - 1}, columns ${start[1]}–${start[1] + end[1] - 1}` : null;
    const show = (name, values, there, scale, shape) => {
      const grid = this.grids[name];
      grid.sizeWords = part && name === "expected" ? part : shape;
      grid.layout({ x: grid.x, y: grid.y, cell: grid.cell });
      const kind = (i) => (!there[cells[i]] ? "absent" : over.wrong[cells[i]] && name !== "expected" ? "wrong" : null);
      grid.fill(cells.map((i) => values[i]), { scale, kind, words: (value) => cellText(value, this.largest), isEmpty: (value) => value === undefined });
      grid.boxes.forEach((box, i) => {
        if (there[cells[i]]) return;
        put(box, { fill: null });
        put(grid.numbers[i], { text: "" });
      });
    };
    const differences = over.got.map((value, i) => value - over.expected[i]);
    const inBoth = over.inGot.map((there, i) => there && over.inExpected[i]);
    const largest = differences.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
    const shapes = [data.shapes.expected, data.shapes.got].map((shape) => (shape === null ? "" : data.block ? "part" : shapeWords(shape)));
    show("expected", over.expected, over.inExpected, levels, shapes[0]);
    show("got", over.got, over.inGot, levels, shapes[1]);
    show("difference", differences, inBoth, tame(centered(largest)), "zero is white");
    const [row, column] = [plane.place[0] - plane.from[0], plane.place[1] - plane.from[1]];
    for (const name of LINKED) this.grids[name].frame("window", { row, column });
    if (this.overviewScale) {
      const whole = { expected: [over.expected, over.inExpected, levels], got: [over.got, over.inGot, levels], difference: [differences, inBoth, tame(centered(largest))] };
      for (const name of LINKED) this.overviews.draw(name, plane, this.shown, ...whole[name]);
    }
    const { where } = over;
    if (!this.got) this.say("No numbers", false);
    else if (where.length) this.say(`${thousands(data.block?.wrong ?? where.length)} of ${thousands(data.block?.cells ?? over.cells)} wrong`, false);
    else this.say(over.same ? "All right" : "Another shape", over.same);
    put(this.svg, { "aria-label": `Expected, got and their difference; the frame stands at ${indexWords(shifted0(this.index, data.block))}: ${cellNumbers(this)}.` });
  }

  drawSum() {
    const { sum, taken, grids } = this;
    const parts = [...["window", "kernel", "products"].map((name) => grids[name].node), this.times, this.equals, this.chart.node];
    for (const node of parts) put(node, { visibility: sum ? null : "hidden" });
    if (!sum) return;
    const now = sum.taps[Math.max(0, taken - 1)];
    const same = (tap) => tap.channel === now.channel && tap.tap.slice(0, -2).every((place, i) => place === now.tap[i]);
    const shown = sum.taps.filter(same);
    const offset = sum.taps.indexOf(shown[0]);
    const slice = sum.kernel.length > 2 ? `, slice ${now.tap[0]}` : "";
    grids.window.sizeWords = "";
    grids.kernel.sizeWords = `${sum.depth > 1 ? `channel ${now.channel}` : ""}${slice}`.replace(/^, /, "");
    grids.products.sizeWords = "";
    for (const name of ["window", "kernel", "products"]) grids[name].layout({ x: grids[name].x, y: grids[name].y, cell: grids[name].cell });
    const all = (key) => sum.taps.map((tap) => tap[key]);
    const signs = (values) => scaleFor(values);
    grids.window.fill(shown.map((tap) => tap.input), { scale: signs(all("input")), kind: (i) => (shown[i].padding ? "padding" : null), words: (value) => cellText(value) });
    grids.kernel.fill(shown.map((tap) => tap.weight), { scale: centered(Math.max(...all("weight").map(Math.abs))), words: (value) => cellText(value) });
    grids.products.fill(shown.map((tap, i) => (offset + i < taken ? tap.product : null)), { scale: centered(Math.max(...all("product").map(Math.abs))), words: (value) => cellText(value) });
    const place = taken > 0 && taken < sum.taps.length ? { row: Math.floor((taken - 1 - offset) / sum.kernel.at(-1)), column: (taken - 1 - offset) % sum.kernel.at(-1) } : null;
    for (const name of ["window", "kernel", "products"]) grids[name].frame("tap", place);
    const { over, at } = this;
    this.chart.draw(this.chartBox, { sum, taken, expected: over.inExpected[at] ? over.expected[at] : NaN, got: over.inGot[at] ? over.got[at] : NaN });
  }

  drawWords() {
    const { sum } = this;
    if (sum) {
      const { before, result, after } = sumWords(this);
      this.words.replaceChildren(before, h("strong", { text: result }), after);
    } else {
      const place = this.got ? `Cell ${indexWords(shifted0(this.index, this.data.block))}: ` : "";
      this.words.replaceChildren(place, this.got ? `${cellNumbers(this)}.` : this.data.words);
    }
    const cut = this.data.uncut ? "" : " The sum is not stepped through in a part of an array: pass a smaller case.";
    put(this.verdict, { text: this.got ? countWords(this) + cut : this.sum ? this.data.words : "" });
  }

  // What each suspect would give at the cell, those that explain most first.
  suspectRows() {
    const { lined, index, over, got, data } = this;
    const rows = lined.map(({ name, output, fits, same, cells, matches }) => {
      const axes = output.shape.length;
      const own = index.slice(index.length - axes);
      const inside = own.length === axes && own.every((place, axis) => place < output.shape[axis]);
      const value = inside ? output.values[axes ? ravel(own, output.shape) : 0] : null;
      const alike = fits ? `${thousands(same)} of ${thousands(cells)}` : `shape ${shapeWords(output.shape)}`;
      return { name, value, here: value === null ? "–" : exact(value), alike, matches, same: fits ? same : -1 };
    });
    if (!got || !data.got || (over.same && !over.where.length)) return [];
    return rows.sort((a, b) => b.matches - a.matches || b.same - a.same);
  }

  // ---- numbers and code

  tables() {
    return autopsyTables(this);
  }

  code() {
    return { numpy: numpyListing(this), torch: torchListing(this) };
  }
}

function render({ model, el }) {
  const view = new Autopsy(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { convolveBatch, errorsOf, exact, findings, lineUp, overlay, readConvolution, suspectRules, productsAt, unpack };
export default { render };
