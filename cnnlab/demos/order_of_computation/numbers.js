// The folded numbers: what each layer costs in both orders, and every unit with when it is computed.
function looksOf(ran, net) {
  const top = net.layers.length;
  const values = ran.values.map((layer, i) => (i + 1 < top ? layer.map((v) => (Number.isNaN(v) ? v : relu(v))) : layer));
  const scales = values.map((layer) => scaleFor(layer.filter((v) => !Number.isNaN(v))));
  return { times: timesOf(ran, net), values, scales };
}

// The last event not after a time.
function eventAt(events, time) {
  let at = 0;
  while (at + 1 < events.length && events[at + 1] <= time) at += 1;
  return at;
}

function tipWords(now, { layer, at }) {
  const { net, looks } = now;
  const { maps } = net.geometry;
  const rows = layer ? net.layers[layer - 1].features : net.channels;
  const [d, ...place] = unravel(at, [rows, ...maps[layer]]);
  if (!layer) return `input${net.channels > 1 ? `, channel ${d}` : ""}, ${placeWords(place)} = ${short(net.x[at], 4)}`;
  const [window, whole] = [looks["window-first"], looks["layer-first"]];
  const { from, count } = fieldOf(net.layers, layer, place);
  const inputs = from.map((first, a) => (count[a] === 1 ? `${first}` : `${first}–${first + count[a] - 1}`)).join(" × ");
  const often = window.times[layer - 1][at].length;
  return `${layerName(layer, net.layers)}, neuron ${d}, ${placeWords(place)} = ${short(whole.values[layer - 1][at], 4)}\n` +
    `sees inputs ${inputs}\ncomputed: window-first ${often} ×, layer-first 1 ×`;
}

function layerTable({ net, windowFirst, layerFirst }) {
  const { maps, inWindow } = net.geometry;
  const count = ({ order }, layer, again) => order.layer.reduce((sum, i, e) => sum + (i === layer && (!again || order.again[e])), 0);
  const rows = net.layers.map(({ kernel, stride, features, fan }, i) => {
    const units = [windowFirst, layerFirst].map((ran) => count(ran, i + 1));
    return [
      `${i + 1}`, kernel.join(" × "), stride.join(" × "), maps[i + 1].join(" × "), inWindow[i + 1].join(" × "), features, fan,
      ...units.map(thousands), thousands(count(windowFirst, i + 1, true)), ...units.map((n) => thousands(n * fan)),
    ].map(String);
  });
  const heads = ["layer", "width", "hop", "places", "in a window", "neurons", "reads", "units w-f", "units l-f", "again w-f", "m-a w-f", "m-a l-f"];
  return table("One row a layer; w-f is window-first, l-f layer-first, m-a multiply-adds", heads, rows);
}

function unitTable({ net, looks }) {
  const rows = net.layers.flatMap(({ features }, i) =>
    [...positions([features, ...net.geometry.maps[i + 1]])].map(([d, ...place], at) => {
      const [window, whole] = ["window-first", "layer-first"].map((name) => looks[name]);
      const value = (look) => (Number.isNaN(look.values[i][at]) ? "" : short(look.values[i][at], 6));
      return [`${i + 1}`, `${d}`, place.join(", "), value(window), value(whole), window.times[i][at].join(", "), whole.times[i][at].join(", ")];
    }),
  );
  const heads = ["layer", "neuron", "place", "value w-f", "value l-f", "finished at, w-f", "finished at, l-f"];
  return table("One row a unit; times in multiply-adds", heads, rows);
}
