// Cividis, for one-sided maps: evenly light for all readers, color-blind or not, and in print.
// Twenty-one stops of matplotlib's table (Nuñez, Anderton and Renslow, PLoS ONE 13(7), 2018), straight lines between.
const CIVIDIS = stops(
  "00224e 002c64 0c3470 243c6e 35456c 434e6c 4f576c 5b606e 666970 727274 7d7c78 " +
  "888578 948e77 a19975 ada272 bbad6d c8b866 d6c35d e5cf52 f2da44 fee838",
);

// Purple and orange, for signed maps: white is zero, orange below, purple above (ColorBrewer's PuOr, from the same table).
const PUOR = stops(
  "7f3b08 9a4a07 b45906 c96d0d e08214 ef9e3c fcb761 fdcc8c fee0b6 faecd7 f6f6f7 " +
  "e8e9f1 d8daeb c5c2de b3acd2 9990bf 8073ac 6a4c9a 532687 41146a 2d004b",
);

function stops(table) {
  return table.split(" ").map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));
}

// The color at a share from 0 to 1 of a table of stops.
function shade(table, share) {
  const place = Math.min(Math.max(share, 0), 1) * (table.length - 1);
  const left = Math.min(Math.floor(place), table.length - 2);
  return table[left].map((value, i) => Math.round(value + (place - left) * (table[left + 1][i] - value)));
}

function cividis(share) {
  return shade(CIVIDIS, share);
}

// Scales: functions from a value to red, green and blue in 0 … 255.
function oneSided(low, high) {
  const span = high - low || 1;
  return (value) => shade(CIVIDIS, (value - low) / span);
}

function centered(limit) {
  const span = 2 * Math.abs(limit) || 1;
  return (value) => shade(PUOR, 0.5 + value / span);
}

function grey(low, high) {
  const span = high - low || 1;
  return (value) => Array(3).fill(Math.round(255 * Math.min(Math.max((value - low) / span, 0), 1)));
}

// The scale that suits an array: centered where signs occur, one-sided where they do not.
function scaleFor(values) {
  let [low, high] = [0, 0];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low < 0 ? centered(Math.max(-low, high)) : oneSided(0, high);
}

const css = ([red, green, blue]) => `rgb(${red},${green},${blue})`;

// Black or white, whichever stands out more; the contrast is never under 4.58, the square root of 21.
function inkOn([red, green, blue]) {
  const linear = (part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  return luminance > 0.1791 ? "#000000" : "#ffffff";
}

// The values at two shares of the sorted array, so that a few extremes do not flatten the picture.
function bounds(values, low, high) {
  const sorted = Float32Array.from(values).sort();
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return [at(low), at(high)];
}

// One pixel a value, row 0 at the bottom; the page stretches the canvas.
function paintMap(canvas, values, rows, columns) {
  const [low, high] = bounds(values, 0.02, 0.998);
  const span = high - low || 1;
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let r = 0; r < rows; r += 1) {
    for (let c = 0; c < columns; c += 1) {
      const color = cividis((values[r * columns + c] - low) / span);
      image.data.set([...color, 255], ((rows - 1 - r) * columns + c) * 4);
    }
  }
  context.putImageData(image, 0, 0);
}
