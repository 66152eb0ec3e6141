// What the reader's hands do: choose, pin and point; the numbers and the drawing are the view's.
class GalleryHands extends DemoView {
  moves() {
    const picture = (by) => () => this.choose(Math.min(Math.max(this.picture + by, 0), this.search.count - 1));
    const filter = (by) => () => this.change({ filter: Math.min(Math.max(this.filter + by, 0), this.now.maps.shape[0] - 1), cell: null });
    return { ArrowLeft: picture(-1), ArrowRight: picture(1), ArrowUp: filter(-1), ArrowDown: filter(1) };
  }

  choose(picture) {
    this.change({ picture, cell: null });
  }

  setLayer(layer) {
    const filter = Math.min(this.filter, this.data.layers[layer].shape[0] - 1);
    this.change({ layer, filter, cell: null }, { reshape: true });
  }

  goTo(epoch) {
    const known = this.kept.reduce((best, other) => (Math.abs(other.epoch - epoch) < Math.abs(best.epoch - epoch) ? other : best));
    this.change({ epoch: known === this.kept.at(-1) ? null : known.epoch });
  }

  // The same click again lets the demo look at the best place again.
  pin(i) {
    const columns = this.now.maps.shape[2];
    const cell = [Math.floor(i / columns), i % columns];
    this.change({ cell: String(cell) === String(this.cell) ? null : cell });
  }

  showPatch(i) {
    if (this.patches[i]) this.change({ picture: this.patches[i].picture, cell: this.patches[i].cell });
  }

  pointMap(i) {
    const columns = this.now.maps.shape[2];
    this.hovered = i === null ? null : [Math.floor(i / columns), i % columns];
    this.drawCell();
    if (i === null) return this.tip.hide();
    return this.note(this.boards.map, i, `row ${this.at[0]}, column ${this.at[1]}: ${signed(this.trace.chain.at(-1).value, 3)}`);
  }

  note(board, i, text) {
    const { x, y, width } = board.box(i);
    this.tip.show(x + width / 2, y, text);
  }

  pointFilter(i) {
    for (const board of [this.boards.filters, this.boards.maps]) board.frameTile("hover", i);
    if (i === null) return this.tip.hide();
    const { values, shape: [, rows, columns] } = this.now.maps;
    const { value } = largest(values.subarray(i * rows * columns, (i + 1) * rows * columns), columns);
    return this.note(this.boards.maps, i, `filter ${i}: at most ${signed(value, 3)} on this picture`);
  }

  pointPixel(i) {
    if (i === null) return this.tip.hide();
    const { values, shape: [channels, rows, columns] } = this.now.picture;
    const parts = Array.from({ length: channels }, (_, c) => short(values[c * rows * columns + i], 3));
    return this.note(this.boards.picture, i, `row ${Math.floor(i / columns)}, column ${i % columns}: ${parts.join(", ")}`);
  }

  pointTap(name, i) {
    const { boards, taps, now } = this;
    const { columns, at } = now.tapGrid;
    const place = i === null ? -1 : at(Math.floor(i / columns), i % columns);
    for (const board of [boards.window, boards.kernel, boards.products]) board.frameTile("hover", place < 0 ? null : i);
    if (place < 0) return this.tip.hide();
    const plane = taps.kernel[0] * taps.kernel[1];
    const line = (k, c) => `${channelName(c, now.rgb ? 3 : 0)}: ${short(taps.inputs[k], 3)} · ${short(taps.weights[k], 3)} = ${short(taps.products[k], 3)}`;
    const lines = now.rgb ? [0, 1, 2].map((c) => line(c * plane + place, c)) : [line(place, taps.places[place][0])];
    const [u, v] = unravel(place % plane, taps.kernel);
    return this.note(boards[name], i, [`row ${u}, column ${v}`, ...lines].join("\n"));
  }

  pointTemplate(i) {
    if (i === null) return this.tip.hide();
    return this.note(this.boards.templates, i, `Σ template · picture = ${signed(this.templateScores[i], 3)}`);
  }
}
