// The controls under the picture.
const POOL_OPTIONS = [
  ["kernel_size", "Window", 1, 5],
  ["stride", "Stride", 1, 5],
  ["padding", "Padding", 0, 2],
  ["dilation", "Dilation", 1, 3],
];

function poolSettings(view) {
  const controls = [];
  const pairs = POOL_OPTIONS.map(([name, label, min, max]) => {
    const values = () => (name === "stride" ? (view.stride ?? view.kernel_size) : view[name]);
    const sliders = AXIS.map((axis, i) => {
      const control = slider({
        ...{ name: `${name.replace("_size", "")}-${axis}`, label: `${label}, ${axis}`, min, max, value: values()[i] },
        onInput: (value) => view.change({ [name]: values().map((old, j) => (j === i ? value : old)) }, { reshape: true }),
      });
      controls.push(() => {
        control.range(min, Math.max(max, values()[i]), 1);
        control.set(values()[i]);
        const flat = view.data.rank === 1 && i === 0;
        const none = name === "dilation" && view.how === "average";
        control.disable(flat ? "One axis only: the input is a single row." : none && i === 1 ? "Average pooling has none." : none ? " " : "");
      });
      return control.node;
    });
    return h("div", { class: "pair" }, ...sliders);
  });
  const how = choice({
    ...{ name: "how", label: "Pooling function", options: [["max", "maximum"], ["average", "average"]], value: view.how },
    onInput: (value) => view.change({ how: value }, { reshape: true }),
  });
  const touching = toggle({
    ...{ name: "touching", label: "Stride = window", value: view.stride === null, note: "PyTorch’s default: windows touch and do not overlap." },
    onInput: (on) => view.change({ stride: on ? null : [...view.kernel_size] }, { reshape: true }),
  });
  const ceil = toggle({
    ...{ name: "ceil_mode", label: "ceil_mode", value: view.ceil_mode, note: "A last window may reach beyond the input." },
    onInput: (on) => view.change({ ceil_mode: on }, { reshape: true }),
  });
  const count = toggle({
    ...{ name: "count_include_pad", label: "count_include_pad", value: view.count_include_pad, note: "A mean’s divisor counts zeros of the padding." },
    onInput: (on) => view.change({ count_include_pad: on }, { reshape: true }),
  });
  controls.push(() => {
    how.set(view.how);
    touching.set(view.stride === null);
    ceil.set(view.ceil_mode);
    count.set(view.count_include_pad);
    put(count.node, { hidden: view.how === "max" });
  });
  const extras = h("div", { class: "settings" }, how.node, touching.node, ceil.node, count.node);
  const node = h("div", {}, h("div", { class: "settings" }, ...pairs), extras);
  return { node, set: () => controls.forEach((call) => call()) };
}

// What moves the input in the third view.
function shiftPanel(view) {
  const sliders = ["down", "right"].map((name, i) =>
    slider({
      ...{ name: `shift-${name}`, label: `Shift ${name}`, min: -3, max: 3, value: view.shift[i], show: (value) => number(Number(value), 0) },
      onInput: (value) => view.moveTo(view.shift.map((old, j) => (j === i ? value : old))),
    }),
  );
  if (view.data.rank === 1) sliders[0].disable("One axis only.");
  const modes = [["replicate", "the edge, repeated"], ["zeros", "zeros"], ["circular", "what left on the other side"]];
  const mode = choice({
    ...{ name: "shift_mode", label: "What comes in", options: modes, value: view.shift_mode },
    onInput: (value) => view.change({ shift_mode: value }),
  });
  const set = () => {
    sliders.forEach((control, i) => control.set(view.shift[i]));
    mode.set(view.shift_mode);
    put(node, { hidden: view.view !== "shift" });
  };
  const node = h("div", { class: "settings shift" }, ...sliders.map((control) => control.node), mode.node);
  return { node, set };
}
