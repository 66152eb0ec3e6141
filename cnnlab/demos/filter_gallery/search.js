// Which patch of each picture excites a filter most. Pictures are looked at a few at a time, so that the page stays
// quick; maps in front of the filter's layer are kept for the next filter as long as there is room.
const MOST_KEPT = 8e6;

class PatchSearch {
  // pictures: { values, shape: [N, C, H, W] }; onProgress is called whenever more pictures were looked at.
  constructor(pictures, onProgress) {
    Object.assign(this, { pictures, onProgress, found: [], waiting: null, key: "", inputs: new Map(), kept: 0 });
  }

  get count() {
    return this.pictures.shape[0];
  }

  get done() {
    return this.found.length === this.count;
  }

  picture(n) {
    const shape = this.pictures.shape.slice(1);
    const size = product(shape);
    return { values: this.pictures.values.subarray(n * size, (n + 1) * size), shape };
  }

  // Begin anew unless layers (of this version), layer and filter are those of the search that ran last.
  start(layers, version, layer, filter) {
    const key = `${version}/${layer}/${filter}`;
    if (key === this.key) return;
    const stage = stageOf(layers, layer);
    if (version !== this.version || stage !== this.stage) Object.assign(this, { inputs: new Map(), kept: 0 });
    Object.assign(this, { key, version, stage, found: [], job: { layers, layer, filter } });
    cancelAnimationFrame(this.waiting);
    this.work();
  }

  stop() {
    cancelAnimationFrame(this.waiting);
  }

  work() {
    const until = performance.now() + 9;
    while (!this.done && performance.now() < until) this.found.push(this.look(this.found.length));
    this.onProgress();
    if (!this.done) this.waiting = requestAnimationFrame(() => this.work());
  }

  look(n) {
    const { layers, layer, filter } = this.job;
    let x = this.inputs.get(n);
    if (!x) {
      x = forward(layers, this.picture(n), this.stage - 1)[this.stage];
      if (this.stage > 0 && this.kept + x.values.length <= MOST_KEPT) {
        this.inputs.set(n, x);
        this.kept += x.values.length;
      }
    }
    for (let i = this.stage; i <= layer; i += 1) x = applyLayer(x, layers[i], filter);
    return { picture: n, ...largest(x.values, x.shape[2]) };
  }

  // The best patch of each of the k best pictures; equal values in the order of the pictures.
  best(k) {
    return [...this.found].sort((a, b) => b.value - a.value || a.picture - b.picture).slice(0, k);
  }
}
