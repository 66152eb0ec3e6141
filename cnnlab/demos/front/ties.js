// The look of tied weights: entries that are one and the same weight have one color and one letter, everywhere.
// Okabe and Ito's colors, moved apart in lightness so that lines stand out from a light and from a dark page.
const TIE_COLORS = [
  ["#005f9e", "#4aa3e8"], // blue
  ["#c98000", "#f0b83d"], // orange
  ["#008a64", "#2fc79a"], // green
  ["#d1495b", "#ff8577"], // vermilion, towards red to stay apart from orange
  ["#9a5fb4", "#d7a3ec"], // purple
  ["#3b9cd9", "#a8dcff"], // sky
  ["#7a6a00", "#f0e442"], // yellow
  ["#4b5563", "#b6bdca"], // grey
];

const hexParts = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const lightDark = ([light, dark]) => `light-dark(${light}, ${dark})`;
const tiePair = (set) => TIE_COLORS[set % TIE_COLORS.length];

// Fill or stroke of a set of tied weights, and the ink of text on it.
const tieColor = (set) => lightDark(tiePair(set));
const tieInk = (set) => lightDark(tiePair(set).map((hex) => inkOn(hexParts(hex))));

// Past eight sets the colors come again, then with a mark in two corners, or broken lines.
const tieMarked = (set) => Math.floor(set / TIE_COLORS.length) % 2 === 1;

// a … z, then a1 … z1, a2 …
function tieLetter(set) {
  const round = Math.floor(set / 26);
  return String.fromCharCode(97 + (set % 26)) + (round || "");
}

// A pale color of its own for each of many weights: neighbors differ (steps of the golden angle).
function ownColor(i) {
  const hue = Math.round((i * 137.508) % 360);
  return lightDark([`hsl(${hue} 48% 83%)`, `hsl(${hue} 26% 29%)`]);
}
const OWN_INK = "light-dark(#1f2937, #e5e7eb)";

// What is a lit line beside a pale cell: the same hue, strong enough for an edge of a network.
function ownLine(i) {
  const hue = Math.round((i * 137.508) % 360);
  return lightDark([`hsl(${hue} 38% 62%)`, `hsl(${hue} 30% 52%)`]);
}

// A grid whose cells are painted one by one: look(i) gives { fill, ink, text, marked }, or null for an empty cell.
// Only cells that changed are touched, so that a step of a large matrix costs a row, not the whole.
class TieGrid extends Grid {
  make() {
    this.light(null);
    super.make();
    this.made.numberLayer.before(this.hatching); // under the letters
    this.painted = [];
  }

  layout(options) {
    const kept = [this.cell, this.x, this.y];
    super.layout(options);
    if (String(kept) !== String([this.cell, this.x, this.y])) this.painted = [];
    // Where no text fits, thousands of empty text nodes would only cost time.
    put(this.made.numberLayer, { display: this.cell >= 13 ? null : "none" });
    return this;
  }

  paint(look) {
    let marks = "";
    this.boxes.forEach((box, i) => {
      const seen = look(i);
      const key = seen ? `${seen.fill}|${seen.ink}|${seen.text}` : "";
      if (seen?.marked) marks += this.corners(i);
      if (this.painted[i] === key) return;
      this.painted[i] = key;
      put(box, { class: seen ? null : "empty", style: seen && `fill: ${seen.fill}` });
      const text = seen?.text ?? "";
      const letter = text.length * 7.6 < this.cell - 3 ? 12.5 : 11;
      const fits = this.cell >= 13 && text.length * letter * 0.58 <= this.cell - 2;
      this.write(i, fits ? text : "", seen && `font-size: ${letter}px; fill: ${seen.ink}`);
    });
    put(this.hatching, { d: marks });
    return this;
  }

  // Strokes over two opposite corners, which leave the middle to the letter.
  corners(i) {
    const [x, y] = [this.x + (i % this.columns) * this.cell, this.top + Math.floor(i / this.columns) * this.cell];
    const [edge, size, cut] = [this.gap / 2, this.cell - this.gap / 2, this.cell * 0.36];
    return `M${x + edge} ${y + cut}L${x + cut} ${y + edge}M${x + this.cell - cut} ${y + size}L${x + size} ${y + this.cell - cut}`;
  }

  // Bring out these cells, if any; the style sheet lets the others step back.
  light(cells) {
    for (const i of this.lit ?? []) for (const node of [this.boxes[i], this.numbers[i]]) node?.removeAttribute("data-lit");
    this.lit = cells ?? [];
    for (const i of this.lit) for (const node of [this.boxes[i], this.numbers[i]]) put(node, { "data-lit": true });
    put(this.node, { "data-lighting": Boolean(cells) });
  }

  // Lines between blocks of so many rows and columns.
  ruled(rows, columns) {
    this.rules ??= this.over.insertBefore(s("path", { class: "rules" }), this.over.firstChild);
    const [right, bottom] = [this.x + this.width, this.bottom];
    let d = "";
    for (let r = rows; rows && r < this.rows; r += rows) d += `M${this.x} ${this.top + r * this.cell}H${right}`;
    for (let c = columns; columns && c < this.columns; c += columns) d += `M${this.x + c * this.cell} ${this.top}V${bottom}`;
    put(this.rules, { d });
    return this;
  }
}
