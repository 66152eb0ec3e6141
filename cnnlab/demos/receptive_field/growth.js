// Deck row D39: how many layers until one output sees a whole picture, with and without layers of stride 2.
const GROWTHS = [
  [0, "stride 1 only", "flat"],
  [2, "stride 2 in every second layer", "second"],
  [1, "stride 2 in each layer", "each"],
];

class Growth {
  constructor(view) {
    this.view = view;
    this.svg = s("svg", { role: "img", class: "growth" });
    this.words = h("p", { class: "growth-words", "aria-live": "polite" });
    this.target = slider({
      ...{ name: "target", label: "Picture size", min: 2, max: Math.max(1024, view.target), value: view.target },
      onInput: (target) => view.change({ target }),
    });
    this.kernel = slider({
      ...{ name: "target-kernel", label: "Kernel of each layer", min: 2, max: 15, value: view.target_kernel },
      onInput: (kernel) => view.change({ target_kernel: kernel }),
    });
    const sliders = h("div", { class: "settings" }, this.target.node, this.kernel.node);
    this.node = h("div", { class: "growth-body" }, this.svg, this.words, sliders);
    this.curves = GROWTHS.map(([, , kind]) => s("path", { class: `curve ${kind}` }));
    this.marks = GROWTHS.map(([, , kind]) => s("circle", { class: `mark ${kind}`, r: 4.5 }));
    this.keys = GROWTHS.map(([, , kind]) => s("path", { class: `curve ${kind}` }));
    this.texts = GROWTHS.map(() => s("text", { class: "label" }));
    this.level = s("path", { class: "level" });
    this.levelText = s("text", { class: "label small" });
    this.axes = s("g");
    this.svg.append(this.axes, this.level, ...this.curves, ...this.marks, this.levelText, ...this.keys, ...this.texts);
  }

  draw() {
    const { target, target_kernel: kernel } = this.view;
    this.target.set(target);
    this.kernel.set(kernel);
    const found = GROWTHS.map(([every]) => layersToSee(target, kernel, every));
    const told = found.map(({ layers, fields }, i) => `${layers} (${fields.at(-1)} wide) with ${GROWTHS[i][1]}`);
    const formula = `⌈(${target} − 1)/(${kernel} − 1)⌉ = ${found[0].layers}`;
    put(this.words, { text: `Layers of kernel ${kernel} until one output sees ${target} positions: ${told.join("; ")}. At stride 1 it is ${formula}.` });
    put(this.svg, { "aria-label": this.words.textContent });
    const width = this.node.clientWidth;
    if (width) this.plot(width, target, found);
  }

  plot(width, target, found) {
    const [left, top, high] = [44, 24, 170];
    const wide = width - left - 12;
    const most = found[0].layers;
    put(this.svg, { width, height: top + high + 40, viewBox: `0 0 ${width} ${top + high + 40}` });
    const peak = target * 1.15;
    const x = (layer) => left + (wide * layer) / Math.max(1, most);
    const y = (field) => top + high - (high * Math.min(field, peak)) / peak;
    found.forEach(({ layers, fields }, i) => {
      put(this.curves[i], { d: fields.map((field, l) => `${l ? "L" : "M"}${x(l).toFixed(1)} ${y(field).toFixed(1)}`).join("") });
      put(this.marks[i], { cx: x(layers), cy: y(fields.at(-1)) });
      const line = top + high - 12 - 19 * i;
      put(this.keys[i], { d: `M${left + wide - 26} ${line - 4}h24` });
      put(this.texts[i], { x: left + wide - 34, y: line, "text-anchor": "end", text: `${plural(layers, "layer")}: ${GROWTHS[i][1]}` });
    });
    put(this.level, { d: `M${left} ${y(target)}H${left + wide}` });
    put(this.levelText, { x: left + wide, y: y(target) - 7, "text-anchor": "end", text: `the whole picture, ${target}` });
    const across = ticks(0, most, Math.min(8, wide / 60)).values.filter(Number.isInteger);
    const up = ticks(0, peak, 4).values;
    this.axes.replaceChildren(
      ...up.flatMap((field) => [
        s("path", { class: "grid", d: `M${left} ${y(field)}H${left + wide}` }),
        s("text", { class: "tick", x: left - 6, y: y(field) + 4, "text-anchor": "end", text: short(field) }),
      ]),
      ...across.map((layer) => s("text", { class: "tick", x: x(layer), y: top + high + 17, "text-anchor": "middle", text: short(layer) })),
      s("text", { class: "tick", x: left, y: 12, text: "receptive field" }),
      s("text", { class: "tick", x: left + wide, y: top + high + 34, "text-anchor": "end", text: "layers" }),
    );
  }
}
