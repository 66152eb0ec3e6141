// The first layer at every window of a picture, kept up to date while the picture changes. The layer is linear: where
// pixels change by d its sums change by W·d. So a window is brought up to date from the pixels in it that changed since
// it was last computed, and a window in which none changed costs nothing. A new picture is a change from an empty one.
class FirstLayer {
  // shape: [C, H, W]; size: [K_H, K_W]; weight: (hidden, C·K_H·K_W) row by row.
  constructor({ shape, size, weight, hidden }) {
    const [taps, lanes] = [shape[0] * size[0] * size[1], Math.ceil(hidden / 4) * 4];
    Object.assign(this, { shape, size, hidden, taps, lanes, stride: [1, 1], row: 0, spent: 0 });
    this.places = [shape[1] - size[0] + 1, shape[2] - size[1] + 1];
    this.weight = new Float32Array(lanes * taps); // four neurons at a time; those that fill up have weights of 0
    this.weight.set(weight);
    this.deltas = new Float64Array(taps);
    this.taken = new Int32Array(taps);
    this.forget();
  }

  // Begin with an empty picture, for which every sum is 0.
  forget() {
    const count = this.places[0] * this.places[1];
    this.sums = new Float64Array(count * this.lanes);
    this.version = new Int32Array(count);
    this.pictures = new Map([[0, new Float64Array(product(this.shape))]]);
    this.current = 0;
    this.changes = new Map();
    this.left = 0;
  }

  isFresh(i, j) {
    return this.version[i * this.places[1] + j] === this.current;
  }

  // The picture is another one now. Windows in which no pixel changed are up to date at once.
  set(picture) {
    this.current += 1;
    this.pictures.set(this.current, picture);
    this.changes.clear();
    this.spent = 0;
    const used = new Set(this.version);
    for (const id of [...this.pictures.keys()]) if (id !== this.current && id !== 0 && !used.has(id)) this.pictures.delete(id);
    const [rows, columns] = this.places;
    const seen = new Map([...used].map((id) => [id, this.changed(id).count]));
    const [height, width] = this.size;
    const across = this.shape[2] + 1;
    for (let i = 0, p = 0; i < rows; i += 1) {
      for (let j = 0; j < columns; j += 1, p += 1) {
        const count = seen.get(this.version[p]);
        const [top, bottom] = [i * across + j, (i + height) * across + j];
        if (count[bottom + width] - count[bottom] - count[top + width] + count[top] === 0) this.version[p] = this.current;
      }
    }
    this.count();
  }

  // The picture moved by whole pixels: sums move along with it, windows that come in begin from the empty picture.
  move(down, right, picture) {
    const [rows, columns] = this.places;
    const { sums, version, lanes } = this;
    this.sums = new Float64Array(sums.length);
    this.version = new Int32Array(version.length);
    for (let i = Math.max(0, down); i < Math.min(rows, rows + down); i += 1) {
      for (let j = Math.max(0, right); j < Math.min(columns, columns + right); j += 1) {
        const [to, from] = [i * columns + j, (i - down) * columns + j - right];
        this.version[to] = version[from];
        this.sums.set(sums.subarray(from * lanes, (from + 1) * lanes), to * lanes);
      }
    }
    for (const [id, values] of this.pictures) if (id !== 0) this.pictures.set(id, rolled(values, this.shape, [down, right]));
    this.set(picture);
  }

  // Only every stride-th window is needed.
  step(stride) {
    this.stride = stride;
    this.count();
  }

  count() {
    this.left = 0;
    for (let i = 0; i < this.places[0]; i += this.stride[0]) {
      for (let j = 0; j < this.places[1]; j += this.stride[1]) this.left += !this.isFresh(i, j);
    }
  }

  // How the current picture differs from an earlier one: the differences, the stretches of pixels with one (channel,
  // row, from, to), and how many lie above and left of each corner, so that a window's share is read off four corners.
  changed(id) {
    if (this.changes.has(id)) return this.changes.get(id);
    const [channels, rows, columns] = this.shape;
    const [old, now] = [this.pictures.get(id), this.pictures.get(this.current)];
    const difference = new Float64Array(now.length);
    const count = new Int32Array((rows + 1) * (columns + 1));
    const runs = [];
    for (let c = 0, at = 0; c < channels; c += 1) {
      for (let r = 0; r < rows; r += 1) {
        for (let q = 0, from = -1; q <= columns; q += 1) {
          const delta = q < columns ? now[at + q] - old[at + q] : 0;
          if (delta !== 0) {
            difference[at + q] = delta;
            count[(r + 1) * (columns + 1) + q + 1] += 1;
            if (from < 0) from = q;
          } else if (from >= 0) {
            runs.push([c, r, from, q]);
            from = -1;
          }
        }
        at += columns;
      }
    }
    for (let r = 1, at = columns + 2; r <= rows; r += 1, at += 1) {
      for (let q = 1; q <= columns; q += 1, at += 1) count[at] += count[at - 1] + count[at - columns - 1] - count[at - columns - 2];
    }
    const change = { difference, runs, count };
    this.changes.set(id, change);
    return change;
  }

  // Bring windows up to date, row of windows by row, for this many milliseconds; the next call goes on from there.
  work(milliseconds) {
    const end = performance.now() + milliseconds;
    while (this.left > 0) {
      const stale = new Map();
      for (let j = 0; this.row % this.stride[0] === 0 && j < this.places[1]; j += this.stride[1]) {
        const p = this.row * this.places[1] + j;
        const id = this.version[p];
        if (id === this.current) continue;
        if (!stale.has(id)) stale.set(id, []);
        stale.get(id).push(j);
      }
      for (const [id, columns] of stale) this.update(this.row, columns, this.changed(id));
      this.row = (this.row + 1) % this.places[0];
      if (stale.size && performance.now() >= end) return;
    }
  }

  // Windows of one row, all last computed for the same picture: the changed pixels of each are listed once, with the
  // place of their weights, for all neurons; four neurons at a time.
  update(row, columns, { difference, runs }) {
    const { weight, sums, taps, lanes, deltas, taken } = this;
    const [[, rows, width], [height, across]] = [this.shape, this.size];
    const near = runs.filter(([, r]) => r >= row && r < row + height);
    for (const left of columns) {
      let count = 0;
      for (const [c, r, first, last] of near) {
        const to = Math.min(last, left + across);
        const base = (c * rows + r) * width;
        const shift = (c * height + r - row) * across - left;
        for (let q = Math.max(first, left); q < to; q += 1, count += 1) {
          deltas[count] = difference[base + q];
          taken[count] = shift + q;
        }
      }
      const at = (row * this.places[1] + left) * lanes;
      for (let n = 0; n < lanes; n += 4) {
        const [w0, w1, w2, w3] = [n * taps, (n + 1) * taps, (n + 2) * taps, (n + 3) * taps];
        let s0 = 0;
        let s1 = 0;
        let s2 = 0;
        let s3 = 0;
        for (let t = 0; t < count; t += 1) {
          const delta = deltas[t];
          const k = taken[t];
          s0 += delta * weight[w0 + k];
          s1 += delta * weight[w1 + k];
          s2 += delta * weight[w2 + k];
          s3 += delta * weight[w3 + k];
        }
        sums[at + n] += s0;
        sums[at + n + 1] += s1;
        sums[at + n + 2] += s2;
        sums[at + n + 3] += s3;
      }
      this.spent += count * this.hidden;
      this.version[row * this.places[1] + left] = this.current;
    }
    this.left -= columns.length;
  }
}

// A picture moved down and right by whole pixels; what leaves comes in on the other side.
function rolled(values, [channels, rows, columns], [down, right]) {
  const moved = new Float64Array(values.length);
  const wrap = (place, size) => ((place % size) + size) % size;
  for (let c = 0, at = 0; c < channels; c += 1) {
    for (let r = 0; r < rows; r += 1) {
      const from = (c * rows + wrap(r - down, rows)) * columns;
      for (let q = 0; q < columns; q += 1, at += 1) moved[at] = values[from + wrap(q - right, columns)];
    }
  }
  return moved;
}
