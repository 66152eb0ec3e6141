// Cividis, for one-sided maps: evenly light for all readers, color-blind or not, and in print.
// Twenty-one stops of matplotlib's table (Nuñez, Anderton and Renslow, PLoS ONE 13(7), 2018), straight lines between.
const CIVIDIS = (
  "00224e 002c64 0c3470 243c6e 35456c 434e6c 4f576c 5b606e 666970 727274 7d7c78 " +
  "888578 948e77 a19975 ada272 bbad6d c8b866 d6c35d e5cf52 f2da44 fee838"
).split(" ").map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));

function cividis(share) {
  const place = Math.min(Math.max(share, 0), 1) * (CIVIDIS.length - 1);
  const left = Math.min(Math.floor(place), CIVIDIS.length - 2);
  return CIVIDIS[left].map((value, i) => Math.round(value + (place - left) * (CIVIDIS[left + 1][i] - value)));
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
