// The stack as a table with the recurrence, and the controls that change it.
const SLIDERS = [
  ["kernel_size", "Kernel", 1, 11],
  ["stride", "Stride", 1, 4],
  ["padding", "Padding", 0, 5],
  ["dilation", "Dilation", 1, 6],
];
const MOST_LAYERS = 64;

class StackPanel {
  constructor(view) {
    this.view = view;
    const { rank } = view.now;
    this.body = h("tbody");
    this.head = h("thead");
    const table = h("table", { class: "stack-table" }, h("caption", { text: "The recurrence, layer by layer; start and center are those of unit 0" }), this.head, this.body);
    this.table = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The recurrence, layer by layer" }, table);
    this.title = h("h4");
    this.kind = choice({
      ...{ name: "kind", label: "Kind", options: [["conv", "convolution"], ["pool", "pool"]], value: "conv" },
      onInput: (kind) => this.set((layer) => fitted({ ...layer, kind })),
    });
    this.ceil = toggle({
      ...{ name: "ceil_mode", label: "ceil_mode: a last window may reach beyond", value: false },
      onInput: (ceil) => this.set((layer) => ({ ...layer, ceil_mode: ceil })),
    });
    this.preset = choice({
      ...{ name: "preset", label: "Stack", options: [["given", "as given"], ...view.data.presets.map(({ name, label }) => [name, label])], value: "given" },
      onInput: (name) => view.take(name),
    });
    const act = (name, icon, label, text, onClick) => button({ name, icon, label, text, onClick });
    this.add = act("add", "add", "Add a layer after the selected one", "Add", () => this.insert());
    this.drop = act("remove", "remove", "Remove the selected layer", "Remove", () => this.remove());
    this.earlier = act("earlier", "up", "Move the selected layer towards the input", "Earlier", () => this.move(-1));
    this.later = act("later", "down", "Move the selected layer away from the input", "Later", () => this.move(1));
    const buttons = h("div", { class: "buttons" }, ...[this.add, this.drop, this.earlier, this.later].map(({ node }) => node));
    this.pairs = h("div", { class: "settings" });
    this.sizes = h("div", { class: "settings narrow" });
    const tools = h("div", { class: "stack-tools" }, this.preset.node, this.sizes, buttons);
    const chosen = h("div", { class: "stack-chosen" }, this.title, this.kind.node, this.ceil.node);
    this.node = h("div", { class: "stack" }, tools, this.table, chosen, this.pairs);
    this.makeSliders(rank);
  }

  makeSliders(rank) {
    this.rank = rank;
    this.sliders = [];
    const names = rank === 1 ? [""] : [", height", ", width"];
    const pairs = SLIDERS.map(([name, label, min, max]) => {
      const made = names.map((axis, i) => {
        const key = rank === 1 ? "" : ["-height", "-width"][i];
        const control = slider({
          ...{ name: `${name.replace("_size", "")}${key}`, label: `${label}${axis}`, min, max, value: min },
          onInput: (value) => this.set((layer) => fitted({ ...layer, [name]: layer[name].map((old, j) => this.value(name, value, old, j === i)) })),
        });
        this.sliders.push({ name, axis: i, control, max });
        return control.node;
      });
      return h("div", { class: rank === 1 ? null : "pair" }, ...made);
    });
    put(this.pairs, { class: rank === 1 ? "settings narrow" : "settings" });
    this.pairs.replaceChildren(...pairs);
    this.inputs = names.map((axis, i) =>
      slider({
        ...{ name: `input${rank === 1 ? "" : ["-height", "-width"][i]}`, label: `Input${axis || ", length"}`, min: 1, max: 64, value: 1 },
        onInput: (value) => this.view.alter({ input_size: this.view.input_size.map((old, j) => (j === i ? value : old)) }),
      }),
    );
    this.sizes.replaceChildren(...this.inputs.map(({ node }) => node));
  }

  value(name, value, old, mine) {
    if (!mine) return old;
    return name === "padding" ? [value, value] : value;
  }

  // ---- changes

  set(change) {
    const { view } = this;
    view.alter({ layers: view.layers.map((layer, i) => (i === view.selected ? change(layer) : layer)) });
  }

  insert() {
    const { view } = this;
    const ones = Array(view.now.rank).fill(1);
    const fresh = { kind: "conv", kernel_size: ones.map(() => 3), stride: ones, padding: ones.map(() => [0, 0]), dilation: ones, ceil_mode: false };
    const at = view.selected + 1;
    view.alter({ layers: [...view.layers.slice(0, at), fresh, ...view.layers.slice(at)], selected: at });
  }

  remove() {
    const { view } = this;
    view.alter({ layers: view.layers.filter((_, i) => i !== view.selected), selected: Math.max(0, view.selected - 1) });
  }

  move(by) {
    const { view } = this;
    const [from, to] = [view.selected, view.selected + by];
    const layers = [...view.layers];
    [layers[from], layers[to]] = [layers[to], layers[from]];
    view.alter({ layers, selected: to });
  }

  // ---- what it shows

  draw() {
    const { view } = this;
    const { layers, now: model, selected } = view;
    if (model.rank !== this.rank) this.makeSliders(model.rank);
    const layer = layers[selected];
    put(this.title, { text: `Layer ${selected + 1} of ${layers.length}` });
    this.kind.set(layer.kind);
    this.ceil.set(layer.ceil_mode);
    put(this.ceil.node, { hidden: layer.kind !== "pool" });
    for (const { name, axis, control, max } of this.sliders) {
      const value = name === "padding" ? layer.padding[axis][0] : layer[name][axis];
      const most = name === "padding" && layer.kind === "pool" ? Math.floor(layer.kernel_size[axis] / 2) : Math.max(max, value);
      control.range(name === "padding" ? 0 : 1, most, 1);
      control.set(value);
      control.disable(most === 0 ? "A pool takes at most half its kernel." : null);
    }
    this.inputs.forEach((control, i) => {
      control.range(1, Math.max(64, view.input_size[i], Number(control.input.max)), 1);
      control.set(view.input_size[i]);
    });
    put(this.add.node, { disabled: layers.length >= MOST_LAYERS });
    put(this.drop.node, { disabled: layers.length === 1 });
    put(this.earlier.node, { disabled: selected === 0 });
    put(this.later.node, { disabled: selected === layers.length - 1 });
    this.fill(model, layers, selected);
  }

  fill(model, layers, selected) {
    const heads = ["layer", "size", "jump j", "field r + (k − 1)·d·j", "start", "center", "1 + L·(K − 1)"];
    this.head.replaceChildren(h("tr", {}, ...heads.map((text) => h("th", { scope: "col", text }))));
    const rows = [["input", ...rowOf(model, 0)], ...layers.map((layer, i) => [layerWords(layer), ...rowOf(model, i + 1)])];
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.layer : null;
    this.body.replaceChildren(
      ...rows.map((cells, l) => {
        const name = l ? this.pickButton(l, cells[0], l === selected + 1) : cells[0];
        const first = h("th", { scope: "row" }, name);
        const fault = model.fault?.layer === l && h("td", { class: "fault", colspan: 6, text: `⚠ ${this.view.faultWords()}` });
        const rest = fault ? [fault] : cells.slice(1).map((text) => h("td", { text }));
        return h("tr", { "data-selected": l === selected + 1, "data-unit": l === this.view.unit[0] }, first, ...rest);
      }),
    );
    if (focused) this.body.querySelector(`[data-layer="${focused}"]`)?.focus();
  }

  pickButton(l, text, pressed) {
    const pick = () => this.view.change({ selected: l - 1 });
    return h("button", { type: "button", class: "pick", "data-layer": l, "aria-pressed": String(pressed), click: pick, text: `${l}  ${text}` });
  }
}

// "conv 3×5, S 2, P 1", or in short "conv 3×5 /2" with what stands before the stride.
function layerWords({ kind, kernel_size: kernel, stride, padding, dilation, ceil_mode: ceil }, slash = "") {
  const axes = (values) => (new Set(values.map(String)).size === 1 ? String(values[0]) : values.join("×"));
  const pads = padding.map(([before, after]) => (before === after ? before : `${before}/${after}`));
  const strided = stride.some((value) => value > 1);
  if (slash) return `${kind} ${kernel.join("×")}${strided ? ` ${slash}${axes(stride)}` : ""}`;
  const parts = [`${kind} ${kernel.join("×")}`];
  if (strided) parts.push(`S ${axes(stride)}`);
  if (pads.some((value) => value !== 0)) parts.push(`P ${axes(pads)}`);
  if (dilation.some((value) => value > 1)) parts.push(`D ${axes(dilation)}`);
  return [...parts, ...(ceil ? ["ceil"] : [])].join(", ");
}

// The numbers of one level as texts; empty where the layer does not fit.
function rowOf({ axes, depth }, level) {
  if (level > depth) return Array(6).fill("");
  const recurrences = axes.map((axis) => recurrenceWords(axis, level));
  const told = new Set(recurrences).size === 1 ? recurrences[0] : recurrences.map((words, i) => `${"HW"[i]}  ${words}`).join("\n");
  const centers = axes.map((axis) => fieldOf(axis, level, 0).center);
  const closed = axes.map((axis) => closedForm(axis, level).value);
  return [
    axes.map(({ sizes }) => sizes[level]).join(" × "),
    axes.map(({ seen }) => seen[level].jump).join(" × "),
    told,
    axes.map(({ seen }) => short(seen[level].start)).join(", "),
    centers.map((center) => short(center)).join(", "),
    closed.includes(null) ? "–" : closed.join(" × "),
  ];
}

// A pool with no more padding than half its kernel; only pools round up.
function fitted(layer) {
  if (layer.kind === "conv") return { ...layer, ceil_mode: false };
  const padding = layer.padding.map((pair, i) => pair.map((size) => Math.min(size, Math.floor(layer.kernel_size[i] / 2))));
  return { ...layer, padding };
}
