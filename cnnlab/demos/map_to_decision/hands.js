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
