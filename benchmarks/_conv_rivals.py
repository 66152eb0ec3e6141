"""The others: two usual ways of computing a convolution in NumPy, and PyTorch."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnlab.geometry import ConvGeometry


class Columns:
    """All columns of the batch in one matrix, kept for the backward pass; no groups and zeros as padding."""

    def __init__(self, layer, x, w, b):
        self.layer, self.x, self.w, self.b = layer, x, w, b
        self.g = ConvGeometry.of_weight(w.shape, **layer.options)
        self.out = self.g.output_size(x.shape[2:])

    def columns(self, x):
        """Return (C·K, N·P)."""
        g, rank = self.g, self.g.rank
        steps = x.strides[2:]
        shape = (x.shape[1], *g.kernel, x.shape[0], *self.out)
        strides = (
            x.strides[1],
            *(s * d for s, d in zip(steps, g.dilation, strict=True)),
            x.strides[0],
            *(s * d for s, d in zip(steps, g.stride, strict=True)),
        )
        return np.ascontiguousarray(as_strided(x, shape, strides)).reshape(prod(shape[: 1 + rank]), -1)

    def forward(self):
        N, M = len(self.x), len(self.w)
        x = np.pad(self.x, ((0, 0), (0, 0), *self.g.padding))
        self.kept = self.columns(x)
        y = self.w.reshape(M, -1) @ self.kept + self.b[:, None]
        return np.ascontiguousarray(np.moveaxis(y.reshape(M, N, *self.out), 1, 0))

    def backward(self, dy):
        M = len(self.w)
        dy2 = np.moveaxis(dy, 1, 0).reshape(M, -1)
        dw, db = (dy2 @ self.kept.T).reshape(self.w.shape), dy2.sum(axis=1)
        if self.layer.first:
            return dw, db
        g = self.g
        padded = [n + sum(p) for n, p in zip(self.x.shape[2:], g.padding, strict=True)]
        dx = np.zeros((*self.x.shape[:2], *padded), self.x.dtype)
        dcolumns = (self.w.reshape(M, -1).T @ dy2).reshape(self.x.shape[1], *g.kernel, len(self.x), *self.out)
        for tap, seen in g.taps(self.x.shape[2:]):
            dx[..., *seen] += np.moveaxis(dcolumns[(slice(None), *tap)], 0, 1)
        inside = [slice(a, n - b) for n, (a, b) in zip(padded, g.padding, strict=True)]
        return np.ascontiguousarray(dx[..., *inside]), dw, db


class Textbook(Columns):
    """The textbook's im2col: one picture after the other, its columns made anew in the backward pass."""

    def forward(self):
        M = len(self.w)
        x = np.pad(self.x, ((0, 0), (0, 0), *self.g.padding))
        w = self.w.reshape(M, -1)
        return np.stack([(w @ self.columns(one[None]) + self.b[:, None]).reshape(M, *self.out) for one in x])

    def backward(self, dy):
        N = len(self.x)
        parts = []
        for n in range(N):
            one = Columns(self.layer, self.x[n : n + 1], self.w, self.b)
            one.kept = one.columns(np.pad(one.x, ((0, 0), (0, 0), *self.g.padding)))
            parts.append(one.backward(dy[n : n + 1]))
        dw, db = (sum(part[i] for part in parts) for i in (-2, -1))
        return (dw, db) if self.layer.first else (np.concatenate([part[0] for part in parts]), dw, db)


class PyTorch:
    def __init__(self, layer, x, w, b, *, channels_last=False):
        import torch

        self.torch, self.layer = torch, layer
        rank = x.ndim - 2
        order = {2: torch.channels_last, 3: torch.channels_last_3d}.get(rank) if channels_last else None
        self.order = order or torch.contiguous_format
        self.x, self.w = (torch.tensor(a).contiguous(memory_format=self.order) for a in (x, w))
        self.b = torch.tensor(b)
        self.conv = (torch.conv1d, torch.conv2d, torch.conv3d)[rank - 1]

        def each(value):
            return list(value) if isinstance(value, tuple) else [value] * rank

        o = layer.options
        self.arguments = [each(o.get("stride", 1)), each(o.get("padding", 0)), each(o.get("dilation", 1)), False]
        self.arguments += [[0] * rank, o.get("groups", 1)]

    def forward(self):
        with self.torch.no_grad():
            return self.conv(self.x, self.w, self.b, **self.layer.options)

    def upstream(self, dy):
        return self.torch.tensor(dy).contiguous(memory_format=self.order)

    def backward(self, dy):
        wanted = [not self.layer.first, True, True]
        back = self.torch.ops.aten.convolution_backward
        return back(dy, self.x, self.w, [len(self.b)], *self.arguments, wanted)
