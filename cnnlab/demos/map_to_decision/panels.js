// The controls; what is set anew at each drawing is kept in `view.controls`.
function decisionSettings(view) {
  const { shape } = view;
  const [rows, columns] = shape;
  const sliders = [];
  const add = (options, read) => {
    const control = slider({ ...options, value: read() });
    sliders.push([control, read]);
    return control;
  };
  const how = choice({
    ...{ name: "how", label: "Way shown large", options: view.now.ways.map((way) => [way.how, NAMES[way.how]]), value: view.how },
    onInput: (next) => view.change({ how: next }),
  });
  const temperature = add(
    {
      ...{ name: "temperature", label: "Temperature τ", min: POWERS[0], max: POWERS[1], step: 0.01 },
      show: (power) => temperatureWords(10 ** power),
      onInput: (power) => view.change({ temperature: Number((10 ** power).toPrecision(3)) }),
    },
    () => Math.log10(view.temperature),
  );
  const cell = add(
    {
      name: "cell",
      label: "Cell",
      min: 0,
      max: rows * columns - 1,
      show: (i) => cellName(Number(i), shape).replace("cell ", ""),
      onInput: (i) => view.change({ cell: i }),
    },
    () => view.cell,
  );
  const value = add(
    {
      name: "value",
      label: "Its score",
      step: "any",
      show: (v) => short(Number(v), 2),
      onInput: (v) => view.setCell(view.cell, v),
    },
    () => view.now.y[view.cell],
  );
  const right = add(
    {
      name: "shift-column",
      label: "Map moved right",
      min: 1 - columns,
      max: columns - 1,
      onInput: (by) => view.change({ shift: [view.shift[0], by] }),
    },
    () => view.shift[1],
  );
  const down = add(
    {
      name: "shift-row",
      label: "Map moved down",
      min: 1 - rows,
      max: rows - 1,
      onInput: (by) => view.change({ shift: [by, view.shift[1]] }),
    },
    () => view.shift[0],
  );
  const wrap = toggle({
    name: "wrap",
    label: "What leaves comes in on the other side",
    note: "Otherwise it is lost, and the smallest score fills up.",
    value: view.wrap,
    onInput: (next) => view.change({ wrap: next }),
  });
  const threshold = add(
    {
      name: "threshold",
      label: "Threshold",
      step: 0.1,
      show: (v) => number(Number(v), 2),
      onInput: (v) => view.change({ threshold: v }),
    },
    () => view.threshold,
  );
  const offset = add(
    {
      name: "offset",
      label: "Added to every score",
      min: -200,
      max: 200,
      step: 1,
      show: (v) => signed(Number(v), 0) || "0",
      onInput: (v) => view.change({ offset: v }),
    },
    () => view.offset,
  );
  const subtract = toggle({
    name: "subtract",
    label: "Subtract the maximum first",
    note: "In the softmax. Without it: float32, as on a GPU, and it may overflow.",
    value: view.subtract,
    onInput: (next) => view.change({ subtract: next }),
  });
  const reset = h("button", {
    type: "button",
    name: "reset",
    text: "The given map again",
    click: () => view.change({ scores: view.given, shift: [0, 0], offset: 0 }),
  });
  view.controls = { sliders, how, wrap, subtract, value, threshold, offset };
  const column = (...nodes) => h("div", { class: "pair" }, ...nodes);
  const moves = rows > 1 ? [right.node, down.node] : [right.node];
  return h(
    "div",
    { class: "settings" },
    column(how.node, temperature.node, subtract.node),
    column(cell.node, value.node, reset),
    column(...moves, wrap.node),
    column(threshold.node, offset.node),
  );
}
