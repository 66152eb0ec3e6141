// Where everything stands, and the sliders below it.
const SIZES = [
  ["n", "Inputs"],
  ["stride", "Stride"],
  ["padding", "Padding"],
];

const n1 = (view) => view.data.rank === 1;

class MatrixParts extends DemoView {
  // ---- parts

  settings() {
    const axes = n1(this) ? [""] : [", height", ", width"];
    this.sliders = [];
    const rows = SIZES.map(([name, label]) => {
      const controls = axes.map((axis, i) => {
        const control = slider({
          ...{ name: `${name}${axis.replace(", ", "-")}`, label: label + axis, min: 0, max: 4, value: this[name][i] },
          onInput: (value) => this.resizeTo({ [name]: this[name].map((old, j) => (j === i ? value : old)) }),
        });
        this.sliders.push([control, name, i]);
        return control.node;
      });
      return axes.length === 1 ? controls[0] : h("div", { class: "pair" }, ...controls);
    });
    this.value = slider({ name: "value", label: "Value of the pinned weight", min: -2, max: 2, step: 0.05, show: (value) => (this.pinnedSet() === null ? "–" : short(value, 4)), onInput: (value) => this.editWeight(value) });
    this.shown = choice({
      ...{ name: "cells", label: "In the shared cells", options: [["letters", "letters"], ["values", "values"]], value: this.cells },
      onInput: (cells) => this.change({ cells }),
    });
    this.biased = toggle({
      ...{ name: "bias", label: "Count biases", value: this.bias, note: "One an output; shared, one a filter." },
      onInput: (bias) => this.change({ bias }),
    });
    return h("div", { class: "settings" }, ...rows, this.value.node, this.shown.node, this.biased.node);
  }

  drawControls() {
    const { now } = this;
    for (const [control, name, i] of this.sliders) {
      const [least, most] = this.span(name, i);
      control.range(least, Math.max(most, this[name][i]), 1);
      control.set(this[name][i]);
      if (name === "n") control.disable(this.x.length ? `Fixed: x has ${this.x.flat(Infinity).length} values.` : "");
    }
    const set = this.pinnedSet();
    const [widest] = [Math.max(2, ...now.weights.map((value) => 2 * Math.abs(value)))];
    put(this.value.node.querySelector(".control-name"), { text: set === null ? "Value of the pinned weight" : `Value of ${tieLetter(set)} = ${this.names.weight(set)}` });
    if (this.value.limit !== widest && !this.value.input.matches(":active")) this.value.range(-(this.value.limit = widest), widest, 0.05);
    this.value.set(set === null ? 0 : now.weights[set]);
    this.value.disable(set === null ? (this.picked.length ? "That row does not share yet: its weights are its own." : "Click a shared weight to pin it; a change goes to all its places.") : "");
    this.shown.set(this.cells);
    this.biased.set(this.bias);
  }

  // From where to where a slider goes, so that the kernel fits and the matrix can be drawn.
  span(name, i) {
    const { now } = this;
    if (name !== "n") return [name === "stride" ? 1 : 0, name === "stride" ? 4 : Math.max(3, now.kernel[i] - 1)];
    const fits = (size) => {
      const n = this.n.map((old, j) => (j === i ? size : old));
      const outputs = n.map((width, j) => outputSize(width, now.axes[j]));
      return now.depth * product(n) <= this.data.limits[1] && now.filters * product(outputs) <= this.data.limits[0];
    };
    let most = this.n[i];
    while (fits(most + 1)) most += 1;
    return [Math.max(1, now.kernel[i] - 2 * this.padding[i]), most];
  }

  // ---- places

  layout(width) {
    this.now = giantModel(this, this.data.limits);
    const { rows, columns } = this.now;
    this.steps.resize(2 * rows + 1, Math.round(this.morph * rows));
    if (this.picked[0] >= rows || this.picked[1] >= columns) this.picked = [];
    if (this.hover && !this.known(this.hover)) this.hover = null;
    const narrow = width < 640;
    // Beside the matrix stands the network; where the matrix needs the width, or there are planes, they stand below it.
    const beside = !narrow && n1(this) && this.cellFor(width * 0.56) >= 11;
    const cell = this.cellFor(beside ? width * 0.56 : width);
    let top = narrow ? this.layKernel(2, 2, width).bottom + 18 : 2;
    top = this.layMatrix(26, top, cell);
    const right = beside ? Math.max(this.matrix.x + this.matrix.width + (this.x.length ? cell * 1.6 : 0) + 34, width * 0.42) : 2;
    const bottom = n1(this) ? this.layNetwork({ right, top, width, beside, narrow }) : this.layPlanes({ top, width, narrow });
    put(this.svg, { width, height: Math.max(top, bottom) + 6, class: rows * columns > 600 ? "many" : null });
  }

  cellFor(room) {
    const cell = (room - 28) / (this.now.columns + (this.x.length ? 1.6 : 0));
    return cell >= 8 ? Math.min(34, Math.floor(cell)) : Math.floor(cell * 4) / 4;
  }

  layKernel(x, y, room) {
    const { filters, depth, kernel } = this.now;
    const [rows, columns] = [filters * (kernel.length === 2 ? kernel[0] : 1), depth * kernel.at(-1)];
    const cell = Math.max(10, Math.min(rows > 3 ? 32 : 44, Math.floor(room / columns)));
    return this.kernel.layout({ x, y, cell, rows, columns });
  }

  layMatrix(x, top, cell) {
    const { rows, columns, filters, depth, plane, spots } = this.now;
    const head = top + 12;
    put(this.heading, { x, y: head });
    this.heading.replaceChildren("Weight matrix W", s("tspan", { class: "size", dx: 8, text: this.matrix.sizeWords(rows, columns) }));
    const hasX = this.x.length > 0;
    let y = head + (cell >= 8 ? 24 : 10);
    if (hasX) y = this.inputs.layout({ x, y: y + 2, cell, rows: 1, columns, heading: false }).bottom + 8;
    this.matrix.layout({ x, y, cell, rows, columns, heading: false }).ruled(filters > 1 ? spots : 0, depth > 1 ? plane : 0);
    if (hasX) this.outputs.layout({ x: x + this.matrix.width + Math.round(cell * 0.5), y, cell, rows, columns: 1, heading: false });
    for (const grid of [this.inputs, this.outputs]) put(grid.node, { visibility: hasX ? null : "hidden", tabindex: grid === this.inputs && hasX ? 0 : null });
    this.drawTicks({ x, y, cell, head, hasX });
    return this.matrix.bottom;
  }

  layNetwork({ right, top, width, beside, narrow }) {
    let under = top + 34;
    if (beside) under = this.layKernel(right, 2, width - right - 2).bottom + 30;
    else if (!narrow) under = this.layKernel(2, top + 20, width).bottom + 30;
    const height = beside ? Math.min(330, Math.max(210, top - under - 12)) : narrow ? 220 : 250;
    this.network.layout({ x: right, y: under, width: width - right - 2, height, model: this.now });
    return under + height + 14;
  }

  layPlanes({ top, width, narrow }) {
    const kernelWide = narrow ? 0 : Math.max(150, this.layKernel(2, 2, width * 0.34).width);
    this.planes.layout({ x: 2, y: top + 20, width: width - 4, model: this.now, aside: { kernelWide, gap: 44 } });
    const { kernelAt, signs, level } = this.planes;
    let { bottom } = this.planes;
    if (kernelAt) bottom = Math.max(bottom, this.layKernel(kernelAt.x, kernelAt.y, width * 0.34).bottom);
    else if (!narrow) bottom = this.layKernel(2, bottom + 18, width).bottom;
    this.signs.forEach((sign, i) => put(sign, { x: signs?.[i], y: level, visibility: signs ? null : "hidden" }));
    return bottom;
  }

  // Indices along both sides; within each channel they count in C order.
  drawTicks({ x, y, cell, head, hasX }) {
    const { rows, columns, plane, spots } = this.now;
    const above = hasX ? this.inputs.top : y;
    const tick = (at, text, place) => s("text", { class: "tick", ...place(at), text });
    const line = (count, size, place, wide) => {
      const every = [1, 2, 5, 10, 20].find((step) => step * cell >= wide) ?? 50;
      return Array.from({ length: count }, (_, i) => i).filter((i) => (i % size) % every === 0).map((i) => tick(i, i % size, place));
    };
    const across = (i) => ({ x: x + (i + 0.5) * cell, y: above - 5, "text-anchor": "middle" });
    const down = (i) => ({ x: x - 6, y: y + (i + 0.5) * cell + 4, "text-anchor": "end" });
    const names = hasX ? [s("text", { class: "title", x: x - 6, y: this.inputs.top + cell / 2 + 4, "text-anchor": "end", text: "x" }), s("text", { class: "title", x: this.outputs.x + cell / 2, y: y - 6, "text-anchor": "middle", text: "y" })] : [];
    this.ticks.replaceChildren(...(above - head > 16 ? line(columns, plane, across, plane > 10 ? 19 : 13) : []), ...line(rows, spots, down, 13), ...names);
  }
}
