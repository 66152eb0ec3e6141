// What stands beside the maps: scores and templates as bars and captions, and every number as a table.
const MOST_CLASSES = 9;

// The classes to show, the most probable first where there are too many for all.
function shownClasses({ chances, names }) {
  const order = [...chances.keys()];
  return names.length <= MOST_CLASSES ? order : order.sort((a, b) => chances[b] - chances[a] || a - b).slice(0, MOST_CLASSES);
}

function drawScores(view) {
  const { scores, scoreBox: { x, y, width }, chances, names, labels, picture, now } = view;
  const title = s("text", { class: "title label", x, y: y + 12, text: "Class scores" });
  if (!chances) {
    const why = view.data.stop ?? (now.outputs.length <= now.layers.length ? `of epoch ${now.epoch} only the first layer is kept` : "the net ends in maps");
    const lines = why.match(/.{1,24}(\s|$)/g) ?? [why];
    scores.replaceChildren(title, ...["None:", ...lines].map((text, i) => s("text", { class: "tick", x, y: y + 36 + 17 * i, text })));
    return view.say("", null);
  }
  const best = chances.indexOf(Math.max(...chances));
  const rows = shownClasses(view).flatMap((c, i) => {
    const top = y + 28 + 38 * i;
    const [right, own] = [x + width, labels?.[picture] === c];
    return [
      s("text", { class: c === best ? "strong" : "", x, y: top + 9, text: `${names[c]}${own ? " ✓" : ""}` }),
      s("text", { class: "tick value", x: right, y: top + 9, "text-anchor": "end", text: `${chances[c].toFixed(3)}` }),
      s("rect", { class: "rail", x, y: top + 15, width, height: 9, rx: 2 }),
      s("rect", { class: c === best ? "bar" : "bar rest", x, y: top + 15, width: Math.max(0.5, width * chances[c]), height: 9, rx: 2 }),
    ];
  });
  scores.replaceChildren(title, ...rows);
  const right = labels ? labels[picture] === best : null;
  return view.say(`${names[best]}, ${chances[best].toFixed(3)}${right === false ? ` (is ${names[labels[picture]]})` : ""}`, right);
}

function scoreHeight({ data, names, chances }) {
  return chances || !data.stop ? 38 * Math.min(MOST_CLASSES, Math.max(1, names.length)) + 10 : 120;
}

function drawTemplateScores(view) {
  const { now, boards, names } = view;
  if (!now.templates) return;
  view.templateScores = templateScores(now.templates, now.picture);
  const count = now.templates.shape[0];
  const label = (k) => (count === names.length ? names[k] : `template ${k}`);
  boards.templates.caption(view.templateScores.map((score, k) => [signed(score, 2), label(k)]));
  boards.templates.entitle(`${count} of ${now.templates.shape.slice(1).join(" × ")}, with Σ template · picture`);
}

function galleryTables(view) {
  const { now, names, labels, chances, taps, filter, patches } = view;
  const { values, shape: [count, rows, columns] } = now.maps;
  const { bias } = now.layers[now.stage];
  const plane = rows * columns;
  const digits = (value) => number(value, 6);
  const perFilter = Array.from({ length: count }, (_, f) => {
    const own = values.subarray(f * plane, (f + 1) * plane);
    const { value, cell } = largest(own, columns);
    const least = own.reduce((a, b) => Math.min(a, b));
    const mean = own.reduce((a, b) => a + b, 0) / plane;
    return [String(f), bias ? digits(bias[f]) : "–", digits(least), digits(mean), digits(value), String(cell[0]), String(cell[1])];
  });
  const heads = ["filter", "bias", "least", "mean", "most", "at row", "at column"];
  const tables = [table(`The maps after layer ${now.layers[now.layer].name} on picture ${view.picture}`, heads, perFilter)];
  if (chances) {
    const rowsOf = [...now.scores].map((score, c) => [names[c], digits(score), digits(chances[c])]);
    tables.push(table("Class scores, and their softmax", ["class", "score", "probability"], rowsOf));
  }
  const ofPatches = patches.map(({ picture, value, cell }, i) => [String(i + 1), String(picture), labels ? names[labels[picture]] : "–", ...cell.map(String), digits(value)]);
  tables.push(table(`The patches that excite filter ${filter} most`, ["rank", "picture", "label", "row", "column", "value"], ofPatches));
  const products = taps.places.map(([c, r, q], k) => [channelName(c, now.rgb ? 3 : 0), String(r), String(q), digits(taps.inputs[k]), digits(taps.weights[k]), digits(taps.products[k])]);
  tables.push(table(`The products behind row ${view.trace.cell[0]}, column ${view.trace.cell[1]} of filter ${filter}; a row or column outside the input is padding`, ["channel", "row", "column", "input", "weight", "product"], products));
  const map = Array.from({ length: rows }, (_, r) => [String(r), ...Array.from({ length: columns }, (__, c) => digits(values[filter * plane + r * columns + c]))]);
  tables.push(table(`Map ${filter} after layer ${now.layers[now.layer].name}`, ["row", ...Array.from({ length: columns }, (_, c) => `column ${c}`)], map));
  if (now.templates) {
    tables.push(table("Templates: Σ template · picture", ["template", "sum"], view.templateScores.map((score, k) => [String(k), digits(score)])));
  }
  const curves = [...new Set(now.records.flatMap(({ values: found }) => Object.keys(found)))];
  if (curves.length) {
    const lines = now.records.map(({ epoch, values: found }) => [String(epoch), ...curves.map((name) => (name in found ? digits(found[name]) : "–"))]);
    tables.push(table("The training", ["epoch", ...curves], lines));
  }
  return tables;
}
