// A file of the reader's own, drawn to the size of the picture: filled, and cut where its shape is another.
function ownPicture(view) {
  const file = h("input", { type: "file", name: "picture", accept: "image/*", "aria-label": "A picture of your own" });
  file.addEventListener("change", () => file.files.length && loadPicture(view, file.files[0]).then(() => (file.value = "")));
  view.restore = h("button", {
    type: "button",
    name: "restore",
    text: "Back to the given picture",
    hidden: true,
    click: () => view.useGround(null),
  });
  view.status = h("p", { class: "status", role: "status" });
  const [, height, width] = view.scan.shape;
  const note =
    `The file stays in this browser; it is drawn to ${height} × ${width} pixels. Expect little: a net that was trained ` +
    "on drawings has never met a photo, and will miss real flowers or find some in a face. That is domain shift, not a " +
    "broken demo.";
  return [h("p", { text: note }), h("div", { class: "buttons" }, file, view.restore), view.status];
}

async function loadPicture(view, file) {
  put(view.status, { text: "Reading …", class: "status" });
  try {
    const [channels, height, width] = view.scan.shape;
    const bitmap = await createImageBitmap(file).catch(() => {
      throw new Error(`“${file.name}” could not be read as a picture: choose a PNG, JPEG or WebP file.`);
    });
    const canvas = h("canvas", { width, height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const scale = Math.max(width / bitmap.width, height / bitmap.height);
    const [wide, high] = [bitmap.width * scale, bitmap.height * scale];
    context.imageSmoothingQuality = "high";
    context.fillStyle = "#ffffff"; // under what is transparent
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, (width - wide) / 2, (height - high) / 2, wide, high);
    const { data } = context.getImageData(0, 0, width, height);
    view.useGround(fromPixels(data, channels), `“${file.name}” is scanned now: everything above is about it.`);
  } catch (error) {
    put(view.status, { text: error.message, class: "status wrong" });
  }
}

// RGBA bytes to (C, H, W) in 0 … 1; one channel is the mean of red, green and blue.
function fromPixels(data, channels) {
  const plane = data.length / 4;
  const values = new Float64Array(channels * plane);
  for (let i = 0; i < plane; i += 1) {
    const [red, green, blue] = data.subarray(4 * i, 4 * i + 3);
    if (channels === 1) values[i] = (red + green + blue) / 765;
    else [red, green, blue].forEach((level, c) => (values[c * plane + i] = level / 255));
  }
  return values;
}
