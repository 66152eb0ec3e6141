// Shared by every demo. The parts of a demo are joined into one module before they are sent, so the names
// below are in scope in the files that follow and nowhere else on the page.

// Taken from the parser, so that a saved page holds no address at all and a search for one finds nothing.
const SVG_NAMESPACE = (() => {
  const template = document.createElement("template");
  template.innerHTML = "<svg></svg>";
  return template.content.firstChild.namespaceURI;
})();

const FOCUSABLE = new Set(["BUTTON", "INPUT", "SELECT", "SUMMARY"]);

// Sets attributes; `false`, null and undefined remove one, a function becomes a listener, `text` the content. What is
// so already is left alone: reading costs the browser nothing, writing makes it lay out again.
function put(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name === "text") putText(node, value);
    else if (value === false || value === null || value === undefined) node.removeAttribute(name);
    else if (node.getAttribute(name) !== (value === true ? "" : String(value))) node.setAttribute(name, value === true ? "" : value);
  }
  return node;
}

function putText(node, value) {
  const text = value === null || value === undefined ? "" : String(value);
  if (node.textContent !== text || node.firstElementChild) node.textContent = text;
}

function h(tag, attributes = {}, ...children) {
  const node = put(document.createElement(tag), attributes);
  // Without this, JupyterLab takes arrow keys and letters for its own shortcuts.
  if (FOCUSABLE.has(node.tagName) || "tabindex" in attributes) node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.append(...children);
  return node;
}

function s(tag, attributes = {}, ...children) {
  const node = put(document.createElementNS(SVG_NAMESPACE, tag), attributes);
  if ("tabindex" in attributes) node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.append(...children);
  return node;
}

// An array packed by Python (cnnlab/demos/pack.py): {dtype, shape, base64}.
const ARRAY_TYPES = { float32: Float32Array, float64: Float64Array, int16: Int16Array, int32: Int32Array, uint8: Uint8Array };

function unpack({ dtype, shape, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return { shape, values: new ARRAY_TYPES[dtype](bytes.buffer) };
}

// Numbers as a reader expects them: a true minus sign, a plus where the sign matters, never "−0.00".
function number(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
}

function signed(value, digits) {
  return (value > 0 && Number(value.toFixed(digits)) !== 0 ? "+" : "") + number(value, digits);
}

// As few characters as tell the number apart: 3, −0.25, 12.5; at most `digits` decimals, none for whole numbers.
function short(value, digits = 2) {
  if (!Number.isFinite(value)) return "–";
  const rounded = Number(value.toFixed(digits));
  return (rounded < 0 ? "−" : "") + String(Math.abs(rounded));
}

// Whole numbers with a thin space between thousands.
function thousands(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

function plural(count, noun) {
  return `${thousands(count)} ${noun}${count === 1 ? "" : "s"}`;
}

// At most `count` round numbers between two bounds.
function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) found.push(i * step);
  return { values: found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}
