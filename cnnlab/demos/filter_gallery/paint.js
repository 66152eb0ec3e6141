// Numbers to pixels: each board from what the net gives now.
const level = (value, [low, high]) => Math.round(255 * Math.min(1, Math.max(0, (value - low) / (high - low || 1))));

// Colors of a part of a picture; pixels outside of it are left empty.
function pictureAt({ values, shape: [channels, rows, columns] }, range, top = 0, left = 0) {
  const plane = rows * columns;
  return (r, c) => {
    const [i, j] = [r + top, c + left];
    if (i < 0 || j < 0 || i >= rows || j >= columns) return null;
    const at = i * columns + j;
    const grey = level(values[at], range);
    return channels === 3 ? [grey, level(values[plane + at], range), level(values[2 * plane + at], range)] : [grey, grey, grey];
  };
}

function paintPictures({ sheet, boards, now, search }) {
  const { picture, strip } = boards;
  const [, rows, columns] = now.picture.shape;
  sheet.paint(picture.area({ row: 0, column: 0, rows, columns }), rows, columns, pictureAt(now.picture, now.range));
  if (!sheet.needs("strip", strip.start)) return;
  for (let i = 0; i < strip.count; i += 1) {
    sheet.paint(fit(strip.box(i), rows, columns), rows, columns, pictureAt(search.picture(strip.start + i), now.range));
  }
}

// A filter as red, green and blue around grey where its input is a picture, as signed planes side by side otherwise.
function filterColors({ layers, stage, rgb }, filter, limit, gap = 1) {
  const { weight, wShape: [, depth, KH, KW] } = layers[stage];
  const count = depth * KH * KW;
  const own = weight.subarray(filter * count, (filter + 1) * count);
  const most = limit ?? largestSize(own);
  if (rgb) {
    const [color, plane] = [aroundGrey(most), KH * KW];
    return { rows: KH, columns: KW, colorAt: (u, v) => color(own[u * KW + v], own[plane + u * KW + v], own[2 * plane + u * KW + v]) };
  }
  const { rows, columns, at } = mosaic(depth, [KH, KW], gap);
  const scale = signedScale(most);
  return { rows, columns, colorAt: (r, c) => (at(r, c) < 0 ? null : scale(own[at(r, c)])) };
}

function paintFilters({ sheet, boards, now, one_scale: oneScale }) {
  const limit = oneScale ? largestSize(now.layers[now.stage].weight) : null;
  for (let i = 0; i < boards.filters.count; i += 1) {
    const { rows, columns, colorAt } = filterColors(now, i, limit, 0);
    sheet.paint(fit(boards.filters.box(i), rows, columns), rows, columns, colorAt);
  }
}

function mapColors({ values, shape: [, rows, columns] }, filter, scale, isSigned) {
  const own = values.subarray(filter * rows * columns, (filter + 1) * rows * columns);
  const shown = scale ?? mapScale(own, isSigned);
  return { rows, columns, colorAt: (r, c) => shown(own[r * columns + c]) };
}

function paintMaps({ sheet, boards, now, one_scale: oneScale, filter }) {
  const isSigned = hasNegative(now.maps.values);
  const scale = oneScale ? mapScale(now.maps.values, isSigned) : null;
  for (let i = 0; i < boards.maps.count; i += 1) {
    const { rows, columns, colorAt } = mapColors(now.maps, i, scale, isSigned);
    sheet.paint(fit(boards.maps.box(i), rows, columns), rows, columns, colorAt);
  }
  const { rows, columns, colorAt } = mapColors(now.maps, filter, scale, isSigned);
  sheet.paint(boards.map.area({ row: 0, column: 0, rows, columns }), rows, columns, colorAt);
}

// Window, filter and products of one cell, in the same arrangement.
function paintTaps({ sheet, boards, now, taps, filter, tapGrid }) {
  const { rows, columns, at } = tapGrid();
  const whole = (board) => board.area({ row: 0, column: 0, rows, columns });
  const plane = taps.kernel[0] * taps.kernel[1];
  const { colorAt } = filterColors(now, filter, null);
  sheet.paint(whole(boards.kernel), rows, columns, colorAt);
  const [, height, width] = now.input.shape;
  const outside = (k) => {
    const [, r, c] = taps.places[k];
    return now.layers[now.stage].mode === "zeros" && (r < 0 || c < 0 || r >= height || c >= width);
  };
  if (now.rgb) {
    const color = (r, c) => [0, 1, 2].map((channel) => level(taps.inputs[channel * plane + r * columns + c], now.range));
    sheet.paint(whole(boards.window), rows, columns, (r, c) => (outside(r * columns + c) ? null : color(r, c)));
    const sums = Float64Array.from({ length: plane }, (_, k) => taps.products[k] + taps.products[plane + k] + taps.products[2 * plane + k]);
    const scale = signedScale(largestSize(sums));
    sheet.paint(whole(boards.products), rows, columns, (r, c) => scale(sums[r * columns + c]));
    return;
  }
  const grey = now.stage === now.firstConv && now.plainInput;
  const inputs = grey ? (v) => Array(3).fill(level(v, now.range)) : mapScale(now.input.values, hasNegative(now.input.values));
  sheet.paint(whole(boards.window), rows, columns, (r, c) => (at(r, c) < 0 || outside(at(r, c)) ? null : inputs(taps.inputs[at(r, c)])));
  const scale = signedScale(largestSize(taps.products));
  sheet.paint(whole(boards.products), rows, columns, (r, c) => (at(r, c) < 0 ? null : scale(taps.products[at(r, c)])));
}

function paintPatches({ sheet, boards, now, patches, search }) {
  for (let i = 0; i < boards.patches.count; i += 1) sheet.clear(boards.patches.box(i));
  patches.forEach(({ picture, cell }, i) => {
    const { row, column, rows, columns } = pixelsSeen(now.layers, now.layer, cell);
    sheet.paint(fit(boards.patches.box(i), rows, columns), rows, columns, pictureAt(search.picture(picture), now.range, row, column));
  });
}

function paintTemplates({ sheet, boards, now, one_scale: oneScale }) {
  if (!now.templates || !sheet.needs("templates", oneScale)) return;
  const { values, shape: [count, channels, rows, columns] } = now.templates;
  const plane = rows * columns;
  const all = oneScale ? largestSize(values) : null;
  for (let k = 0; k < count; k += 1) {
    const own = values.subarray(k * channels * plane, (k + 1) * channels * plane);
    const most = all ?? largestSize(own);
    const [color, signs] = [aroundGrey(most), signedScale(most)];
    const colorAt = (r, c) => {
      const i = r * columns + c;
      return channels === 3 ? color(own[i], own[plane + i], own[2 * plane + i]) : signs(own[i]);
    };
    sheet.paint(fit(boards.templates.box(k), rows, columns), rows, columns, colorAt);
  }
}
