// One canvas under the picture for everything that is made of pixels: tiles are stretched without smoothing.
const SHADES = { signed: palette(PUOR), level: palette(CIVIDIS) };

function palette(table) {
  return Array.from({ length: 512 }, (_, i) => shade(table, i / 511));
}

// Scales as in color.js, from a table made once: thousands of pixels are painted at every move.
function signedScale(limit) {
  const factor = limit > 0 ? 255.5 / limit : 0;
  return (value) => SHADES.signed[Math.min(511, Math.max(0, Math.round(255.5 + value * factor)))];
}

function levelScale(limit) {
  const factor = limit > 0 ? 511 / limit : 0;
  return (value) => SHADES.level[Math.min(511, Math.max(0, Math.round(value * factor)))];
}

const largestSize = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

// Signed colors where the maps of a layer have negative values, one-sided where they have none.
function mapScale(values, isSigned) {
  return isSigned ? signedScale(largestSize(values)) : levelScale(largestSize(values));
}

const hasNegative = (values) => values.some((value) => value < 0);

// Three numbers as red, green and blue around middle grey.
function aroundGrey(limit) {
  const level = (value) => Math.round(127.5 * (1 + Math.min(1, Math.max(-1, limit > 0 ? value / limit : 0))));
  return (red, green, blue) => [level(red), level(green), level(blue)];
}

class Sheet {
  constructor(stage) {
    this.canvas = h("canvas", { class: "sheet", "aria-hidden": "true" });
    this.small = document.createElement("canvas");
    stage.prepend(this.canvas);
  }

  layout(width, height) {
    const sharp = Math.max(1, globalThis.devicePixelRatio ?? 1);
    put(this.canvas, { width: Math.round(width * sharp), height: Math.round(height * sharp) });
    this.canvas.style.cssText = `width:${width}px;height:${height}px`;
    this.context = this.canvas.getContext("2d");
    this.context.setTransform(sharp, 0, 0, sharp, 0, 0);
    this.context.imageSmoothingEnabled = false;
    this.painted = {}; // the canvas is empty now
  }

  // Whether a part has to be painted: not if it was, since the last layout, from what this key stands for.
  needs(part, key) {
    const changed = this.painted[part] !== key;
    this.painted[part] = key;
    return changed;
  }

  clear({ x, y, width, height }) {
    this.context.clearRect(x, y, width, height);
  }

  // colorAt(row, column) gives red, green and blue, or null for a pixel that is left empty.
  paint(box, rows, columns, colorAt) {
    Object.assign(this.small, { width: columns, height: rows });
    const context = this.small.getContext("2d");
    const image = context.createImageData(columns, rows);
    const { data } = image;
    for (let r = 0, i = 0; r < rows; r += 1) {
      for (let c = 0; c < columns; c += 1, i += 4) {
        const color = colorAt(r, c);
        if (!color) continue;
        [data[i], data[i + 1], data[i + 2]] = color;
        data[i + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
    this.clear(box);
    this.context.drawImage(this.small, 0, 0, columns, rows, box.x, box.y, box.width, box.height);
  }
}

// How D planes of K_H × K_W lie side by side in one tile, nearly square, with `gap` empty pixels between them.
function mosaic(depth, [rows, columns], gap = 1) {
  const across = Math.ceil(Math.sqrt((depth * rows) / columns));
  const down = Math.ceil(depth / across);
  const at = (r, c) => {
    const [i, u] = [Math.floor(r / (rows + gap)), r % (rows + gap)];
    const [j, v] = [Math.floor(c / (columns + gap)), c % (columns + gap)];
    const plane = i * across + j;
    return u >= rows || v >= columns || plane >= depth ? -1 : (plane * rows + u) * columns + v;
  };
  return { rows: down * (rows + gap) - gap, columns: across * (columns + gap) - gap, at };
}
