// Where everything stands: picture ⋆ filters → maps → scores, the chosen filter large, its patches, templates, curves.
const STRIP = 34;
const PATCH = 84;

// The largest box of rows × columns within a tile, in its middle.
function fit({ x, y, width, height }, rows, columns) {
  const scale = Math.min(width / columns, height / rows);
  const [w, t] = [columns * scale, rows * scale];
  return { x: x + (width - w) / 2, y: y + (height - t) / 2, width: w, height: t };
}

// Tiles for `count` things in a square of this side.
function tiling(count, side, most = Infinity) {
  const columns = Math.min(count, Math.ceil(Math.sqrt(count)));
  const gap = count > 100 ? 1 : count > 36 ? 2 : 4;
  const tile = Math.min(most, (side - (columns - 1) * gap) / columns);
  return { rows: Math.ceil(count / columns), columns, count, tile: [tile, tile], gap: [gap, gap] };
}

function pixels(rows, columns, side) {
  const cell = side / Math.max(rows, columns);
  return { rows, columns, tile: [cell, cell] };
}

function place(view, width) {
  const { boards, now } = view;
  const narrow = width < 720;
  const gap = narrow ? 18 : 28;
  const beside = narrow ? 150 : 172;
  const side = narrow ? Math.min(width - 4, 360) : Math.floor((width - 3 * gap - beside - 4) / 3);
  const [, , rows, columns] = now.pictures.shape;
  const count = now.layers[now.layer].shape[0];
  const first = narrow ? width - beside - gap - 4 : side;
  boards.picture.layout({ x: 2, y: 2, ...pixels(rows, columns, first), room: first + gap });
  let y = narrow ? Math.max(boards.picture.bottom, scoreHeight(view) + 26) + 14 : 2;
  boards.filters.layout({ x: narrow ? 2 : 2 + side + gap, y, ...tiling(count, side), room: side + gap });
  if (narrow) y = boards.filters.bottom + 12;
  boards.maps.layout({ x: narrow ? 2 : 2 + 2 * (side + gap), y, ...tiling(count, side), room: side + gap });
  const scores = narrow ? { x: 2 + first + gap, y: 2 } : { x: 2 + 3 * (side + gap), y: 2 };
  Object.assign(view.scoreBox, scores, { width: beside - 6 });
  y = Math.max(boards.picture.bottom, boards.filters.bottom, boards.maps.bottom, scores.y + scoreHeight(view) + 22) + 16;
  y = placeStrip(view, y, width) + 16;
  y = placeSum(view, y, width, narrow, side) + 18;
  y = placePatches(view, y, width) + 14;
  y = placeTemplates(view, y, width);
  const shown = now.records.filter(({ values }) => Object.keys(values).length).length > 1;
  put(view.curves.node, { visibility: shown ? null : "hidden" });
  if (shown) {
    y += view.curves.layout({ x: 2, y, width: width - 4, height: 132, records: now.records }) + 4;
  }
  put(view.svg, { width, height: y });
  view.sheet.layout(width, y);
}

function placeStrip({ boards, now, picture }, y, width) {
  const total = now.pictures.shape[0];
  const columns = Math.max(1, Math.min(total, Math.floor(width / (STRIP + 4))));
  const start = Math.min(Math.max(0, picture - Math.floor(columns / 2)), total - columns);
  boards.strip.start = start;
  boards.strip.layout({ x: 2, y, rows: 1, columns, tile: [STRIP, STRIP], gap: [4, 4] });
  boards.strip.entitle(`${start} to ${start + columns - 1} of ${total}`);
  return boards.strip.bottom;
}

function placeSum({ boards, now, sumText, formula, operators, tapGrid }, y, width, narrow, side) {
  const { rows, columns } = tapGrid();
  const sign = narrow ? 16 : 34;
  const small = narrow ? Math.floor((width - 2 * sign - 4) / 3) : Math.floor(Math.min(170, (width - 4 - 2 * sign - 70 - side) / 3));
  let x = 2;
  for (const name of ["window", "kernel", "products"]) {
    boards[name].layout({ x, y, ...pixels(rows, columns, small), room: small + sign });
    x += small + sign;
  }
  const level = boards.window.top + boards.window.height / 2 + 8;
  put(operators[0], { x: 2 + small + sign / 2, y: level, text: "×" });
  put(operators[1], { x: 2 + 2 * small + 1.5 * sign, y: level, text: "=" });
  const under = boards.products.bottom + 22;
  put(sumText, { x: narrow ? 2 : boards.products.x, y: under });
  put(formula, { x: narrow ? width / 2 : boards.window.x + small + sign / 2, y: under, visibility: narrow ? "hidden" : null });
  const [, mapRows, mapColumns] = now.layers[now.layer].shape;
  const map = narrow ? { x: 2, y: under + 14 } : { x: width - 2 - side, y };
  boards.map.layout({ ...map, ...pixels(mapRows, mapColumns, narrow ? Math.min(side, 300) : side), room: side });
  return Math.max(under + 4, boards.map.bottom);
}

// Up to nine tiles, in one row or, on a narrow page, in rows of four.
function placePatches({ boards, now }, y, width) {
  const narrow = width < 720;
  const count = Math.min(now.pictures.shape[0], narrow ? 8 : 9);
  const columns = narrow ? 4 : 9;
  const gap = narrow ? 10 : 20;
  const tile = Math.min(PATCH, (width - 4 - (columns - 1) * gap) / columns);
  boards.patches.layout({ x: 2, y, rows: Math.ceil(count / columns), columns, count, tile: [tile, tile], gap: [gap, 40], room: width });
  return boards.patches.bottom + 38;
}

function placeTemplates({ boards, now }, y, width) {
  put(boards.templates.node, { visibility: now.templates ? null : "hidden" });
  if (!now.templates) return y;
  const count = now.templates.shape[0];
  const columns = Math.max(1, Math.min(count, Math.floor((width + 14) / (PATCH + 16))));
  boards.templates.layout({ x: 2, y, rows: Math.ceil(count / columns), columns, count, tile: [PATCH, PATCH], gap: [16, 40], room: width });
  return boards.templates.bottom + 46;
}
