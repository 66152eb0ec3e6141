// The numbers of the demo, apart from its picture. Python is the reference: tests/browser compares each with NumPy.

// y[t] = MLP(x[:, t : t + width]) at every start t; the window is flattened in C order, ReLU between layers, none
// after the last. Any hop is a selection from these, so a net and a width are scored once.
function scanScores(x, channels, frames, layers, width) {
  const count = frames - width + 1;
  const scores = new Float64Array(Math.max(count, 0));
  const first = layers[0];
  const sums = layers.map(({ bias }) => new Float64Array(bias.length));
  for (let t = 0; t < count; t += 1) {
    for (let i = 0, k = 0; i < first.bias.length; i += 1) {
      let sum = first.bias[i];
      for (let c = 0; c < channels; c += 1) {
        const begin = c * frames + t;
        for (let place = begin; place < begin + width; place += 1, k += 1) sum += first.weight[k] * x[place];
      }
      sums[0][i] = sum;
    }
    for (let l = 1; l < layers.length; l += 1) {
      const { weight, bias } = layers[l];
      const below = sums[l - 1];
      for (let i = 0, k = 0; i < bias.length; i += 1) {
        let sum = bias[i];
        for (let j = 0; j < below.length; j += 1, k += 1) sum += weight[k] * Math.max(0, below[j]);
        sums[l][i] = sum;
      }
    }
    scores[t] = sums[layers.length - 1][0];
  }
  return scores;
}

// The largest of the scores at t = 0, hop, 2·hop … (the first of equals), and the stretches strictly above the threshold.
function decide(scores, hop, threshold) {
  const runs = [];
  let best = 0;
  let above = 0;
  let previousAbove = false;
  for (let t = 0; t < scores.length; t += hop) {
    if (scores[t] > scores[best]) best = t;
    const isAbove = scores[t] > threshold;
    if (isAbove && !previousAbove) runs.push({ first: t, last: t });
    if (isAbove) {
      runs[runs.length - 1].last = t;
      above += 1;
    }
    previousAbove = isAbove;
  }
  return { best, found: scores[best] > threshold, runs, above, count: Math.ceil(scores.length / hop) };
}

function numpyCode({ channels, frames, width, hop, threshold, frameSeconds }) {
  return `import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# x: log-mel, shape (${channels}, ${frames}); layers: [(W, b), …], W of shape (out, in)
windows = sliding_window_view(x, ${width}, axis=1)[:, ::${hop}]  # (${channels}, P, ${width})
v = windows.transpose(1, 0, 2).reshape(-1, ${channels * width})  # (P, ${channels * width}), C order
for i, (W, b) in enumerate(layers):
    if i > 0:
        v = np.maximum(v, 0)
    v = v @ W.T + b
scores = v[:, 0]  # one score a window

best = int(scores.argmax())
found = scores[best] > ${threshold}
print(f"largest score {scores[best]:+.2f} at {best * ${hop} * ${frameSeconds}:.2f} s, welcome: {found}")`;
}

function torchCode({ channels, frames, width, hop, threshold, frameSeconds }) {
  return `import torch

# x: log-mel, shape (${channels}, ${frames}); net: torch.nn.Sequential of Linear and ReLU, ${channels * width} inputs
windows = x.unfold(1, ${width}, ${hop})  # (${channels}, P, ${width})
v = windows.permute(1, 0, 2).flatten(1)  # (P, ${channels * width}), C order
with torch.no_grad():
    scores = net(v)[:, 0]  # one score a window

best = int(scores.argmax())
found = bool(scores[best] > ${threshold})
print(f"largest score {scores[best]:+.2f} at {best * ${hop} * ${frameSeconds}:.2f} s, welcome: {found}")`;
}
