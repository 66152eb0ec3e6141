// One order: its counters, its net that fills with numbers, and its timeline. Nodes are made when a shape changes.
class OrderPanel {
  constructor({ name, title, note, onSeek, onUnit, onPick }) {
    Object.assign(this, { name, title, note, onUnit, onPick, made: "" });
    this.heading = s("text", { class: "strong panel-title" });
    this.under = s("text", { class: "small" });
    this.stats = ["multiply-adds", "computed again", "scores ready", "numbers kept"].map((label) => ({
      value: s("text", { class: "stat" }),
      label: s("text", { class: "small", text: label }),
    }));
    this.labels = s("g", {});
    this.images = s("g", {});
    this.sheets = s("path", { class: "sheets" });
    this.units = s("g", { class: "units" });
    this.link = s("path", { class: "link" });
    this.marks = ["window", "reads", "unit", "look"].map((kind) =>
      s("g", { class: `mark ${kind}` }, s("path", { class: "halo" }), s("path", { class: "line" })),
    );
    const keys = { tabindex: 0, role: "group", keydown: (event) => this.key(event), blur: () => this.onUnit(null) };
    this.net = s("g", { class: "net", "data-panel": name, ...keys }, this.labels, this.images, this.sheets, this.link, this.units, ...this.marks);
    put(this.net, { pointermove: (event) => this.point(event), pointerleave: () => this.onUnit(null), click: (event) => this.click(event) });
    this.timeline = new Timeline(onSeek);
    const texts = this.stats.flatMap(({ value, label }) => [value, label]);
    this.node = s("g", { class: `order ${name}` }, this.heading, this.under, ...texts, this.net, this.timeline.node);
  }

  // ---- sizes

  layout(now, { x, y, width }) {
    this.now = now;
    const { layers } = now.net;
    put(this.heading, { x, y: y + 14, text: this.title });
    put(this.under, { x, y: y + 31, text: this.note });
    const across = width < 380 ? 2 : 4;
    this.stats.forEach(({ value, label }, i) => {
      const share = across === 2 ? (i % 2) / 2 : [0, 0.33, 0.58, 0.78][i];
      const place = { x: x + share * width, y: y + 60 + Math.floor(i / across) * 40 };
      put(value, place);
      put(label, { x: place.x, y: place.y + 15 });
    });
    this.maps = layoutNet(now.net, { x, y: y + (across === 2 ? 132 : 92), width });
    const words = ["input", ...layers.map((_, i) => (i === layers.length - 1 ? "scores" : `layer ${i + 1}`))];
    this.labels.replaceChildren(
      ...this.maps.map(({ top, height }, i) =>
        s("text", { class: "small", x: x + LABELS - 8, y: top + height / 2, "text-anchor": "end", "dominant-baseline": "central", text: words[i] }),
      ),
    );
    // On two axes each map lies in a faint outline of the input, so that a unit is seen to sit where it looks.
    const outline = (map) => Array.from({ length: map.counts }, (_, d) => boxOf({ ...map, jumps: [1, 1], shift: [0, 0] }, d, [0, 0], map.size));
    put(this.sheets, { d: this.maps[0].rank === 1 ? "" : pathOf(this.maps.slice(1).flatMap(outline)) });
    this.make(now.net);
    this.drawInput(now.net);
    const end = this.maps[this.maps.length - 1];
    this.timeline.layout({ x, y: end.top + end.height + 34, width, lanes: layers.length, longest: now.longest });
    this.timeline.fill(stretches(this.ran, layers), this.ran.total);
    put(this.net, { "aria-label": `${this.title}: the numbers of each layer. Arrow keys choose a unit, Enter goes to the time when it is computed.` });
    return this.timeline.y + this.timeline.height;
  }

  get ran() {
    return this.name === "window-first" ? this.now.windowFirst : this.now.layerFirst;
  }

  make(net) {
    const shape = JSON.stringify(this.maps.map(({ places, counts }) => [places, counts]));
    if (shape !== this.made) {
      this.boxes = net.layers.map((_, i) => {
        const { places, counts } = this.maps[i + 1];
        return Array.from({ length: product(places) * counts }, () => ({ rect: s("rect", {}), text: s("text", { class: "times" }) }));
      });
      this.found = new Map(this.boxes.flatMap((boxes, i) => boxes.map(({ rect }, at) => [rect, { layer: i + 1, at }])));
      this.units.replaceChildren(...this.boxes.flat().flatMap(({ rect, text }) => [rect, text]));
      this.made = shape;
    }
    this.cursor = null;
    this.boxes.forEach((boxes, i) => {
      const map = this.maps[i + 1];
      boxes.forEach(({ rect, text }, at) => {
        const [d, ...place] = unravel(at, [map.counts, ...map.places]);
        const box = boxOf(map, d, place);
        put(rect, inset(box, box.width > 9 ? 1 : 0.4));
        put(text, { x: box.x + box.width / 2, y: box.y + box.height / 2 });
        text.roomy = box.width >= 19 && box.height >= 13 ? box.width : 0;
      });
    });
  }

  drawInput({ x, geometry }) {
    const [map] = this.maps;
    const scale = scaleFor(x);
    const [rows, columns] = map.rank === 1 ? [map.counts, map.places[0]] : map.places;
    const planes = map.rank === 1 ? 1 : map.counts;
    const zero = map.places.map(() => 0);
    this.images.replaceChildren(
      ...Array.from({ length: planes }, (_, c) => {
        const box = map.rank === 1 ? regionOf(map, zero, geometry.size)[0] : boxOf(map, c, zero, geometry.size);
        return new Raster().layout(box).paint(rows, columns, (r, k) => scale(x[(c * rows + r) * columns + k])).node;
      }),
    );
  }

  // ---- numbers

  // The picture at a time: which units are there, how often they were computed, what is being read.
  draw(clock) {
    const { ran, now } = this;
    const top = now.net.layers.length;
    this.state = stateAt(ran, clock, top);
    const { finished, done, again, kept, ready } = this.state;
    const scores = now.net.geometry.maps[top].reduce((a, b) => a * b, 1) * now.net.layers[top - 1].features;
    const rest = [`of ${thousands(ran.total)}`, "", `of ${thousands(scores)}`, `peak ${thousands(peakOf(ran))}`];
    [done, again, ready, kept].forEach((value, i) => {
      this.stats[i].value.replaceChildren(thousands(value), s("tspan", { class: "small", dx: 5, text: rest[i] }));
    });
    this.fillUnits(clock);
    this.timeline.go(clock);
    this.markUnit(finished - 1);
  }

  fillUnits(clock) {
    const { times, scales, values } = this.now.looks[this.name];
    const top = this.boxes.length - 1;
    this.boxes.forEach((boxes, i) => {
      boxes.forEach(({ rect, text }, at) => {
        const counted = times[i][at];
        let count = 0;
        while (count < counted.length && counted[count] <= clock) count += 1;
        if (rect.count === count && rect.look === this.now) return;
        Object.assign(rect, { count, look: this.now });
        const color = count ? scales[i](values[i][at]) : null;
        put(rect, { fill: color && css(color), class: count > 1 ? "again" : count ? "done" : counted.length ? "empty" : "empty never" });
        const words = count > 1 ? `×${count}` : count && i === top ? short(values[i][at], text.roomy ? 2 : 1) : "";
        put(text, { text: text.roomy && words.length * 6.6 < text.roomy ? words : "", style: color && `fill: ${inkOn(color)}` });
      });
    });
  }

  // The unit finished last, what it reads in the layer below, and in window-first the window it belongs to.
  markUnit(e) {
    const [window, reads, unit] = this.marks;
    const done = this.ran.total <= this.now.clock;
    if (e < 0 || done) {
      for (const mark of [window, reads, unit]) this.mark(mark, []);
      put(this.link, { d: "" });
      return;
    }
    const { order } = this.ran;
    const { geometry, layers } = this.now.net;
    const [i, d] = [order.layer[e], order.neuron[e]];
    const place = unravel(order.place[e], geometry.maps[i]);
    const { stride, kernel } = layers[i - 1];
    const from = place.map((p, a) => p * stride[a]);
    this.mark(reads, regionOf(this.maps[i - 1], from, kernel));
    this.mark(unit, [boxOf(this.maps[i], d, place)]);
    const at = order.window[e] < 0 ? null : unravel(order.window[e], geometry.maps[layers.length]);
    this.mark(window, at ? regionOf(this.maps[0], at.map((p, a) => p * geometry.above[0][a]), geometry.field) : []);
    put(unit, { class: `mark unit${order.again[e] ? " repeated" : ""}` });
    put(this.link, { d: this.funnel(i, from, kernel, d, place) });
  }

  funnel(i, from, kernel, d, place) {
    const [below, here] = [regionOf(this.maps[i - 1], from, kernel)[0], boxOf(this.maps[i], d, place)];
    if (this.maps[0].rank > 1) return "";
    return `M${below.x} ${below.y + below.height}H${below.x + below.width}L${here.x + here.width} ${here.y}H${here.x}Z`;
  }

  mark(node, boxes) {
    const d = pathOf(boxes.map((box) => inset(box, -0.5)));
    for (const path of node.children) put(path, { d });
  }

  // ---- hands

  point(event) {
    const unit = this.found.get(event.target);
    if (unit) return this.onUnit(unit, this);
    const [map] = this.maps;
    const stage = this.node.closest(".stage").getBoundingClientRect();
    const [x, y] = [event.clientX - stage.left, event.clientY - stage.top];
    if (y < map.top || y > map.top + map.height) return this.onUnit(null);
    const seek = (d, place) => {
      const box = boxOf(map, d, place);
      return x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
    };
    const all = [...positions([map.counts, ...map.places])];
    const at = all.findIndex(([d, ...place]) => seek(d, place));
    return this.onUnit(at < 0 ? null : { layer: 0, at }, this);
  }

  click(event) {
    const unit = this.found.get(event.target);
    if (unit) this.onPick(unit, this);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (event.key in moves) this.moveCursor(...moves[event.key]);
    else if (event.key === "Enter" && this.cursor) this.onPick(this.cursor, this);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Up and down go through the neurons of one layer after the other, left and right through the places.
  moveCursor(down, right) {
    const rows = this.maps.flatMap(({ counts }, layer) => Array.from({ length: counts }, (_, d) => [layer, d]));
    const { layer, at } = this.cursor ?? { layer: 1, at: 0 };
    const plane = product(this.maps[layer].places);
    let row = rows.findIndex(([i, d]) => i === layer && d === Math.floor(at / plane));
    if (this.cursor) row = Math.min(Math.max(row + down, 0), rows.length - 1);
    const [i, d] = rows[row];
    const here = product(this.maps[i].places);
    const place = Math.min(Math.max((at % plane) + (this.cursor ? right : 0), 0), here - 1);
    this.cursor = { layer: i, at: d * here + place };
    this.onUnit(this.cursor, this);
  }

  // A frame around a unit and around the inputs that it sees; returns the middle of its lower edge. null for none.
  look(unit) {
    const mark = this.marks[3];
    if (!unit) return this.mark(mark, []);
    const map = this.maps[unit.layer];
    const [d, ...place] = unravel(unit.at, [map.counts, ...map.places]);
    const box = boxOf(map, d, place);
    const { from, count } = fieldOf(this.now.net.layers, unit.layer, place);
    this.mark(mark, unit.layer ? [box, ...regionOf(this.maps[0], from, count)] : [box]);
    return [box.x + box.width / 2, box.y + box.height];
  }
}
