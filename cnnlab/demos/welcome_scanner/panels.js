// The controls and folded parts around the picture. Each function adds its nodes to the scanner and returns a panel.
function transportPanel(scanner) {
  const { player } = scanner;
  const controls = transport({
    label: "Window starts at",
    show: (index) => `${scanner.seconds(index * scanner.hop)} s`,
    hint: "On the picture: drag the window or the threshold; ← → move the window, space plays, Home and End jump.",
    speeds: [[0.25, "¼ ×"], [0.5, "½ ×"], [1, "1 ×"], [2, "2 ×"]],
    speed: 1,
    go: (to, place) => scanner.move(place ? to * scanner.hop : to === "start" ? 0 : scanner.position + to * scanner.hop),
    toggle: () => player.toggle(),
    setSpeed: (rate) => player.speed(rate),
  });
  Object.assign(scanner, { scrub: controls.scrub, soundNote: controls.note, lookPlaying: controls.look });
  return controls.node;
}

function settingsPanel(scanner) {
  const { channels, widths } = scanner;
  const duration = (frames) => `${plural(frames, "frame")} = ${scanner.seconds(frames)} s`;
  scanner.thresholdSlider = slider({
    name: "threshold",
    label: "Threshold",
    show: (value) => number(Number(value), scanner.digits ?? 2),
    onInput: (value) => scanner.setThreshold(value),
  });
  scanner.hopSlider = slider({
    name: "hop",
    label: "Hop",
    min: 1,
    value: 1,
    show: (value) => duration(Number(value)),
    onInput: (value) => scanner.change("hop", value),
  });
  scanner.widthSlider = slider({
    name: "width",
    label: "Window width",
    max: widths.length - 1,
    show: (index) => duration(widths[index]),
    onInput: (index) => scanner.change("width", widths[index]),
  });
  if (widths.length === 1) {
    const takes = `${channels} × ${widths[0]} = ${channels * widths[0]} numbers`;
    const reason = `Fixed: this net’s first layer takes exactly ${takes}.`;
    scanner.widthSlider.disable(`${reason} Another width is another net; pass {width: layers} to compare nets.`);
  }
  return h("div", { class: "settings" }, scanner.thresholdSlider.node, scanner.hopSlider.node, scanner.widthSlider.node);
}

function foldedPanel(scanner) {
  const part = (name, summary, make) => folded({ name, summary, fill: (body) => body.replaceChildren(...make(scanner)) });
  scanner.numbers = part("numbers", "The numbers", numberTable);
  scanner.code = part("code", "Show me the code", codeListings);
  const own = folded({ name: "own", summary: "Your own recording", fill: () => {} });
  own.body.append(...ownRecording(scanner));
  return h("div", { class: "extras" }, scanner.numbers.node, scanner.code.node, own.node);
}

function numberTable({ scores, hop, width, threshold, digits, seconds }) {
  const rows = [];
  for (let t = 0; t < scores.length; t += hop) {
    const [score, above] = [signed(scores[t], digits), scores[t] > threshold ? "yes" : "no"];
    rows.push([String(t), seconds(t), seconds(t + width), score, chance(scores[t]), above]);
  }
  const heads = ["t", "from (s)", "to (s)", "score", "probability", "above threshold"];
  return [table("One row a window", heads, rows)];
}

function codeListings({ channels, recording, width, hop, threshold, frameSeconds }) {
  const values = { channels, frames: recording.frames, width, hop, threshold, frameSeconds };
  return [...codeListing("NumPy", numpyCode(values)), ...codeListing("PyTorch", torchCode(values))];
}

function ownRecording(scanner) {
  const load = () => file.files.length && scanner.load(file.files[0]).then(() => (file.value = ""));
  const file = h("input", { type: "file", name: "wav", accept: ".wav,audio/*", "aria-label": "A WAV file of your own" });
  file.addEventListener("change", load);
  scanner.restore = h("button", { type: "button", name: "restore", text: "Back to the given recording", hidden: true });
  scanner.restore.addEventListener("click", () => scanner.show(scanner.given));
  scanner.status = h("p", { class: "status", role: "status" });
  const { channels, frameSeconds } = scanner;
  if (channels !== BANDS || Math.abs(frameSeconds - FRAME / RATE) > 1e-9) {
    const made = `a sound is turned into ${BANDS} bands × ${FRAME / RATE} s frames`;
    return [h("p", { text: `Not here: ${made}, and this net reads ${channels} bands × ${frameSeconds} s.` })];
  }
  const note =
    "The file stays in this browser. Expect little: a net that has heard one speech synthesizer only will probably miss " +
    "a voice at a microphone, or take something else for “welcome”. That is domain shift, not a broken demo.";
  return [h("p", { text: note }), h("div", { class: "buttons" }, file, scanner.restore), scanner.status];
}
