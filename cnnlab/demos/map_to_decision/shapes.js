// Arrows, bars and squares: the size of a gradient as a shape; hollow ones lower the answer.

// The outline of an arrow with a head; a hollow one has a single line for its shaft.
function arrow([x, y], [toX, toY], thick, head, hollow) {
  const [dx, dy] = [toX - x, toY - y];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const at = (along, aside) => `${(toX - ux * along - uy * aside).toFixed(1)} ${(toY - uy * along + ux * aside).toFixed(1)}`;
  const back = head * 1.6;
  const tip = `M${at(back, head)}L${at(0, 0)}L${at(back, -head)}`;
  if (hollow) return `${tip}ZM${at(back, 0)}L${x.toFixed(1)} ${y.toFixed(1)}`;
  const half = thick / 2;
  return `${tip}L${at(back, -half)}L${at(length, -half)}L${at(length, half)}L${at(back, half)}Z`;
}

// Gradients as bars along the cells: up where a larger score raises the answer, down where it lowers it.
function strip(gradient, left, top, step, high) {
  const most = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  if (!Number.isFinite(most)) return ["", "", ""];
  const [up, down] = [Math.max(0, ...gradient), Math.max(0, ...gradient.map((value) => -value))];
  const unit = (high - 4) / (up + down || 1);
  const zero = top + 2 + up * unit;
  const wide = step * (step > 6 ? 0.72 : 0.9);
  const bar = (value, i) => {
    const x = left + (i + 0.5) * step - wide / 2;
    return `M${x} ${zero}h${wide}v${-value * unit}h${-wide}Z`;
  };
  const paths = [(value) => value > 0, (value) => value < 0].map((keep) =>
    gradient.map((value, i) => (keep(value) ? bar(value, i) : "")).join(""),
  );
  return [...paths, `M${left} ${zero}h${gradient.length * step}`];
}

// Gradients as squares in the cells of a small map: the area is the size, hollow where it lowers the answer.
function squares(gradient, [, columns], left, top, mini) {
  const most = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  if (!Number.isFinite(most)) return ["", "", ""];
  const square = (value, i) => {
    const size = (mini - 2) * Math.sqrt(Math.abs(value) / (most || 1));
    if (size < 0.4) return "";
    const [x, y] = [left + ((i % columns) + 0.5) * mini - size / 2, top + (Math.floor(i / columns) + 0.5) * mini - size / 2];
    return `M${x} ${y}h${size}v${size}h${-size}Z`;
  };
  return [
    gradient.map((value, i) => (value > 0 ? square(value, i) : "")).join(""),
    gradient.map((value, i) => (value < 0 ? square(value, i) : "")).join(""),
    "",
  ];
}
