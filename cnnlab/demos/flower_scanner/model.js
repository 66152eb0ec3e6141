// The numbers of the demo: the picture as it is scanned, the first layer at all windows, the map and the decision.
class FlowerModel {
  constructor({ image, size, layers, sprite }) {
    this.shape = image.shape;
    this.size = size;
    this.layers = layers.map(({ weight, bias }) => ({ weight: unpack(weight).values, bias: unpack(bias).values }));
    this.ground = Float64Array.from(unpack(image).values);
    this.sprite = sprite && { patch: unpack(sprite.patch).values, mask: unpack(sprite.mask).values, size: sprite.mask.shape };
    this.hidden = this.layers[0].bias.length;
    const layer = { size, weight: this.layers[0].weight, hidden: this.hidden };
    this.first = new FirstLayer({ shape: this.shape, ...layer });
    this.places = this.first.places;
    this.at = [0, 0];
    this.shift = [0, 0];
    if (this.sprite) this.prepare(layer);
    this.paint();
    this.first.set(this.rest);
  }

  // The sprite's own share of the first layer depends only on where it lies in the window: computed once for all
  // places, on a ground of zeros that lets it stick out on each side, it moves along with the sprite.
  prepare(layer) {
    const [[channels], [height, width], [down, across]] = [this.shape, this.sprite.size, this.size];
    const shape = [channels, height + 2 * (down - 1), width + 2 * (across - 1)];
    const alone = new Float64Array(product(shape));
    for (let c = 0, i = 0; c < channels; c += 1) {
      for (let r = 0; r < height; r += 1) {
        for (let q = 0; q < width; q += 1, i += 1) {
          alone[(c * shape[1] + r + down - 1) * shape[2] + q + across - 1] = this.sprite.patch[i] * this.sprite.mask[r * width + q];
        }
      }
    }
    this.own = new FirstLayer({ shape, ...layer });
    this.own.set(alone);
  }

  // `rest` is the picture without what the sprite adds, `picture` what is seen.
  paint() {
    const moved = this.shift.some(Boolean) ? rolled(this.ground, this.shape, this.shift) : this.ground;
    this.rest = Float64Array.from(moved);
    this.picture = Float64Array.from(moved);
    if (!this.sprite) return;
    const [channels, rows, columns] = this.shape;
    const { patch, mask, size } = this.sprite;
    for (let c = 0, i = 0; c < channels; c += 1) {
      for (let r = 0; r < size[0]; r += 1) {
        for (let q = 0; q < size[1]; q += 1, i += 1) {
          const at = (c * rows + this.at[0] + r) * columns + this.at[1] + q;
          const opacity = mask[r * size[1] + q];
          this.rest[at] = moved[at] * (1 - opacity);
          this.picture[at] = this.rest[at] + patch[i] * opacity;
        }
      }
    }
  }

  // ---- changes: each leaves windows to be computed anew, which `work` does

  place(at) {
    this.at = [...at];
    this.paint();
    this.first.set(this.rest);
  }

  shiftTo(shift) {
    const [, rows, columns] = this.shape;
    const near = (by, size) => by - size * Math.round(by / size); // the shorter way round
    const [down, right] = [near(shift[0] - this.shift[0], rows), near(shift[1] - this.shift[1], columns)];
    this.shift = [...shift];
    this.paint();
    this.first.move(down, right, this.rest);
  }

  load(values) {
    this.ground = values;
    this.paint();
    this.first.set(this.rest);
  }

  get left() {
    return this.first.left + (this.own?.left ? this.places[0] * this.places[1] : 0);
  }

  work(milliseconds) {
    const end = performance.now() + milliseconds;
    this.own?.work(milliseconds);
    if (!this.own?.left) this.first.work(Math.max(0, end - performance.now()));
  }

  // ---- numbers

  isFresh(i, j) {
    return !this.own?.left && this.first.isFresh(i, j);
  }

  // Sums of the first layer (before ReLU) for the window at row i, column j, into `into`.
  sums(i, j, into = new Float64Array(this.hidden)) {
    const { sums, lanes } = this.first;
    const from = (i * this.places[1] + j) * lanes;
    const { own, at, size } = this;
    const seen = own ? [at[0] - i, at[1] - j].map((offset, axis) => size[axis] - 1 - offset) : [-1, -1];
    const touches = own && seen.every((place, axis) => place >= 0 && place < own.places[axis]);
    const more = touches ? (seen[0] * own.places[1] + seen[1]) * lanes : 0;
    const { bias } = this.layers[0];
    for (let n = 0; n < this.hidden; n += 1) into[n] = sums[from + n] + bias[n] + (touches ? own.sums[more + n] : 0);
    return into;
  }

  // All layers for one window: [{ sums, values }], values after ReLU (the last layer has none).
  through(i, j) {
    const stages = [];
    let sums = this.sums(i, j);
    for (let l = 0; ; l += 1) {
      const last = l === this.layers.length - 1;
      const values = last ? sums : sums.map((sum) => Math.max(0, sum));
      stages.push({ sums, values });
      if (last) return stages;
      sums = dense(this.layers[l + 1], values);
    }
  }

  // The map: a score, or a first-layer neuron's value, at each strided place; NaN where it is not yet computed.
  map(stride, neuron = -1) {
    const shape = this.places.map((count, axis) => Math.ceil(count / stride[axis]));
    const values = new Float64Array(shape[0] * shape[1]).fill(NaN);
    const into = new Float64Array(this.hidden);
    const single = this.layers.length === 1;
    for (let r = 0, p = 0; r < shape[0]; r += 1) {
      for (let c = 0; c < shape[1]; c += 1, p += 1) {
        const [i, j] = [r * stride[0], c * stride[1]];
        if (!this.isFresh(i, j)) continue;
        this.sums(i, j, into);
        if (neuron >= 0) values[p] = single ? into[neuron] : Math.max(0, into[neuron]);
        else values[p] = this.finish(into);
      }
    }
    return { values, shape };
  }

  finish(sums) {
    for (let l = 1; l < this.layers.length; l += 1) sums = dense(this.layers[l], sums.map((sum) => Math.max(0, sum)));
    return sums[0];
  }

  // Multiply-adds of the first layer: for what changed last, and for all of these windows from scratch.
  cost([rows, columns]) {
    return { spent: this.first.spent, whole: rows * columns * this.first.taps * this.hidden };
  }
}

function dense({ weight, bias }, values) {
  const sums = Float64Array.from(bias);
  for (let i = 0, k = 0; i < sums.length; i += 1) {
    for (let j = 0; j < values.length; j += 1, k += 1) sums[i] += weight[k] * values[j];
  }
  return sums;
}

// The brightest of the first `count` cells (the first of equals), how many lie strictly above the threshold, the range.
function decideMap(values, threshold, count = values.length) {
  let [best, above, known, low, high] = [-1, 0, 0, Infinity, -Infinity];
  for (let p = 0; p < count; p += 1) {
    const value = values[p];
    if (Number.isNaN(value)) continue;
    known += 1;
    if (value > threshold) above += 1;
    if (best < 0 || value > values[best]) best = p;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { best, above, known, low, high, found: best >= 0 && values[best] > threshold };
}
