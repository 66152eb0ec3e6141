// The curves of a training: one chart for losses, one for shares such as the accuracy; a click goes to an epoch.
class Curves {
  constructor({ onPick }) {
    this.node = s("g", { class: "curves" });
    this.onPick = onPick;
  }

  // records: [{ epoch, values: { name: number } }, …] in order; returns the height that was taken.
  layout({ x, y, width, height, records }) {
    const names = [...new Set(records.flatMap(({ values }) => Object.keys(values)))];
    const isLoss = (name) => /loss|error/i.test(name);
    const groups = [names.filter(isLoss), names.filter((name) => !isLoss(name))].filter((group) => group.length);
    const narrow = width < 560; // one chart under the other
    const gap = narrow ? 8 : 64;
    const wide = narrow ? width : (width - gap * (groups.length - 1)) / Math.max(1, groups.length);
    const epochs = records.map(({ epoch }) => epoch);
    this.marks = [];
    this.node.replaceChildren(
      ...groups.map((group, g) => {
        const corner = narrow ? { x, y: y + g * (height + gap) } : { x: x + g * (wide + gap), y };
        return this.chart(group, { ...corner, width: wide, height, records, epochs });
      }),
    );
    return narrow ? groups.length * (height + gap) - gap : height;
  }

  chart(names, { x, y, width, height, records, epochs }) {
    const series = names.map((name) => records.filter(({ values }) => name in values).map(({ epoch, values }) => [epoch, values[name]]));
    const all = series.flat().map(([, value]) => value);
    const share = all.every((value) => value >= 0 && value <= 1) && !/loss|error/i.test(names[0]);
    const low = Math.min(0, ...all);
    const high = share ? 1 : Math.max(...all, low + 1e-9);
    const [left, right, top, bottom] = [x + 52, x + width - 8, y + 24, y + height - 22];
    const span = Math.max(1, epochs.at(-1) - epochs[0]);
    const across = (epoch) => left + ((epoch - epochs[0]) / span) * (right - left);
    const up = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
    const { values: lines, digits } = ticks(low, high, 3);
    const label = (name, i) => s("tspan", { class: `key line${i % 3}`, dx: i ? 12 : 0, text: `${"● ■ ▲".split(" ")[i % 3]} ${name}` });
    const node = s("g", { class: "chart" }, s("text", { class: "title", x, y: y + 12 }, ...names.map(label)));
    for (const value of lines) {
      node.append(s("path", { class: "grid", d: `M${left} ${up(value)}H${right}` }));
      node.append(s("text", { class: "tick", x: left - 7, y: up(value), "text-anchor": "end", "dominant-baseline": "central", text: number(value, digits) }));
    }
    for (const epoch of ticks(epochs[0], epochs.at(-1) + 1e-6, Math.floor(width / 70)).values.filter(Number.isInteger)) {
      node.append(s("text", { class: "tick", x: across(epoch), y: bottom + 16, "text-anchor": "middle", text: String(epoch) }));
    }
    node.append(s("text", { class: "tick", x, y: bottom + 16, text: "epoch" }));
    const marker = s("path", { class: "now" });
    node.append(marker);
    const dots = series.map((points, i) => {
      const d = points.map(([epoch, value], k) => `${k ? "L" : "M"}${across(epoch)} ${up(value)}`).join("");
      node.append(s("path", { class: `curve line${i % 3}`, d }));
      const dot = [s("circle", { r: 4.5 }), s("rect", { width: 8, height: 8 }), s("path", { d: "M0 -5.5L5 4H-5Z" })][i % 3];
      put(dot, { class: `dot line${i % 3}` });
      node.append(dot);
      return { dot, points, centered: i % 3 === 1 };
    });
    const nearest = (event) => {
      const { left: edge, width: room } = hit.getBoundingClientRect();
      const epoch = epochs[0] + Math.min(1, Math.max(0, (event.clientX - edge) / room)) * span;
      return epochs.reduce((best, other) => (Math.abs(other - epoch) < Math.abs(best - epoch) ? other : best));
    };
    const hit = s("rect", { class: "hit active", x: left, y: top - 6, width: Math.max(1, right - left), height: bottom - top + 12 });
    put(hit, { click: (event) => this.onPick(nearest(event)) });
    node.append(hit);
    this.marks.push({ marker, dots, across, up, top, bottom });
    return node;
  }

  // Mark the epoch that is shown.
  mark(epoch) {
    for (const { marker, dots, across, up, top, bottom } of this.marks ?? []) {
      put(marker, { d: `M${across(epoch)} ${top - 6}V${bottom + 4}` });
      for (const { dot, points, centered } of dots) {
        const found = points.find(([at]) => at === epoch);
        put(dot, { visibility: found ? null : "hidden" });
        if (found) put(dot, { transform: `translate(${across(epoch) - (centered ? 4 : 0)} ${up(found[1]) - (centered ? 4 : 0)})` });
      }
    }
  }
}
