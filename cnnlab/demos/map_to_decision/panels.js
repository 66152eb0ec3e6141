// The controls, and the pointer on the map and the curve.
function decisionSettings(view) {
  const { shape } = view;
  const [rows, columns] = shape;
  const sliders = [];
  const add = (options, read) => {
    const control = slider({ ...options, value: read() });
    sliders.push([control, read]);
    return control;
  };
  const how = choice({
    ...{ name: "how", label: "Way shown large", options: view.now.ways.map((way) => [way.how, NAMES[way.how]]), value: view.how },
    onInput: (next) => view.change({ how: next }),
  });
  const temperature = add(
    {
      ...{ name: "temperature", label: "Temperature τ", min: POWERS[0], max: POWERS[1], step: 0.01 },
      show: (power) => temperatureWords(10 ** power),
      onInput: (power) => view.change({ temperature: Number((10 ** power).toPrecision(3)) }),
    },
    () => Math.log10(view.temperature),
  );
  const cell = add({ name: "cell", label: "Cell", min: 0, max: rows * columns - 1, show: (i) => cellName(Number(i), shape).replace("cell ", ""), onInput: (i) => view.change({ cell: i }) }, () => view.cell);
  const value = add({ name: "value", label: "Its score", step: "any", show: (v) => short(Number(v), 2), onInput: (v) => view.setCell(view.cell, v) }, () => view.now.y[view.cell]);
  const right = add({ name: "shift-column", label: "Map moved right", min: 1 - columns, max: columns - 1, onInput: (by) => view.change({ shift: [view.shift[0], by] }) }, () => view.shift[1]);
  const down = add({ name: "shift-row", label: "Map moved down", min: 1 - rows, max: rows - 1, onInput: (by) => view.change({ shift: [by, view.shift[1]] }) }, () => view.shift[0]);
  const wrap = toggle({ name: "wrap", label: "What leaves comes in on the other side", note: "Otherwise it is lost, and the smallest score fills up.", value: view.wrap, onInput: (next) => view.change({ wrap: next }) });
  const threshold = add({ name: "threshold", label: "Threshold", step: 0.1, show: (v) => number(Number(v), 2), onInput: (v) => view.change({ threshold: v }) }, () => view.threshold);
  const offset = add({ name: "offset", label: "Added to every score", min: -200, max: 200, step: 1, show: (v) => signed(Number(v), 0) || "0", onInput: (v) => view.change({ offset: v }) }, () => view.offset);
  const subtract = toggle({ name: "subtract", label: "Subtract the maximum first", note: "In the softmax. Without it: float32, as on a GPU, and it may overflow.", value: view.subtract, onInput: (next) => view.change({ subtract: next }) });
  const reset = h("button", { type: "button", name: "reset", text: "The given map again", click: () => view.change({ scores: view.given, shift: [0, 0], offset: 0 }) });
  view.controls = { sliders, how, wrap, subtract, value, threshold, offset };
  const column = (...nodes) => h("div", { class: "pair" }, ...nodes);
  const moves = rows > 1 ? [right.node, down.node] : [right.node];
  return h("div", { class: "settings" }, column(how.node, temperature.node, subtract.node), column(cell.node, value.node, reset), column(...moves, wrap.node), column(threshold.node, offset.node));
}

// A cell is dragged up and down, the map sideways (a map of two axes as well); the first pixels decide which.
class MapHands {
  constructor(view) {
    Object.assign(this, { view, drag: null });
    const { plot, curve } = view;
    put(plot.area, {
      pointerdown: (event) => this.grab(event),
      pointermove: (event) => (this.drag ? this.pull(event) : this.hover(event)),
      pointerup: () => this.release(),
      pointercancel: () => this.release(),
      pointerleave: () => this.leave(),
    });
    const heat = (event) => view.change({ temperature: curve.temperatureAt(this.place(event)[0]) });
    put(curve.area, {
      pointerdown: (event) => {
        if (event.button) return;
        curve.area.setPointerCapture(event.pointerId);
        heat(event);
      },
      pointermove: (event) => event.buttons && curve.area.hasPointerCapture(event.pointerId) && heat(event),
    });
  }

  place(event) {
    const box = this.view.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  grab(event) {
    if (event.button) return;
    const { view } = this;
    const { plot } = view;
    const [x, y] = this.place(event);
    const cell = plot.cellAt(x, y);
    plot.area.setPointerCapture(event.pointerId);
    view.stage.focus({ preventScroll: true });
    plot.frozen = plot.flat ? [plot.low, plot.high] : null;
    this.drag = { x, y, cell, value: view.now.y[cell], shift: view.shift, range: view.range(), kind: null };
    this.leave();
    view.change({ cell });
  }

  pull(event) {
    const { view, drag } = this;
    const { plot } = view;
    const [x, y] = this.place(event);
    const [right, down] = [x - drag.x, y - drag.y];
    if (!drag.kind && Math.hypot(right, down) > 4) drag.kind = Math.abs(down) >= Math.abs(right) ? "value" : "map";
    if (drag.kind === "value") {
      const unit = plot.flat ? (plot.high - plot.low) / (plot.base - plot.top) : drag.range / 160;
      view.setCell(drag.cell, drag.value - down * unit);
    } else if (drag.kind === "map") {
      const limit = (by, size) => Math.min(Math.max(by, 1 - size), size - 1);
      const columns = limit(drag.shift[1] + Math.round(right / plot.step), view.shape[1]);
      const rows = plot.flat ? 0 : limit(drag.shift[0] + Math.round(down / plot.step), view.shape[0]);
      if (rows !== view.shift[0] || columns !== view.shift[1]) view.change({ shift: [rows, columns] });
    }
  }

  release() {
    this.drag = null;
    this.view.plot.frozen = null;
    this.view.draw();
  }

  hover(event) {
    const { view } = this;
    const [x, y] = this.place(event);
    const cell = view.plot.cellAt(x, y);
    view.plot.outline(view.plot.ghost, cell, view.now);
    const lines = view.now.ways.map(({ how, gradient }) => `${NAMES[how]} ${slope(gradient[cell])}`);
    view.tip.show(x, y - 6, `${cellName(cell, view.shape)}: ${short(view.now.y[cell], 3)}\ndY/dy: ${lines.join(", ")}`);
  }

  leave() {
    this.view.plot.outline(this.view.plot.ghost, null, this.view.now);
    this.view.tip.hide();
  }
}
