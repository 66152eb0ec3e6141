// The parts under the picture: all maps to choose from, the costs, and the controls.

// One small picture a filter; the chosen one is outlined. Radio buttons, so that arrow keys choose too.
function mapStrip(view) {
  const row = h("div", { class: "maps", role: "radiogroup", "aria-label": "Activation map" });
  const node = h("form", { class: "strip" }, h("span", { class: "title" }), row);
  let items = [];
  const make = (count) => {
    items = Array.from({ length: count }, (_, j) => {
      const input = h("input", { type: "radio", name: "map", value: j, "aria-label": `Map of filter ${j}`, change: () => view.choose(j) });
      const picture = h("img", { alt: "" });
      return { input, picture, node: h("label", {}, input, picture, h("span", { text: String(j), "aria-hidden": "true" })) };
    });
    row.replaceChildren(...items.map((item) => item.node));
  };
  const show = ({ filters, outputs }, chosen, cards) => {
    if (items.length !== filters) make(filters);
    put(node.firstChild, { text: `All ${plural(filters, "activation map")}` });
    const [rows, columns] = outputs.slice(1);
    const wide = Math.min(64, Math.max(28, 64 * Math.min(1, columns / rows)));
    items.forEach(({ input, picture }, j) => {
      input.checked = j === chosen;
      const address = cards[j].raster.node.getAttribute("href");
      if (picture.getAttribute("src") !== address) put(picture, { src: address });
      picture.style.cssText = `width:${wide}px;height:${Math.max(10, (wide * rows) / columns)}px`;
    });
  };
  return { node, show };
}

// Output, parameters and multiply-adds now, and with one group.
function costPanel() {
  const body = h("table");
  const batch = h("p", { class: "verdict" });
  const node = h("div", { class: "costs" }, h("div", { class: "cost-table" }, body), batch);
  const show = (model) => {
    const { groups } = model;
    const now = countRows(model, groups);
    const whole = groups > 1 ? countRows(model, 1) : null;
    const heads = ["", groups > 1 ? `groups = ${groups}` : "This layer", ...(whole ? ["groups = 1"] : [])];
    const head = h("thead", {}, h("tr", {}, ...heads.map((text) => (text ? h("th", { text, scope: "col" }) : h("td")))));
    const rows = now.map(([name, text], i) => h("tr", {}, h("th", { text: name, scope: "row" }), h("td", { text }), ...(whole ? [h("td", { text: whole[i][1] })] : [])));
    body.replaceChildren(head, h("tbody", {}, ...rows));
    put(batch, { text: batchWords(model) });
  };
  return { node, show };
}

function volumeSettings(view) {
  const sets = [];
  const axisSliders = ([name, label, min, max]) =>
    AXES.map((axis, i) => {
      const mine = () => view[name][i - 3 + view[name].length];
      const control = slider({
        ...{ name: `${name}-${axis}`, label: `${label}, ${axis}`, min, max, value: min },
        onInput: (value) => view.reshape({ [name]: view[name].map((old, j) => (j === i - 3 + view[name].length ? value : old)) }),
      });
      sets.push(() => {
        put(control.node, { hidden: mine() === undefined });
        if (mine() === undefined) return;
        control.range(min, Math.max(max, mine()), 1);
        control.set(mine());
      });
      return control.node;
    });
  const pairs = [["stride", "Stride", 1, 4], ["padding", "Padding", 0, 4], ["dilation", "Dilation", 1, 4]].map((option) => h("div", { class: "pair" }, ...axisSliders(option)));
  const given = view.data.own ? [[-1, "as given"]] : [];
  const named = view.data.examples.map(({ name }, i) => [i, name]);
  const example = choice({ name: "example", label: "Layer", options: [...given, ...named], value: view.data.own ? -1 : 0, onInput: (i) => view.take(i) });
  const filter = slider({ name: "filter", label: "Filter (output channel)", onInput: (value) => view.choose(value) });
  const groups = slider({ name: "groups", label: "Groups", show: (i) => view.groupName(Number(i)), onInput: (i) => view.setGroups(i) });
  const depth = slider({ name: "depth", label: "Depth of the output", onInput: (value) => view.setDepth(value) });
  const tap = slider({ name: "tap", label: "Depth of the kernel", onInput: (value) => view.change({ tap: value }, { reshape: true }) });
  const first = slider({ name: "first", label: "First channel shown", onInput: (value) => view.change({ first: value }, { reshape: true }) });
  const mode = choice({
    ...{ name: "padding_mode", label: "Padding mode", options: ["zeros", "reflect", "replicate", "circular"].map((m) => [m, m]), value: view.padding_mode },
    onInput: (value) => view.reshape({ padding_mode: value }),
  });
  const point = toggle({
    ...{ name: "one_by_one", label: "1 × 1: center tap only", value: view.one_by_one, note: "A perceptron over the depth; sets padding to 0." },
    onInput: (on) => view.setPoint(on),
  });
  sets.push(() => {
    const { now } = view;
    filter.range(0, now.filters - 1, 1);
    filter.set(view.filter);
    const list = divisors(now.channels, now.filters);
    groups.range(0, list.length - 1, 1);
    groups.set(Math.max(0, list.indexOf(view.groups)));
    groups.disable(list.length === 1 ? `No number but 1 divides ${now.channels} input and ${now.filters} output channels.` : "");
    const shown = view.channels.length;
    for (const control of [depth, tap]) put(control.node, { hidden: now.rank < 3 || Boolean(now.fault) });
    put(first.node, { hidden: Boolean(now.fault) || now.depth <= shown });
    mode.set(view.padding_mode);
    point.set(view.one_by_one);
    if (now.fault) return;
    depth.range(0, now.outputs[0] - 1, 1);
    depth.set(view.position[0]);
    tap.range(0, now.kernel[0] - 1, 1);
    tap.set(view.tap);
    first.range(0, Math.max(0, now.depth - shown), 1);
    first.set(view.first);
  });
  const top = h("div", { class: "settings" }, example.node, filter.node, groups.node, depth.node, tap.node, first.node);
  const low = h("div", { class: "settings" }, ...pairs, h("div", { class: "pair last" }, mode.node, point.node));
  return { top, node: low, set: () => sets.forEach((call) => call()) };
}
