// What the reader's hands do: go from cell to cell, through the sum, point at a cell in all three arrays at once.
class AutopsyHands extends AutopsyLayout {
  moves() {
    const steps = (by) => () => this.steps.go(this.steps.at + by);
    const wrong = (by) => () => this.toWrong(this.nextWrong(by));
    return { ArrowLeft: steps(-1), ArrowRight: steps(1), Home: () => this.steps.go(0), End: () => this.steps.go(Infinity), n: wrong(1), p: wrong(-1) };
  }

  nextWrong(by) {
    const { where } = this.over;
    const found = by > 0 ? where.findIndex((i) => i > this.at) : where.findLastIndex((i) => i < this.at);
    return found < 0 ? (by > 0 ? where.length - 1 : 0) : found;
  }

  toWrong(k) {
    const flat = this.over.where[k];
    if (flat !== undefined) this.moveTo(unravel(flat, this.over.shape));
  }

  moveTo(cell) {
    this.change({ cell });
  }

  takeTaps(tap) {
    this.change({ tap: tap >= this.sum.taps.length ? null : tap });
  }

  indexAt(row, column) {
    const { from } = this.plane();
    const last = [from[0] + row, from[1] + column];
    return this.over.shape.length > 1 ? [...this.index.slice(0, -2), ...last] : [last[1]];
  }

  pick(row, column) {
    this.moveTo(this.indexAt(row, column));
  }

  pickWhole(row, column) {
    this.moveTo(this.over.shape.length > 1 ? [...this.index.slice(0, -2), row, column] : [column]);
  }

  point(name, row, column) {
    const inside = row !== null;
    for (const grid of LINKED) this.grids[grid].frame("reach", inside ? { row, column } : null);
    if (!inside) return this.tip.hide();
    const index = this.indexAt(row, column);
    const words = cellNumbers({ over: this.over, at: ravel(index, this.over.shape) }).replaceAll(", ", "\n");
    return this.tip.show(...this.grids[name].center(row, column), `${indexWords(shifted0(index, this.data.block))}\n${words}`);
  }
}
