// Pointer and files: the flower is dragged where it is touched, the window elsewhere; the map moves the window too.
class Hands {
  constructor(view) {
    Object.assign(this, { view, drag: null });
    const { pictureArea, mapArea } = view.plot;
    for (const [area, inMap] of [[pictureArea, false], [mapArea, true]]) {
      put(area, {
        pointerdown: (event) => this.grab(event, inMap),
        pointermove: (event) => this.move(event, inMap),
        pointerup: () => (this.drag = null),
        pointercancel: () => (this.drag = null),
        pointerleave: () => this.leave(),
      });
    }
    put(view.stage, {
      dragover: (event) => {
        event.preventDefault();
        view.stage.classList.add("drop");
      },
      dragleave: () => view.stage.classList.remove("drop"),
      drop: (event) => {
        event.preventDefault();
        view.stage.classList.remove("drop");
        if (event.dataTransfer.files.length) loadPicture(view, event.dataTransfer.files[0]);
      },
    });
  }

  // Row and column in pixels of the picture, fractions included; in the map's panel the same coordinates hold.
  point(event, inMap) {
    const { plot, svg } = this.view;
    const box = svg.getBoundingClientRect();
    return plot.pointAt(inMap ? plot.right : plot.left, event.clientX - box.left, event.clientY - box.top);
  }

  // The window whose center lies under the pointer.
  windowAt(point) {
    const { scan } = this.view;
    return this.view.snapped(point.map((v, i) => v - scan.size[i] / 2));
  }

  onFlower([row, column]) {
    const { scan, flower_at: corner } = this.view;
    if (!scan.sprite) return false;
    const [height, width] = scan.sprite.size;
    const [r, c] = [Math.floor(row - corner[0]), Math.floor(column - corner[1])];
    return r >= 0 && c >= 0 && r < height && c < width && scan.sprite.mask[r * width + c] > 0.3;
  }

  // Near the window's frame, within 6 pixels of the screen.
  onFrame(point) {
    const { window, scan, plot } = this.view;
    const near = 6 / plot.scale;
    const offset = point.map((v, i) => v - window[i]);
    const inside = offset.every((v, i) => v > -near && v < scan.size[i] + near);
    return inside && offset.some((v, i) => Math.abs(v) < near || Math.abs(v - scan.size[i]) < near);
  }

  grab(event, inMap) {
    if (event.button) return;
    const { view } = this;
    const point = this.point(event, inMap);
    const [flower, frame] = [!inMap && this.onFlower(point), !inMap && this.onFrame(point)];
    const inside = point.every((v, i) => v >= view.window[i] && v < view.window[i] + view.scan.size[i]);
    event.target.setPointerCapture(event.pointerId);
    view.stage.focus({ preventScroll: true });
    if (flower && !frame) this.drag = { what: "flower", from: point, start: view.flower_at };
    else if (!inMap && (inside || frame)) this.drag = { what: "window", from: point, start: view.window };
    else {
      this.drag = { what: "window", from: point, start: point.map((v, i) => v - view.scan.size[i] / 2) };
      this.pull(point);
    }
    view.plot.drawGhost(null);
    view.tip.hide();
  }

  pull(point) {
    const { what, from, start } = this.drag;
    const target = start.map((v, i) => v + point[i] - from[i]);
    if (what === "flower") this.view.moveFlower(target);
    else this.view.moveWindow(target);
  }

  move(event, inMap) {
    const point = this.point(event, inMap);
    if (this.drag) return this.pull(point);
    const { view } = this;
    const found = this.windowAt(point);
    view.plot.drawGhost(found, view.stride);
    event.target.classList.toggle("movable", !inMap && (this.onFlower(point) || this.onFrame(point)));
    const { columns } = { columns: view.map.shape[1] };
    const cell = (found[0] / view.stride[0]) * columns + found[1] / view.stride[1];
    const value = view.shown.values[cell];
    const unknown = Number.isNaN(value) || cell >= view.count;
    const name = view.map_of < 0 ? "score" : `neuron ${view.map_of}`;
    const text = `window at ${at(...found)}\n${unknown ? "not yet scanned" : `${name} ${signed(value, view.digits)}`}`;
    const box = view.svg.getBoundingClientRect();
    return view.tip.show(event.clientX - box.left, event.clientY - box.top - 8, text);
  }

  leave() {
    this.view.plot.drawGhost(null);
    this.view.tip.hide();
  }
}
