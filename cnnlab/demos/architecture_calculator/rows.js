// The table: cells to type in on the left, what follows from them on the right. A row that does not fit says so below it.
const SETTINGS = [
  ["out", "out"],
  ["kernel_size", "kernel"],
  ["stride", "stride"],
  ["padding", "padding"],
  ["dilation", "dilation"],
  ["groups", "groups"],
  ["flag", "options"],
];
const RESULTS = ["output", "parameters", "multiply-adds", "memory", "sees"];
const HINTS = {
  out_channels: "a whole number, 1 or more",
  out_features: "a whole number, 1 or more",
  groups: "a whole number, 1 or more",
  kernel_size: "a number such as 3, or one for each axis such as 3x5",
  stride: "a number such as 2, or one for each axis such as 2x1",
  padding: "a number such as 1, one for each axis such as 1x2, or same",
  dilation: "a number such as 2, or one for each axis such as 2x1",
  p: "a share from 0 to below 1, such as 0.5",
};
const FLAGS = { conv: ["bias", "bias"], linear: ["bias", "bias"], maxpool: ["ceil_mode", "ceil"], avgpool: ["ceil_mode", "ceil"] };
const NEW_OPTIONS = {
  conv: { out_channels: 16, kernel_size: 3, stride: 1, padding: 1, dilation: 1, groups: 1, bias: true, padding_mode: "zeros" },
  maxpool: { kernel_size: 2, stride: "kernel", padding: 0, dilation: 1, ceil_mode: false },
  avgpool: { kernel_size: 2, stride: "kernel", padding: 0, ceil_mode: false, count_include_pad: true },
  batchnorm: { affine: true },
  dropout: { p: 0.5 },
  globalpool: { how: "mean" },
  linear: { out_features: 10, bias: true },
};

// A fresh row of a kind; a pool made of a pool, or a convolution of a convolution, keeps its options.
function rowOfKind(kind, old = {}) {
  const alike = kind === old.kind || (kind !== "conv" && isMap(kind) && isMap(old.kind) && old.kind !== "conv");
  const fresh = { kind, ...NEW_OPTIONS[kind] };
  if (alike) for (const name of Object.keys(fresh)) if (name !== "kind" && name in old) fresh[name] = old[name];
  return fresh;
}

function typed(name, text, kind) {
  const whole = text.trim();
  if (name === "p") return whole !== "" && Number(whole) >= 0 && Number(whole) < 1 ? Number(whole) : null;
  if (name in { out_channels: 1, out_features: 1, groups: 1 }) return /^\d+$/.test(whole) && Number(whole) >= 1 && Number(whole) <= 1e6 ? Number(whole) : null;
  const pool = kind !== "conv";
  return sizesTyped(text, { least: name === "padding" ? 0 : 1, same: name === "padding" && !pool, kernel: name === "stride" && pool });
}

class RowTable {
  constructor(view) {
    this.view = view;
    const cell = (text) => h("th", { scope: "col", role: "columnheader", text });
    const heads = [cell("layer"), ...SETTINGS.map(([, title]) => cell(title)), ...RESULTS.map(cell)];
    const head = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads));
    this.body = h("tbody", { role: "rowgroup" });
    this.totals = RESULTS.map(() => h("td", { role: "cell" }));
    const all = h("th", { scope: "row", role: "rowheader", colspan: 1 + SETTINGS.length, text: "all rows" });
    const foot = h("tfoot", { role: "rowgroup" }, h("tr", { role: "row" }, all, ...this.totals));
    this.table = h("table", { class: "layers", role: "table", "aria-label": "Layers of the net" }, head, this.body, foot);
    this.node = h("div", { class: "scroll layers-scroll" }, this.table);
    this.faultRow = h("tr", { class: "fault-row", role: "row" });
    this.lines = [];
  }

  // ---- making a line

  make(i, row) {
    const line = { kind: row.kind, inputs: {}, results: RESULTS.map((title) => h("td", { role: "cell", class: "result", "data-label": title })) };
    const kinds = KINDS.map(([kind, name]) => h("option", { value: kind, text: name }));
    const select = h("select", { class: "kind", change: () => this.view.setRow(this.place(line), rowOfKind(select.value, this.rowOf(line))) }, ...kinds);
    line.select = select;
    line.number = h("span", { class: "place", "aria-hidden": "true" });
    const first = h("th", { scope: "row", role: "rowheader" }, line.number, select);
    line.node = h("tr", { role: "row", class: FAMILIES[row.kind] }, first, ...this.settings(line, row), ...line.results);
    put(line.node, { focusin: () => this.view.select(this.place(line)), click: () => this.view.select(this.place(line)), keydown: (event) => this.key(event, line) });
    return line;
  }

  place(line) {
    return this.lines.indexOf(line);
  }

  rowOf(line) {
    return this.view.rows[this.place(line)];
  }

  settings(line, row) {
    const { kind } = row;
    const own = { dropout: () => this.box(line, "p", "p"), globalpool: () => this.how(line), batchnorm: () => this.flag(line, "affine", "scale and shift") }[kind];
    if (own) return [h("td", { role: "cell", class: "own", colspan: SETTINGS.length }, own())];
    if (!isMap(kind) && kind !== "linear") return [h("td", { role: "cell", class: "own", colspan: SETTINGS.length })];
    return SETTINGS.map(([slot, title]) => {
      const name = slot === "out" ? { conv: "out_channels", linear: "out_features" }[kind] : slot === "flag" ? FLAGS[kind][0] : slot;
      const has = name !== undefined && name in NEW_OPTIONS[kind];
      const node = !has ? [] : slot === "flag" ? [this.flag(line, ...FLAGS[kind])] : [this.box(line, name, title)];
      return h("td", { role: "cell", class: has ? "setting" : "none", "data-label": has ? title : null }, ...node);
    });
  }

  box(line, name, title) {
    const input = h("input", { type: "text", class: "cell", name, autocomplete: "off", "data-title": title });
    input.addEventListener("input", () => {
      const value = typed(name, input.value, line.kind);
      put(input, { "aria-invalid": value === null ? "true" : null });
      this.hint(line, value === null ? `${title}: type ${HINTS[name]}` : "");
      if (value !== null) this.view.setRow(this.place(line), { ...this.rowOf(line), [name]: value });
    });
    input.addEventListener("blur", () => {
      put(input, { "aria-invalid": null });
      this.hint(line, "");
      if (this.place(line) >= 0) this.show(line, this.place(line));
    });
    line.inputs[name] = input;
    if (name !== "p") return input;
    return h("label", { class: "flag" }, input, "share of numbers set to 0");
  }

  flag(line, name, title) {
    const input = h("input", { type: "checkbox", name });
    input.addEventListener("change", () => this.view.setRow(this.place(line), { ...this.rowOf(line), [name]: input.checked }));
    line.inputs[name] = input;
    return h("label", { class: "flag" }, input, title);
  }

  how(line) {
    const options = [["mean", "mean of all places"], ["max", "largest of all places"]].map(([value, text]) => h("option", { value, text }));
    const select = h("select", { name: "how", change: () => this.view.setRow(this.place(line), { ...this.rowOf(line), how: select.value }) }, ...options);
    line.inputs.how = select;
    return select;
  }

  hint(line, text) {
    this.typing = text ? { line, text } : null;
    this.drawFault();
  }

  // ---- showing

  draw() {
    const { view } = this;
    view.rows.forEach((row, i) => {
      if (this.lines[i]?.kind !== row.kind) {
        const line = this.make(i, row);
        const focused = this.lines[i]?.node.contains(document.activeElement);
        if (this.lines[i]) this.lines[i].node.replaceWith(line.node);
        else this.body.append(line.node);
        this.lines[i] = line;
        if (focused) line.select.focus();
      }
    });
    for (const line of this.lines.splice(view.rows.length)) line.node.remove();
    this.lines.forEach((line, i) => {
      this.show(line, i);
      this.results(line, i);
    });
    const { totals } = view.now;
    const bytes = bytesWords(memory(view.now, view.input_shape, view.batch, view.dtype).outputs);
    const texts = [crossed(view.now.shape), thousands(totals.parameters), thousands(totals.macs), bytes, ""];
    texts.forEach((text, k) => put(this.totals[k], { text: view.now.bad >= 0 && k === 0 ? "" : text, "data-label": RESULTS[k] }));
    this.drawFault();
  }

  // The options of a row in its cells; a cell that is being typed in keeps what was typed.
  show(line, i) {
    const row = this.view.rows[i];
    const wrong = this.view.now.bad === i ? this.view.now.fault.names : [];
    line.number.textContent = String(i + 1);
    line.select.value = row.kind;
    put(line.select, { "aria-label": `row ${i + 1}, layer`, "data-wrong": wrong.includes("kind") });
    for (const [name, input] of Object.entries(line.inputs)) {
      const title = input.dataset.title ?? name;
      put(input, { "aria-label": input.type === "checkbox" ? null : `row ${i + 1}, ${title}`, "data-wrong": wrong.includes(name) });
      if (input.type === "checkbox") input.checked = row[name];
      else if (document.activeElement !== input) input.value = row[name] === "kernel" ? sizesShown(row.kernel_size) : sizesShown(row[name]);
    }
    put(line.node, { "data-selected": i === this.view.selected, "aria-current": i === this.view.selected ? "true" : null, "data-bad": i === this.view.now.bad });
  }

  results(line, i) {
    const { view } = this;
    const outcome = view.now.rows[i];
    const fits = outcome?.shape;
    const { totals } = view.now;
    const bytes = fits ? bytesWords(outcome.entries * view.batch * BYTES[view.dtype]) : "";
    const texts = fits ? [outcome.shape.join("×"), thousands(outcome.parameters), thousands(outcome.macs), bytes, outcome.field ? outcome.field.join("×") : "–"] : ["", "", "", "", ""];
    const parts = fits ? [0, outcome.parameters / totals.parameters, outcome.macs / totals.macs, outcome.entries / totals.entries, 0] : [0, 0, 0, 0, 0];
    line.results.forEach((td, k) => {
      put(td, { text: texts[k] });
      td.style.setProperty("--part", `${100 * (parts[k] || 0)}%`);
    });
  }

  // Under the row that does not fit, or that is being typed in wrongly.
  drawFault() {
    const { view, typing } = this;
    const { bad, fault } = view.now;
    const at = typing ? this.place(typing.line) : bad;
    if (at < 0) return this.faultRow.remove();
    const text = typing ? typing.text : `Row ${at + 1}: ${fault.words}.`;
    const fix = !typing && fault.fix;
    const key = `${text}${fix ? fix.text : ""}`;
    if (this.faultKey !== key) {
      this.faultKey = key;
      const mend = fix ? [h("button", { type: "button", name: "mend", text: fix.text, click: () => view.mend() })] : [];
      this.faultRow.replaceChildren(h("td", { role: "cell", colspan: 1 + SETTINGS.length + RESULTS.length }, h("span", { role: "status", text: `⚠ ${text} ` }), ...mend));
    }
    const line = this.lines[at].node;
    if (line.nextSibling !== this.faultRow) line.after(this.faultRow);
    return null;
  }

  // ---- keys

  key(event, line) {
    const { key, altKey, target } = event;
    const i = this.place(line);
    const acts = { ArrowUp: () => this.view.move(-1), ArrowDown: () => this.view.move(1), Enter: () => this.view.insert(), Backspace: () => this.view.remove() };
    if (event.ctrlKey || event.metaKey) return;
    if (altKey && key in acts) acts[key]();
    else if (!altKey && target.type === "text" && ["ArrowUp", "ArrowDown", "Enter"].includes(key)) this.go(i + (key === "ArrowUp" ? -1 : 1), target.name);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // To the same cell of another row, or to what the row has instead.
  go(i, name) {
    const line = this.lines[i];
    if (!line) return;
    const same = { out_channels: "out_features", out_features: "out_channels" }[name];
    const target = line.inputs[name] ?? line.inputs[same] ?? line.select;
    target.focus();
    if (target.select) target.select();
  }

  focus(i) {
    this.lines[i]?.select.focus();
  }
}
