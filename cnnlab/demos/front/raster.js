// A picture or a large map as pixels inside an SVG: one value or color a pixel, stretched without smoothing.
class Raster {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.node = s("image", { preserveAspectRatio: "none", class: "raster" });
  }

  layout({ x, y, width, height }) {
    Object.assign(this, { x, y, width, height });
    put(this.node, { x, y, width, height });
    return this;
  }

  // colorAt(row, column) gives red, green and blue in 0 … 255, or null for a place that stays empty.
  paint(rows, columns, colorAt) {
    Object.assign(this.canvas, { width: columns, height: rows });
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    for (let r = 0, i = 0; r < rows; r += 1) {
      for (let c = 0; c < columns; c += 1, i += 4) {
        const color = colorAt(r, c);
        if (!color) continue;
        [image.data[i], image.data[i + 1], image.data[i + 2]] = color;
        image.data[i + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
    put(this.node, { href: this.canvas.toDataURL() });
    return this;
  }
}

// The colors of a picture of shape (3, H, W) or (1, H, W) in 0 … 1, for Raster.paint.
function pictureColors({ values, shape: [channels, rows, columns] }) {
  const plane = rows * columns;
  const level = (i) => Math.round(255 * Math.min(Math.max(values[i], 0), 1));
  return (r, c) => {
    const i = r * columns + c;
    return channels === 3 ? [level(i), level(plane + i), level(2 * plane + i)] : Array(3).fill(level(i));
  };
}
