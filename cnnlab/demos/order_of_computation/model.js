// Two orders of computing one scan, unit by unit (a unit is one neuron at one place), both really run.

// The net as it is set: geometry, layers with weights, the input cut to size, and what keeps it from being computed.
function netOf({ data, pool, n, widths, hops, features }) {
  const sizes = features.map((count, i) => ({ kernel: widths[i], stride: hops[i], features: count }));
  const x = cutTo(data.x, n);
  const geometry = scanGeometry(n, sizes);
  const layers = weightedLayers({ pool, layers: data.layers }, data.x.length, sizes);
  return { geometry, layers, x, channels: data.x.length, fault: netFault(geometry, layers, data.mostUnits) };
}

// The first n places on every axis, flat, in C order of (channel, *place).
function cutTo(x, n) {
  const take = (values, [size, ...rest]) => values.slice(0, size).flatMap((v) => (rest.length ? take(v, rest) : [v]));
  return Float64Array.from(x.flatMap((channel) => take(channel, n)));
}

function netFault({ maps, inWindow, field, size }, layers, mostUnits) {
  const by = (sizes) => sizes.join(" × ");
  const top = layers.length;
  if (maps[top].some((count) => count < 1)) {
    return `one window of the top layer looks at ${by(field)} inputs and there are ${by(size)}`;
  }
  const units = product(maps[top]) * layers.reduce((sum, { features }, i) => sum + features * product(inWindow[i + 1]), 0);
  return units > mostUnits ? `window by window there are ${thousands(units)} units to compute, more than can be followed` : null;
}

// The units in the order they are computed, as columns: layer (from 1), place, neuron, window (−1 where none).
// Window-first goes window by window, in each layer by layer, place by place, neuron by neuron, and computes all that
// the window's own net holds; with `remember` it skips what an earlier window has left. Layer-first goes layer by
// layer, neuron by neuron, over all places, as a convolution does.
function orderOf({ geometry, layers }, which, remember = false) {
  const { maps, inWindow, above } = geometry;
  const [layerOf, placeOf, neuronOf, windowOf, againOf] = [[], [], [], [], []];
  const planes = maps.map(product);
  const seen = layers.map(({ features }, i) => new Uint8Array(features * planes[i + 1]));
  const add = (layer, place, neuron, window) => {
    const at = neuron * planes[layer] + place;
    const again = seen[layer - 1][at];
    if (again && remember) return;
    seen[layer - 1][at] = 1;
    layerOf.push(layer);
    placeOf.push(place);
    neuronOf.push(neuron);
    windowOf.push(window);
    againOf.push(again);
  };
  if (which === "window") {
    [...positions(maps[layers.length])].forEach((window, number) => {
      layers.forEach(({ features }, i) => {
        for (const inside of positions(inWindow[i + 1])) {
          const place = ravel(inside.map((p, a) => window[a] * above[i + 1][a] + p), maps[i + 1]);
          for (let d = 0; d < features; d += 1) add(i + 1, place, d, number);
        }
      });
    });
  } else {
    layers.forEach(({ features }, i) => {
      for (let d = 0; d < features; d += 1) for (let p = 0; p < planes[i + 1]; p += 1) add(i + 1, p, d, -1);
    });
  }
  const columns = { layer: layerOf, place: placeOf, neuron: neuronOf, window: windowOf, again: againOf };
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, Int32Array.from(values)]));
}

// Compute the units in their order: values (before the activation, one array a layer), the multiply-adds when each unit
// is finished, and how many hidden numbers must be kept while it is computed: what it or a later one reads, and its own.
function run(net, order) {
  const { layers, x, geometry: { maps } } = net;
  const [count, top] = [order.layer.length, layers.length];
  const planes = maps.map(product);
  const taps = layers.map((_, i) => tapsOf(net.geometry, layers, i + 1));
  const values = layers.map(({ features }, i) => new Float64Array(features * planes[i + 1]).fill(NaN));
  const active = [x, ...layers.map(({ features }, i) => new Float64Array(features * planes[i + 1]))];
  const born = layers.map(({ features }, i) => new Int32Array(features * planes[i + 1]));
  const ends = new Float64Array(count);
  const repeated = new Float64Array(count);
  const last = Int32Array.from({ length: count }, (_, e) => e); // when a unit's number is read for the last time
  for (let e = 0, clock = 0, twice = 0; e < count; e += 1) {
    const [i, place, neuron] = [order.layer[e], order.place[e], order.neuron[e]];
    const layer = layers[i - 1];
    const reads = taps[i - 1][place];
    const at = neuron * planes[i] + place;
    values[i - 1][at] = preactivation(layer, neuron, active[i - 1], planes[i - 1], reads);
    active[i][at] = i < top ? relu(values[i - 1][at]) : values[i - 1][at];
    born[i - 1][at] = e;
    if (i > 1) {
      const below = born[i - 2];
      for (let c = 0; c < layer.channels; c += 1) for (const r of reads) last[below[c * planes[i - 1] + r]] = e;
    }
    clock += layer.fan;
    if (order.again[e]) twice += layer.fan;
    [ends[e], repeated[e]] = [clock, twice];
  }
  return { order, values, ends, repeated, kept: keptNumbers(order.layer, last, top), total: ends[count - 1] ?? 0 };
}

function keptNumbers(layer, last, top) {
  const change = new Int32Array(layer.length + 1);
  layer.forEach((i, e) => {
    if (i === top) return; // a score is the result, nothing that is kept on the way
    change[e] += 1;
    change[last[e] + 1] -= 1;
  });
  let kept = 0;
  return Int32Array.from({ length: layer.length }, (_, e) => (kept += change[e]));
}

// For each layer and unit the times, in multiply-adds, at which it is finished; most units once.
function timesOf({ order, ends }, net) {
  const planes = net.geometry.maps.map(product);
  const times = net.layers.map(({ features }, i) => Array.from({ length: features * planes[i + 1] }, () => []));
  order.layer.forEach((i, e) => times[i - 1][order.neuron[e] * planes[i] + order.place[e]].push(ends[e]));
  return times;
}

// How many units are finished when the clock has reached this many multiply-adds.
function finishedAt({ ends }, clock) {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] <= clock) low = middle + 1;
    else high = middle;
  }
  return low;
}

// What an order has to show at a time: multiply-adds done, those of them done again, scores ready, numbers kept.
function stateAt(ran, clock, top) {
  const finished = finishedAt(ran, clock);
  let ready = 0;
  for (let e = 0; e < finished; e += 1) if (ran.order.layer[e] === top && !ran.order.again[e]) ready += 1;
  const last = finished - 1;
  return {
    finished,
    done: Math.min(clock, ran.total),
    again: last < 0 ? 0 : ran.repeated[last],
    kept: last < 0 ? 0 : ran.kept[last],
    ready,
  };
}

// Everything for both orders: the steps of the player are the times at which a unit of either is finished.
function bothOrders(net, remember) {
  const windowFirst = run(net, orderOf(net, "window", remember));
  const layerFirst = run(net, orderOf(net, "layer"));
  const events = Float64Array.from(new Set([0, ...windowFirst.ends, ...layerFirst.ends])).sort();
  return { windowFirst, layerFirst, events, ...compare(windowFirst, layerFirst) };
}

// The largest difference over all units that both computed, and how many only layer-first computed.
function compare(windowFirst, layerFirst) {
  let [difference, unused] = [0, 0];
  layerFirst.values.forEach((layer, i) =>
    layer.forEach((value, at) => {
      const other = windowFirst.values[i][at];
      if (Number.isNaN(other)) unused += 1;
      else difference = Math.max(difference, Math.abs(other - value));
    }),
  );
  return { difference, unused };
}

const peakOf = ({ kept }) => kept.reduce((a, b) => Math.max(a, b), 0);

// Stretches of the timeline: consecutive units of one layer in one window (or of one neuron), done first or again.
function stretches({ order, ends }, layers) {
  const found = [];
  order.layer.forEach((layer, e) => {
    const group = order.window[e] < 0 ? order.neuron[e] : order.window[e];
    const open = found[found.length - 1];
    const start = ends[e] - layers[layer - 1].fan;
    if (open && open.layer === layer && open.group === group && open.again === order.again[e]) open.to = ends[e];
    else found.push({ layer, group, again: order.again[e], from: start, to: ends[e] });
  });
  return found;
}
