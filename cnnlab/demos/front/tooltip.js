// A note beside the pointer. What it says stands in the words under the picture too, so screen readers skip it.
class Tooltip {
  constructor(stage) {
    this.stage = stage;
    this.node = h("div", { class: "tooltip", "aria-hidden": "true", hidden: true });
    stage.append(this.node);
  }

  // x and y in pixels of the stage; the note stands above, or below where there is no room or `below` asks for it, and
  // stays within the stage's width.
  show(x, y, text, below = y < 40) {
    put(this.node, { text, hidden: false });
    const [room, wide] = [this.stage.clientWidth, this.node.offsetWidth];
    this.node.style.left = `${Math.min(Math.max(0, x - wide / 2), room - wide)}px`;
    this.node.style.top = `${below ? y + 24 : y - this.node.offsetHeight - 10}px`;
  }

  hide() {
    put(this.node, { hidden: true });
  }
}
