// What stands under the picture: what the check said with its hints, what the differences have in common, the suspects.
class Hints {
  constructor({ mistake, hints }, onShow) {
    Object.assign(this, { hints });
    this.list = h("ol", { class: "hints" });
    this.more = h("button", { type: "button", name: "hint", click: () => onShow() });
    const said = h("p", { class: "mistake", text: mistake ?? "" });
    const title = mistake ? h("h4", { text: "What the check found" }) : h("h4", { text: "Hints" });
    this.node = h("div", { class: "panel check" }, title, ...(mistake ? [said] : []), this.list, this.more);
    put(this.node, { hidden: !mistake && !hints.length });
  }

  show(count) {
    const shown = Math.min(count, this.hints.length);
    const old = this.list.childElementCount;
    if (shown < old) this.list.replaceChildren();
    this.list.append(...this.hints.slice(shown < old ? 0 : old, shown).map((text) => h("li", { text })));
    put(this.more, { text: `Show hint ${shown + 1} of ${this.hints.length}`, hidden: shown >= this.hints.length });
  }
}

function findingsPanel(found) {
  const list = h("ul", { class: "found" }, ...found.map(({ kind, words }) => h("li", { "data-kind": kind, text: words })));
  const none = h("p", { class: "none", text: "Nothing simple: no constant, factor, other order or place that explains it." });
  return h("div", { class: "panel findings" }, h("h4", { text: "What the differences have in common" }), found.length ? list : none);
}

// The suspects that match first, then those that come near; the rest is in the numbers.
const MOST_ROWS = 5;

class Suspects {
  constructor() {
    this.body = h("tbody");
    this.title = h("h4", { text: "Suspected mistakes" });
    this.said = h("p", { class: "said" });
    const heads = ["suspect", "this cell", "cells alike"].map((text) => h("th", { text, scope: "col" }));
    this.table = h("table", {}, h("thead", {}, h("tr", {}, ...heads)), this.body);
    this.node = h("div", { class: "panel suspects" }, this.title, this.said, this.table);
  }

  show(rows, words) {
    put(this.node, { hidden: !rows.length });
    put(this.said, { text: words });
    this.body.replaceChildren(
      ...rows.slice(0, Math.max(MOST_ROWS, rows.filter(({ matches }) => matches).length)).map(({ name, here, alike, matches }) =>
        h("tr", { class: matches ? "matches" : "" }, h("td", { text: `${matches ? "✓ " : ""}${name}` }), h("td", { text: here }), h("td", { text: alike })),
      ),
    );
  }
}

// The running sum over the taps, with the numbers that were expected and that came as lines.
class SumChart {
  constructor(onPick) {
    this.node = s("g", { class: "sum-chart" });
    this.onPick = onPick;
  }

  draw({ x, y, width, height }, { sum, taken, expected, got }) {
    const { taps, bias } = sum;
    const sums = [bias, ...taps.map((tap) => tap.sum)];
    const lines = [["expected", expected], ["got", got]].filter(([, value]) => Number.isFinite(value));
    const all = [...sums, ...lines.map(([, value]) => value), 0];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const [left, right, top, bottom] = [x + 8, x + width - 112, y + 28, y + height - 24];
    const across = (k) => left + (k / taps.length) * (right - left);
    const up = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
    const title = s("text", { class: "title label", x, y: y + 12 }, "Running sum", s("tspan", { class: "size", dx: 8, text: `after ${taken} of ${plural(taps.length, "product")}` }));
    const zero = s("path", { class: "grid", d: `M${left} ${up(0)}H${right}` });
    let d = `M${across(0)} ${up(sums[0])}`;
    for (let k = 1; k <= taken; k += 1) d += `H${across(k)}V${up(sums[k])}`;
    const levels = lines.map(([name, value]) => [name, value, up(value)]);
    // Two labels that would lie on each other are moved apart.
    if (levels.length === 2 && Math.abs(levels[0][2] - levels[1][2]) < 17) {
      const middle = (levels[0][2] + levels[1][2]) / 2;
      const order = levels[0][2] <= levels[1][2] ? [-8.5, 8.5] : [8.5, -8.5];
      levels.forEach((line, i) => line.push(middle + order[i]));
    }
    const marks = levels.flatMap(([name, value, at, text = at]) => [
      s("path", { class: `level ${name}`, d: `M${left} ${at}H${right}` }),
      s("text", { class: `level-name ${name}`, x: right + 7, y: text, "dominant-baseline": "central", text: `${name} ${short(value, 3)}` }),
    ]);
    const dot = s("circle", { class: "dot", r: 5, cx: across(taken), cy: up(sums[taken]) });
    const first = s("text", { class: "tick", x: left, y: bottom + 17, text: bias ? `bias ${short(bias, 3)}` : "0" });
    const last = s("text", { class: "tick", x: right, y: bottom + 17, "text-anchor": "end", text: `${taps.length} products` });
    const hit = s("rect", { class: "hit", x: left, y: top - 8, width: Math.max(1, right - left), height: bottom - top + 16 });
    put(hit, { click: (event) => {
      const box = hit.getBoundingClientRect();
      this.onPick(Math.round(((event.clientX - box.left) / box.width) * taps.length));
    } });
    this.node.replaceChildren(title, zero, ...marks, s("path", { class: "running", d }), dot, first, last, hit);
  }
}

const OVERVIEW_NAMES = { expected: "Expected", got: "Got", difference: "Differences" };

// Whole planes as small pictures: where numbers are wrong is seen at a glance; a click takes the cell under it.
class Overviews {
  constructor(onPick) {
    this.parts = new Map();
    this.node = s("g", { class: "overviews", "aria-hidden": "true" });
    this.onPick = onPick;
  }

  layout(name, { x, y, scale, rows, columns, shown }) {
    if (!this.parts.has(name)) this.parts.set(name, this.make(name));
    const part = Object.assign(this.parts.get(name), { x, y: y + 22, scale, rows, columns });
    put(part.group, { visibility: shown ? null : "hidden" });
    put(part.title, { x, y: y + 12 });
    const box = { x, y: y + 22, width: columns * scale, height: rows * scale };
    part.raster.layout(box);
    put(part.hit, box);
    put(part.title, { text: `${OVERVIEW_NAMES[name]}, all ${rows} × ${columns}` });
  }

  make(name) {
    const raster = new Raster();
    const frame = s("g", { class: "frame-pair" }, s("rect", { class: "halo", rx: 2 }), s("rect", { class: "line", rx: 2 }));
    const part = { raster, frame, title: s("text", { class: "title label" }), hit: s("rect", { class: "hit", "data-overview": name }) };
    put(part.hit, { click: (event) => {
      const box = part.hit.getBoundingClientRect();
      const at = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
      this.onPick(at((event.clientY - box.top) / box.height, part.rows), at((event.clientX - box.left) / box.width, part.columns));
    } });
    part.group = s("g", {}, part.title, raster.node, frame, part.hit);
    this.node.append(part.group);
    return part;
  }

  draw(name, { rows, columns, base, from }, shown, values, there, scale) {
    const { x, y, scale: size, raster, frame } = this.parts.get(name);
    raster.paint(rows, columns, (r, c) => (there[base + r * columns + c] ? scale(values[base + r * columns + c]) : [128, 128, 128]));
    for (const rect of frame.children) put(rect, { x: x + from[1] * size, y: y + from[0] * size, width: shown[1] * size, height: shown[0] * size });
  }
}
