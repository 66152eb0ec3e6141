// What the reader sees and does: a picture, all filters, all maps; one filter large with the sum behind each cell of its
// map; the patches that excite it most; and, while a training runs, the epochs.
class FilterGallery extends GalleryHands {
  constructor(model, el) {
    const state = ["picture", "layer", "filter", "cell", "epoch", "one_scale"];
    const keys = "Left and right arrow keys change the picture, up and down the filter; space plays the epochs.";
    super(model, { kind: "filter-gallery", heading: "What have the filters learned?", state, keys });
    const { data } = this;
    Object.assign(this, { names: data.names, labels: data.labels, hovered: null, scoreBox: {}, patches: [], cache: new Map() });
    this.fixed = { pictures: unpack(data.pictures), templates: data.templates && unpack(data.templates), range: data.range };
    this.search = new PatchSearch(this.fixed.pictures, () => this.drawPatches());
    this.tapGrid = () => this.now.tapGrid;
    this.sheet = new Sheet(this.stage);
    this.boards = this.makeBoards();
    this.scores = s("g", { class: "scores" });
    this.sumText = s("text", { class: "sum label" });
    this.formula = s("text", { class: "formula" });
    this.operators = [0, 1].map(() => s("text", { class: "operator" }));
    this.link = s("path", { class: "link" });
    this.curves = new Curves({ onPick: (epoch) => this.goTo(epoch) });
    const nodes = Object.values(this.boards).map(({ node }) => node);
    this.svg.append(...nodes, this.scores, ...this.operators, this.sumText, this.formula, this.link, this.curves.node);
    this.steps = new Steps({
      label: "Epoch",
      show: (step) => `${this.kept?.[step]?.epoch ?? 0}`,
      hint: "Filters emerge from noise: play, or click a curve.",
      perSecond: 4,
      onStep: (step) => this.goTo(this.kept[step].epoch),
      onState: (playing) => this.quiet(playing),
    });
    this.onRecords = () => this.takeRecords(true);
    model.on("change:records", this.onRecords);
    this.takeRecords(false);
    this.begin(el, this.steps.node, this.explain, this.settings());
  }

  destroy() {
    this.model.off("change:records", this.onRecords);
    this.search.stop();
    super.destroy();
  }

  // ---- parts

  makeBoards() {
    const tap = (name, title) => new Board({ name, title, onPoint: (i) => this.pointTap(name, i) });
    const pickFilter = { noun: "filter", onPick: (filter) => this.change({ filter, cell: null }), onPoint: (i) => this.pointFilter(i) };
    return {
      picture: new Board({ name: "picture", title: "Picture", onPoint: (i) => this.pointPixel(i) }),
      filters: new Board({ name: "filters", title: "Filters", ...pickFilter }),
      maps: new Board({ name: "maps", title: "Maps", ...pickFilter }),
      strip: new Board({ name: "strip", title: "Pictures", noun: "picture", onPick: (i) => this.choose(this.boards.strip.start + i) }),
      window: tap("window", "Window"),
      kernel: tap("kernel", "Filter"),
      products: tap("products", "Products"),
      map: new Board({ name: "map", title: "Map", noun: "cell", onPoint: (i) => this.pointMap(i), onPick: (i) => this.pin(i) }),
      patches: new Board({ name: "patches", title: "Patches", noun: "patch", onPick: (i) => this.showPatch(i) }),
      templates: new Board({ name: "templates", title: "Templates as large as the picture", onPoint: (i) => this.pointTemplate(i) }),
    };
  }

  settings() {
    const { layers } = this.data;
    const first = layers.findIndex(({ kind }) => kind === "conv");
    const options = layers.flatMap(({ name, title, shape }, i) => (i < first || shape.length !== 3 ? [] : [[i, `${name} ${title}: ${shape.join(" × ")}`]]));
    this.layerChoice = choice({ name: "layer", label: "Maps of layer", options, value: this.layer, onInput: (layer) => this.setLayer(layer) });
    const show = (n) => (this.labels ? `${n}: ${this.names[this.labels[n]]}` : String(n));
    const last = this.fixed.pictures.shape[0] - 1;
    this.pictureSlider = slider({ name: "picture", label: "Picture", max: last, value: this.picture, show, onInput: (n) => this.choose(n) });
    this.filterSlider = slider({ name: "filter", label: "Filter", onInput: (filter) => this.change({ filter, cell: null }) });
    this.scaleToggle = toggle({
      ...{ name: "one_scale", label: "One scale for all", value: this.one_scale },
      note: "Otherwise each filter, map and template uses its own whole range of colors.",
      onInput: (oneScale) => this.change({ one_scale: oneScale }),
    });
    const parts = [this.layerChoice, this.filterSlider, this.pictureSlider, this.scaleToggle].map(({ node }) => node);
    return h("div", { class: "settings" }, ...parts);
  }

  // ---- numbers

  takeRecords(redraw) {
    this.records = this.model.get("records");
    this.kept = this.records.filter(({ weights }) => weights);
    this.steps.resize(this.kept.length, this.recordPlace());
    put(this.steps.node, { hidden: this.kept.length < 2 });
    if (!redraw) return;
    this.compute();
    this.resize();
  }

  recordPlace() {
    const found = this.kept.findIndex(({ epoch }) => epoch === this.epoch);
    return found < 0 ? this.kept.length - 1 : found;
  }

  compute() {
    const { epoch, weights } = this.kept[this.recordPlace()];
    const version = `${epoch}:${weights.shape[0]}`;
    if (this.version !== version) {
      Object.assign(this, { version, cache: new Map(), layers: withNumbers(this.data.layers, unpack(weights).values) });
    }
    const { layers } = this;
    const picture = this.search.picture(this.picture);
    if (!this.cache.has(this.picture)) {
      if (this.cache.size > 20) this.cache.clear();
      this.cache.set(this.picture, forward(layers, picture));
    }
    const outputs = this.cache.get(this.picture);
    const layer = Math.min(this.layer, outputs.length - 2);
    const stage = stageOf(layers, layer);
    const firstConv = stageOf(layers.map((l, i) => (layers.slice(0, i).some(({ kind }) => kind === "conv") ? { kind: "" } : l)), layers.length - 1);
    const { wShape: [, depth, ...kernel] } = layers[stage];
    const rgb = stage === 0 && depth === 3 && picture.shape[0] === 3;
    const tapGrid = rgb ? { rows: kernel[0], columns: kernel[1], at: (r, c) => r * kernel[1] + c } : mosaic(depth, kernel);
    const last = outputs.length === layers.length + 1 ? outputs.at(-1) : null;
    this.now = {
      ...{ ...this.fixed, epoch, layers, picture, outputs, layer, stage, firstConv, plainInput: firstConv === 0, rgb, tapGrid },
      ...{ records: this.records, input: outputs[stage], maps: outputs[layer + 1] },
      scores: last?.shape.length === 1 && !this.data.stop ? last.values : null,
    };
    this.filter = Math.min(this.filter, this.now.maps.shape[0] - 1);
    this.chances = this.now.scores && softmax(this.now.scores);
  }

  // Where the reader looks: the cell under the pointer, the pinned one, or the filter's best.
  look() {
    const [, rows, columns] = this.now.maps.shape;
    const own = this.now.maps.values.subarray(this.filter * rows * columns, (this.filter + 1) * rows * columns);
    this.best = largest(own, columns);
    const fits = ([i, j]) => i < rows && j < columns;
    this.at = [this.hovered, this.cell].find((cell) => cell && fits(cell)) ?? this.best.cell;
    this.trace = traceBack(this.now.layers, this.now.outputs, this.now.layer, this.filter, this.at);
    this.taps = productsAt(this.now.input, this.now.layers[this.now.stage], this.filter, this.trace.cell);
  }

  // ---- drawing

  layout(width) {
    place(this, width);
    this.placed = `${this.now.layer}/${this.now.layers.length}`;
  }

  draw() {
    if (this.placed !== `${this.now.layer}/${this.now.layers.length}`) return void this.resize();
    placeStrip(this, this.boards.strip.y, this.stage.clientWidth);
    const { boards, now, filter } = this;
    paintPictures(this);
    paintFilters(this);
    paintMaps(this);
    paintTemplates(this);
    const { shape: [count, rows, columns], title, name } = { ...now.layers[now.layer] };
    const { wShape } = now.layers[now.stage];
    boards.picture.entitle(`${this.picture}${this.labels ? `: ${this.names[this.labels[this.picture]]}` : ""}`);
    boards.filters.entitle(`${count} of ${wShape.slice(1).join(" × ")}`);
    boards.maps.entitle(`${rows} × ${columns}, after ${title}`);
    boards.map.entitle(`${rows} × ${columns}, ${this.bounds().map((value) => short(value)).join(" to ")}`, `Map ${filter}`);
    boards.kernel.entitle(`${wShape.slice(1).join(" × ")}`, `Filter ${filter}`);
    for (const board of [boards.filters, boards.maps]) board.frameTile("chosen", filter);
    boards.strip.frameTile("chosen", this.picture - boards.strip.start);
    this.curves.mark(now.epoch);
    this.steps.scrub.set(this.recordPlace());
    this.steps.at = this.recordPlace();
    this.layerChoice.set(now.layer);
    this.filterSlider.range(0, count - 1, 1);
    this.filterSlider.set(filter);
    this.pictureSlider.set(this.picture);
    this.scaleToggle.set(this.one_scale);
    put(this.svg, { "aria-label": `Picture, ${count} filters, and their maps after layer ${name}; filter ${filter} large, with the sum behind one cell of its map.` });
    drawScores(this);
    drawTemplateScores(this);
    this.drawCell();
    this.search.start(now.layers, this.version, now.layer, filter);
    this.drawPatches();
  }

  bounds() {
    const { values, shape: [, rows, columns] } = this.now.maps;
    const own = values.subarray(this.filter * rows * columns, (this.filter + 1) * rows * columns);
    return [own.reduce((a, b) => Math.min(a, b)), own.reduce((a, b) => Math.max(a, b))];
  }

  drawCell() {
    this.look();
    const { boards, now, at, trace, taps } = this;
    paintTaps(this);
    boards.window.entitle(`${taps.depth} × ${taps.kernel.join(" × ")}`);
    boards.products.entitle(now.rgb ? "summed over colors" : "");
    boards.map.frame("chosen", { row: at[0], column: at[1] });
    boards.picture.frame("chosen", pixelsSeen(now.layers, now.layer, at));
    boards.picture.frame("inner", trace.chain.length > 1 && now.layer > now.stage && !sameCell(at, trace) ? pixelsSeen(now.layers, now.stage, trace.cell) : null);
    const { x, y, width, height } = boards.map.area({ row: at[0], column: at[1] });
    const from = boards.products.area({ row: 0, column: 0, rows: boards.products.rows, columns: boards.products.columns });
    const narrow = boards.map.x < from.x + from.width;
    put(this.link, { d: `M${from.x + from.width + 4} ${from.y + from.height / 2}L${x - 3} ${y + height / 2}`, visibility: narrow ? "hidden" : null });
    const words = cellWords(this);
    put(this.sumText, { text: `Σ${taps.bias ? ` ${taps.bias < 0 ? "−" : "+"} ${number(Math.abs(taps.bias), 3)}` : ""} = ${words.result}` });
    put(this.formula, { text: "each weight times the number under it" });
    this.words.replaceChildren(words.before, h("strong", { text: words.result }), words.after);
    this.refreshFolds();
    return width;
  }

  drawPatches() {
    if (!this.now) return;
    const { boards, search } = this;
    this.patches = search.best(boards.patches.count);
    paintPatches(this);
    boards.patches.caption(this.patches.map(({ picture, value }) => [signed(value, 2), this.labels ? this.names[this.labels[picture]] : `picture ${picture}`]));
    const seen = search.done ? `of ${plural(search.count, "picture")}` : `searched ${search.found.length} of ${search.count}`;
    boards.patches.entitle(seen, `The patches that excite filter ${this.filter} most`);
    const note = this.now.layer < this.layer ? `Of epoch ${this.now.epoch} only the first layer is kept. ` : this.data.note;
    put(this.verdict, { text: note + patchWords(this) });
    if (search.done) this.refreshFolds();
  }

  // ---- numbers and code

  tables() {
    return galleryTables(this);
  }

  code() {
    return listings(this);
  }
}

const sameCell = (at, { cell, chain }) => chain.every(({ cell: other }) => String(other) === String(at)) && String(cell) === String(at);

function render({ model, el }) {
  const view = new FilterGallery(model, el);
  return () => view.destroy();
}

// The calculations are exported for tests that compare them with NumPy; a front end uses the default only.
export { pixelsSeen, forward, PatchSearch, softmax, productsAt, templateScores, traceBack, unpack, withNumbers };
export default { render };
