// The three layers as three buttons with their numbers of parameters: where the matrix stands, and a way to go there.
const STAGES = [
  ["full", "Full", "every output its own weight to every input"],
  ["sparse", "Sparse", "every output only its window, own weights"],
  ["shared", "Shared", "every window the same weights"],
];

class StageCards {
  constructor({ onPick }) {
    this.cards = STAGES.map(([name, title, words], i) => {
      const count = h("strong", {});
      const formula = h("span", { class: "formula" });
      const ratio = h("span", { class: "ratio" });
      const head = h("span", { class: "head" }, h("b", { text: title }), count);
      const node = h("button", { type: "button", name, click: () => onPick(i) }, head, h("span", { class: "what", text: words }), formula, ratio);
      return { node, count, formula, ratio };
    });
    this.node = h("div", { class: "stages", role: "group", "aria-label": "Three layers" }, ...this.cards.map(({ node }) => node));
  }

  draw(model, { morph, bias }) {
    const { rows, columns, filters, depth, kernel, counts, biases } = model;
    const times = filters * depth === 1 ? `${kernel.length === 1 ? "K" : "K_H · K_W"} = ${kernel.join(" · ")}` : [filters, depth, ...kernel].join(" · ");
    const formulas = [`${rows} · ${columns}`, "entries in windows", times];
    const extra = (name) => (bias ? ` + ${biases[name]}` : "");
    STAGES.forEach(([name], i) => {
      const { node, count, formula, ratio } = this.cards[i];
      const total = counts[name] + (bias ? biases[name] : 0);
      const most = counts.full + (bias ? biases.full : 0);
      put(count, { text: thousands(total) });
      put(formula, { text: `${formulas[i]}${extra(name)}` });
      put(ratio, { text: i ? `${short(most / total, 1)} × fewer` : "parameters" });
      put(node, { "aria-pressed": String(morph === i), "data-past": morph > i });
    });
  }
}
