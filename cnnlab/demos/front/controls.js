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

function choice({ name, label, options, value, onInput }) {
  const items = options.map(([key, text]) => h("option", { value: key, text, selected: key === value }));
  const select = h("select", { name, change: () => onInput(Number(select.value)) }, ...items);
  return h("label", { class: "choice" }, h("span", { class: "control-name", text: label }), select);
}

// An icon is drawn as text is: it takes the color of its button and needs no font and no file.
const ICONS = {
  play: "M4 2 L14 8 L4 14 Z",
  pause: "M3 2 H7 V14 H3 Z M9 2 H13 V14 H9 Z",
  back: "M12 2 L4 8 L12 14 Z",
  forward: "M4 2 L12 8 L4 14 Z",
  start: "M2 2 H5 V14 H2 Z M14 2 L6 8 L14 14 Z",
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
