// A labelled range input. `show` turns the value into the words beside it; `disable` says in words why it does not move.
function slider({ name, label, min = 0, max = 1, step = 1, value = 0, show = String, onInput }) {
  const input = h("input", { type: "range", name, min, max, step, "aria-label": label });
  // Not an <output>: a screen reader would read it at every step of a drag, and it hears the value from the input.
  const output = h("span", { class: "control-value", "aria-hidden": "true" });
  const note = h("small", { class: "control-note", hidden: true });
  const title = h("span", { class: "control-name", text: label });
  const node = h("label", { class: "control" }, title, output, input, note);
  const control = {
    node,
    input,
    set(next) {
      input.value = next;
      output.textContent = show(next);
      input.setAttribute("aria-valuetext", show(next));
    },
    range(low, high, size) {
      put(input, { min: low, max: high, step: size });
    },
    disable(reason) {
      put(input, { disabled: Boolean(reason) });
      put(input, { "aria-description": reason });
      put(note, { text: reason, hidden: !reason });
    },
  };
  control.set(value);
  input.addEventListener("input", () => onInput(Number(input.value)));
  return control;
}

// A list to choose from; keys may be numbers or strings and come back as they were given.
function choice({ name, label, options, value, onInput }) {
  const items = options.map(([key, text]) => h("option", { value: key, text }));
  const select = h("select", { name, change: () => onInput(options[select.selectedIndex][0]) }, ...items);
  const node = h("label", { class: "choice" }, h("span", { class: "control-name", text: label }), select);
  const set = (key) => (select.selectedIndex = options.findIndex(([other]) => other === key));
  set(value);
  return { node, input: select, set };
}

// A few options side by side, one of them chosen. The form keeps the names of two demos on one page apart.
function segments({ name, label, options, value, onInput }) {
  const inputs = options.map(([key]) => h("input", { type: "radio", name, value: key, change: () => onInput(key) }));
  const items = options.map(([, text], i) => h("label", {}, inputs[i], h("span", { text })));
  const node = h("form", { class: "segments" }, h("div", { role: "radiogroup", "aria-label": label }, ...items));
  const set = (next) => options.forEach(([key], i) => (inputs[i].checked = key === next));
  set(value);
  return { node, inputs, set };
}

// A box to tick.
function toggle({ name, label, value, note = "", onInput }) {
  const input = h("input", { type: "checkbox", name });
  input.addEventListener("change", () => onInput(input.checked));
  const words = h("span", {}, h("span", { class: "control-name", text: label }), h("small", { class: "control-note", text: note }));
  const set = (checked) => (input.checked = checked);
  set(value);
  return { node: h("label", { class: "toggle" }, input, words), input, set };
}

// A number to type. What is no number is marked and leaves things as they were.
function field({ name, label, value, least = -Infinity, most = Infinity, whole = false, onInput }) {
  const input = h("input", { type: "text", inputmode: "decimal", name, autocomplete: "off" });
  input.addEventListener("input", () => {
    const typed = Number(input.value.trim().replace("−", "-").replace(",", "."));
    const good = input.value.trim() !== "" && typed >= least && typed <= most && (!whole || Number.isInteger(typed));
    put(input, { "aria-invalid": good ? null : "true" });
    if (good) onInput(typed);
  });
  // While it is being typed in, what is shown is what was typed.
  const set = (next) => {
    if (document.activeElement !== input) input.value = String(next);
  };
  input.addEventListener("blur", () => put(input, { "aria-invalid": null }));
  set(value);
  return { node: h("label", { class: "choice" }, h("span", { class: "control-name", text: label }), input), input, set };
}

// An icon is drawn as text is: it takes the color of its button and needs no font and no file.
const ICONS = {
  play: "M4 2 L14 8 L4 14 Z",
  pause: "M3 2 H7 V14 H3 Z M9 2 H13 V14 H9 Z",
  back: "M12 2 L4 8 L12 14 Z",
  forward: "M4 2 L12 8 L4 14 Z",
  start: "M2 2 H5 V14 H2 Z M14 2 L6 8 L14 14 Z",
  add: "M7 2 H9 V7 H14 V9 H9 V14 H7 V9 H2 V7 H7 Z",
  remove: "M2 7 H14 V9 H2 Z",
  up: "M8 3 L14 13 H2 Z",
  down: "M8 13 L2 3 H14 Z",
};

function button({ name, icon, label, text = "", onClick }) {
  const path = s("path", { d: ICONS[icon] });
  const caption = h("span", { text });
  const picture = s("svg", { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" }, path);
  const node = h("button", { type: "button", name, click: onClick }, picture, ...(text ? [caption] : []));
  const look = (nextIcon, nextLabel, nextText) => {
    path.setAttribute("d", ICONS[nextIcon]);
    put(node, { "aria-label": nextLabel, title: nextLabel });
    caption.textContent = nextText;
  };
  look(icon, label, text);
  return { node, look };
}

// A folded part of the page whose content is made only while it is open.
function folded({ name, summary, fill }) {
  const body = h("div", { class: "folded-body" });
  const title = h("summary", { text: summary });
  const node = h("details", { "data-part": name }, title, body);
  const refresh = () => node.open && fill(body);
  node.addEventListener("toggle", refresh);
  return { node, body, refresh, title };
}

function table(caption, heads, rows) {
  const cells = (tag, values) => values.map((value) => h(tag, { text: value, scope: tag === "th" && "col" }));
  const body = h("tbody");
  body.append(...rows.map((row) => h("tr", {}, ...cells("td", row))));
  const head = h("thead", {}, h("tr", {}, ...cells("th", heads)));
  const filled = h("table", {}, h("caption", { text: caption }), head, body);
  // A box that scrolls must be within reach of the keyboard.
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, filled);
}

function codeListing(title, text) {
  return [h("h4", { text: title }), h("pre", { tabindex: 0, "aria-label": `${title} code` }, h("code", { text }))];
}
