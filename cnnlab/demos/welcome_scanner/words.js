// The sentences under the picture: the same numbers as in it, for readers who listen and readers who look.
function chance(score) {
  const p = 1 / (1 + Math.exp(-score));
  if (p > 0.999) return "> 0.999";
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

function windowWords({ position: t, width, channels, threshold, digits, scores, seconds, nets }) {
  const inputs = channels * width;
  const sizes = [inputs, ...nets.get(width).map(({ bias }) => bias.length)];
  const score = scores[t];
  const side = score > threshold ? "above" : "not above";
  return {
    before:
      `Window t = ${t} (${seconds(t)}–${seconds(t + width)} s): ${channels} bands × ${width} frames = ` +
      `${inputs} numbers → net ${sizes.join(" → ")} → score `,
    score: signed(score, digits),
    after: ` (probability ${chance(score)}), ${side} the threshold ${number(threshold, digits)}.`,
  };
}

function verdictWords({ decision, scores, threshold, digits, seconds }) {
  const { best, found, runs, above, count } = decision;
  const largest = `The largest of ${plural(count, "score")} is ${signed(scores[best], digits)}, at t = ${best}`;
  const comparison = `it is ${found ? "" : "not "}above ${number(threshold, digits)}`;
  if (!found) return `${largest}; ${comparison}, so the answer is no.`;
  const stretch = ({ first, last }) => (first === last ? `${seconds(first)} s` : `${seconds(first)}–${seconds(last)} s`);
  const listed = runs.slice(0, 4).map(stretch).join(", ") + (runs.length > 4 ? ", …" : "");
  return `${largest}; ${comparison}, so the answer is yes. ${plural(above, "window")} above, starting at ${listed}.`;
}
