// Where everything stands: three grids cell beside cell, small pictures of planes that are too large, the sum under them.
const WIDEST = 12;
const LINKED = ["expected", "got", "difference"];

class AutopsyLayout extends DemoView {
  layout(width) {
    const shape = this.over.shape.length > 1 ? this.over.shape : [1, ...this.over.shape];
    const [rows, columns] = shape.slice(-2);
    const narrow = width < 640;
    const gap = narrow ? 14 : 26;
    const room = narrow ? width - 6 : (width - 2 * gap - 6) / 3;
    const longest = this.cellTexts().reduce((most, length) => Math.max(most, length), 2);
    const wide = Math.min(56, Math.max(30, longest * 7.2 + 6));
    const most = Math.min(WIDEST, Math.max(3, Math.floor(room / wide)));
    this.shown = [Math.min(rows, rows > 10 || narrow ? 8 : 10), Math.min(columns, most)];
    if (columns <= most + 1 && columns <= WIDEST) this.shown[1] = columns;
    const cell = Math.min(Math.max(wide + 4, 44), Math.floor(room / this.shown[1]));
    let [x, y] = [3, 2];
    for (const name of LINKED) {
      this.grids[name].layout({ x, y, cell, rows: this.shown[0], columns: this.shown[1] });
      if (narrow) y = this.grids[name].bottom + 10;
      else x += Math.max(this.shown[1] * cell, 130) + gap;
    }
    y = Math.max(...LINKED.map((name) => this.grids[name].bottom)) + 16;
    y = this.placeOverviews(y, rows, columns, room, narrow);
    if (this.convolution) y = this.placeSum(y, width, narrow);
    put(this.svg, { width, height: y });
  }

  cellTexts() {
    const { over } = this;
    const count = Math.min(over.expected.length, 4000);
    const text = (value) => (Number.isNaN(value) ? 3 : cellText(value, this.largest).length);
    return Array.from({ length: count }, (_, i) => Math.max(text(over.expected[i]), text(over.got[i]), text(over.got[i] - over.expected[i])));
  }

  // Planes that are larger than what is shown with numbers are shown whole as small pictures, under their numbers.
  placeOverviews(y, rows, columns, room, narrow) {
    const needed = rows > this.shown[0] || columns > this.shown[1];
    put(this.overviews.node, { visibility: needed ? null : "hidden" });
    this.overviewScale = needed ? Math.min(room / columns, 200 / rows, 12) : 0;
    if (!needed) return y;
    for (const name of LINKED) {
      const shown = name === "difference" || !narrow;
      this.overviews.layout(name, { x: narrow ? 3 : this.grids[name].x, y, scale: this.overviewScale, rows, columns, shown });
    }
    return y + 22 + rows * this.overviewScale + 18;
  }

  placeSum(y, width, narrow) {
    const kernel = this.convolution.w.shape.slice(2);
    const [rows, columns] = [kernel.length > 1 ? kernel.at(-2) : 1, kernel.at(-1)];
    const slices = kernel.length > 2;
    const sign = narrow ? 18 : 30;
    const room = narrow ? (width - 2 * sign - 6) / 3 : Math.min(170, (width * 0.56 - 2 * sign) / 3);
    const cell = Math.max(14, Math.min(44, Math.floor(room / columns)));
    let x = 3;
    for (const name of ["window", "kernel", "products"]) {
      this.grids[name].layout({ x, y, cell, rows, columns });
      x += Math.max(columns * cell, narrow ? room : { window: 100, kernel: slices ? 190 : 130, products: 80 }[name]) + sign;
    }
    const level = this.grids.window.top + (rows * cell) / 2 + 8;
    put(this.times, { x: (this.grids.window.x + columns * cell + this.grids.kernel.x) / 2, y: level });
    put(this.equals, { x: (this.grids.kernel.x + columns * cell + this.grids.products.x) / 2, y: level });
    const under = this.grids.products.bottom;
    this.chartBox = narrow ? { x: 3, y: under + 16, width: width - 6, height: 150 } : { x: x + 4, y, width: width - x - 6, height: Math.max(150, under - y + 4) };
    return Math.max(under, this.chartBox.y + this.chartBox.height) + 8;
  }
}
