// Why blocks do not cover: what a level looks at along one axis as cells, its blocks as brackets, what is left hatched.
class CoverSketch {
  constructor() {
    this.node = s("g", { class: "cover" });
  }

  layout({ level = 0, size, kernel, stride, covered }, width) {
    if (!size) {
      this.node.replaceChildren();
      return 8;
    }
    const cell = Math.min(40, (width - 4) / Math.max(size, kernel));
    const cells = Array.from({ length: size }, (_, i) => ({ x: 2 + i * cell, y: 26, width: cell, height: 22 }));
    const left = cells.slice(covered);
    const count = Math.max(0, Math.floor((size - kernel) / stride) + 1);
    const starts = count ? Array.from({ length: count }, (_, i) => i * stride) : [0];
    const bracket = (start, i) => {
      const [from, to, y] = [2 + start * cell + 2, 2 + (start + kernel) * cell - 2, 60 + (i % 3) * 16];
      return `M${from} ${y - 6}V${y}H${to}V${y - 6}`;
    };
    const what = level ? `places of ${LETTERS[level - 1]}` : "inputs";
    const stripes = left.map(({ x, y, width: w, height }) => `M${x} ${y + height}L${x + w} ${y}`).join("");
    this.node.replaceChildren(
      s("text", { class: "title", x: 2, y: 14, text: `Level ${level + 1}: ${plural(count, "block")} of ${kernel} at hop ${stride} on ${size} ${what}` }),
      s("path", { class: "cells", d: pathOf(cells.map((box) => inset(box, 1))) }),
      s("path", { class: "left", d: pathOf(left.map((box) => inset(box, 1))) + stripes }),
      s("path", { class: "bracket", d: starts.map(bracket).join("") }),
    );
    return 60 + Math.min(starts.length, 3) * 16;
  }
}
