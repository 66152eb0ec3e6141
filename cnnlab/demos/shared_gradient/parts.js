// Where everything stands, and the sliders below it.
class GradientParts extends DemoView {
  settings() {
    const { rank } = this.data;
    this.value = slider({ name: "value", label: "Value", min: -2, max: 2, step: 0.05, show: (value) => short(value, 4), onInput: (value) => this.editWeight(value) });
    this.rateSlider = slider({ name: "rate", label: "Learning rate η", min: 0.001, max: 1, step: 0.001, show: (value) => short(Number(value), 6), onInput: (rate) => this.change({ rate }) });
    this.hSlider = slider({
      ...{ name: "h", label: "Numeric gradient, h", min: -8, max: 0, step: 1, show: (power) => short(10 ** power, 8) },
      onInput: (power) => this.change({ h: Number(`1e${power}`) }),
    });
    const axes = rank === 1 ? [[1, ""]] : [[0, ", height"], [1, ", width"]];
    this.sizeSliders = [["stride", "Stride", 1, 4], ["padding", "Padding", 0, 3]].flatMap(([name, label, min, max]) =>
      axes.map(([i, axis]) => {
        const control = slider({
          ...{ name: `${name}${axis.replace(", ", "-")}`, label: label + axis, min, max: Math.max(max, this[name][i]), value: this[name][i] },
          onInput: (value) => this.resizeTo({ [name]: this[name].map((old, j) => (j === i ? value : old)) }),
        });
        return { control, name, i };
      }),
    );
    this.wrong = [
      ["show_mean", "Show the mean", "Wrong: too small by the number of edges."],
      ["show_last", "Show “last edge wins”", "Wrong: dw[t] = … where dw[t] += … is meant."],
    ].map(([name, label, note]) => [name, toggle({ name, label, note, value: this[name], onInput: (on) => this.change({ [name]: on }) })]);
    const sizes = this.sizeSliders.map(({ control }) => control.node);
    this.training.controls.prepend(this.rateSlider.node);
    return h("div", { class: "settings" }, this.value.node, this.hSlider.node, ...sizes, ...this.wrong.map(([, { node }]) => node));
  }

  drawControls() {
    const { now: model, names, tap } = this;
    const widest = Math.max(2, 2 * Math.abs(model.weights[tap]));
    put(this.value.node.querySelector(".control-name"), { text: `Value of ${tieLetter(tap)} = ${names.tap(tap)}` });
    if (!this.value.input.matches(":active")) this.value.range(-widest, widest, 0.05);
    this.value.set(model.weights[tap]);
    this.hSlider.set(Math.round(Math.log10(this.h)));
    const fixed = model.given ? "dy" : this.target.length ? "target" : null;
    for (const { control, name, i } of this.sizeSliders) {
      control.set(this[name][i]);
      control.disable(fixed ? `Fixed: ${fixed} has one value for each of ${plural(model.y.length, "output")}.` : "");
    }
    for (const [name, control] of this.wrong) control.set(this[name]);
    const best = bestRate(model);
    if (!this.rateSlider.input.matches(":active")) {
      this.mostRate = Math.max(best ? roundUp(2.6 * best) : 1, this.rate);
      this.rateSlider.range(this.mostRate / 200, this.mostRate, this.mostRate / 200);
    }
    this.rateSlider.set(this.rate);
  }

  // ---- places

  layout(width) {
    this.now = gradientModel(this);
    this.tap = Math.min(this.tap, this.now.weights.length - 1);
    const count = this.now.edges[this.tap].length;
    this.steps.resize(count + 1, Math.min(this.step, count));
    this.step = this.steps.at;
    const narrow = width < 640;
    const bottom = this.data.rank === 1 ? this.layRows(width, narrow) : this.layPlanes(width, narrow);
    this.waterfall.layout({ x: 2, y: bottom + 22, width: width - 4, height: narrow ? 200 : 230 });
    put(this.svg, { width, height: bottom + 22 + this.waterfall.height + 6 });
    this.training.layout(width, this.now);
  }

  // The grids of outputs, from the one farthest from the edges: target and y make dy.
  upper() {
    return this.now.given ? [this.yGrid, this.dyGrid] : [this.targetGrid, this.yGrid, this.dyGrid];
  }

  label(grid, text, x, y, anchor = "end") {
    return s("text", { class: "title", x, y, "text-anchor": anchor, text, "data-of": grid.name });
  }

  // One axis: kernel and gradient at the left, the outputs above the inputs at the right, edges between them.
  layRows(width, narrow) {
    const { weights, sizes, outputs, kernel, axes } = this.now;
    const tapCell = Math.max(18, Math.min(48, Math.floor((narrow ? width - 4 : width * 0.3) / weights.length)));
    this.kernel.layout({ x: 2, y: 2, cell: tapCell, rows: 1, columns: weights.length });
    const beside = narrow && 2 * this.kernel.width + 30 < width;
    const second = beside ? { x: this.kernel.x + this.kernel.width + 30, y: 2 } : { x: 2, y: this.kernel.bottom + 16 };
    this.slopes.layout({ ...second, cell: tapCell, rows: 1, columns: weights.length });
    const names = narrow ? 46 : 78;
    let left = narrow ? 2 + names : Math.max(this.kernel.width + 40, 190) + names;
    const middle = (o) => o * axes[1].stride - axes[1].before + (kernel[1] - 1) / 2;
    const center = (middle(0) + middle(outputs[1] - 1)) / 2;
    const [low, high] = [Math.min(0, center - (outputs[1] - 1) / 2), Math.max(sizes[1] - 1, center + (outputs[1] - 1) / 2)];
    const cell = Math.max(8, Math.min(48, Math.floor((width - left - 4) / (high - low + 1))));
    left += Math.max(0, Math.floor((width - left - (high - low + 1) * cell) / 2) - (narrow ? 0 : names / 2));
    let y = narrow ? this.slopes.bottom + 14 : 2;
    const over = left + (center - (outputs[1] - 1) / 2 - low) * cell;
    const labels = [];
    for (const grid of [this.targetGrid, this.yGrid, this.dyGrid]) put(grid.node, { visibility: this.upper().includes(grid) ? null : "hidden" });
    for (const grid of this.upper()) {
      grid.layout({ x: over, y, cell, rows: 1, columns: outputs[1], heading: false });
      labels.push(this.label(grid, this.rowName(grid, narrow), over - 8, y + cell / 2 + 4));
      y = grid.bottom + 5;
    }
    y += narrow ? 62 : 84;
    this.xGrid.layout({ x: left - low * cell, y, cell, rows: 1, columns: sizes[1], heading: false });
    labels.push(this.label(this.xGrid, "x", this.xGrid.x - 8, y + cell / 2 + 4));
    this.labels.replaceChildren(...labels);
    return Math.max(this.xGrid.bottom, this.slopes.bottom);
  }

  rowName(grid, narrow) {
    if (grid === this.dyGrid) return narrow || this.now.given ? "dy" : "dy = y − t";
    return grid === this.targetGrid ? (narrow ? "t" : "target t") : "y";
  }

  // Two axes: kernel and gradient, the input, and beside it the outputs, so that an edge crosses nothing.
  layPlanes(width, narrow) {
    const { sizes, outputs, kernel } = this.now;
    this.labels.replaceChildren();
    for (const grid of [this.targetGrid, this.yGrid, this.dyGrid]) put(grid.node, { visibility: this.upper().includes(grid) ? null : "hidden" });
    const outs = [...this.upper()].reverse();
    const gap = narrow ? 22 : 40;
    const titled = (columns, cell) => Math.max(columns * cell, 62);
    const first = (cell) => Math.max(titled(kernel[1], cell), 118);
    const total = (cell) => first(cell) + titled(sizes[1], cell) + outs.length * titled(outputs[1], cell) + (outs.length + 1) * gap + 4;
    const sizesOf = [40, 36, 32, 28, 25, 22, 19, 17, 15];
    const cell = narrow ? Math.min(30, Math.floor((width - gap - 4) / (sizes[1] + outputs[1]))) : (sizesOf.find((size) => total(size) <= width) ?? 13);
    const place = (grid, x, y, [rows, columns]) => grid.layout({ x, y, cell, rows, columns });
    if (narrow) {
      const tapCell = Math.min(40, Math.floor((width / 2 - 16) / kernel[1]));
      this.kernel.layout({ x: 2, y: 2, cell: tapCell, rows: kernel[0], columns: kernel[1] });
      this.slopes.layout({ x: Math.round(width / 2), y: 2, cell: tapCell, rows: kernel[0], columns: kernel[1] });
      const top = this.kernel.bottom + 14;
      place(this.xGrid, 2, top, sizes);
      place(outs[0], this.xGrid.x + this.xGrid.width + gap, top, outputs);
      const under = Math.max(this.xGrid.bottom, outs[0].bottom + 26) + 14;
      outs.slice(1).forEach((grid, i) => place(grid, 2 + i * (titled(outputs[1], cell) + gap), under, outputs));
      return outs.at(-1).bottom + (outs.length > 1 ? 0 : 26);
    }
    const tapCell = Math.max(cell, Math.min(44, Math.floor(118 / kernel[1])));
    const lay = (grid, y) => grid.layout({ x: 2, y, cell: tapCell, rows: kernel[0], columns: kernel[1] });
    lay(this.kernel, 2);
    lay(this.slopes, this.kernel.bottom + 14);
    let x = 2 + first(cell) + gap;
    place(this.xGrid, x, 2, sizes);
    x += titled(sizes[1], cell) + gap;
    for (const grid of outs) {
      place(grid, x, 2, outputs);
      x += titled(outputs[1], cell) + gap;
    }
    return Math.max(this.slopes.bottom, this.xGrid.bottom, outs[0].bottom + 26);
  }
}

// The next of 1, 2, 5, 10 … above a number.
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((lead) => Number((lead * power).toPrecision(6))).find((round) => round >= value);
}
