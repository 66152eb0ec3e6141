# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11. How fast convolutions are computed
#
# The worked layer of lecture 07, ten filters of 3×5×5 on a picture of 3×32×32, takes 768,000 multiply-adds. One core of an ordinary machine does billions of them in a second, so the layer should be done in
# a fraction of a millisecond. Written down as it is defined, it takes far longer. **Where does the time go? And can the same result be had with fewer multiplications than the definition has?**
#
# Several ways to the same numbers follow, each counted first, then measured on *your* machine: read the times off below the cells, and run a cell again if one surprises you.
#
# *About 50 minutes. You need: convolution as a sum over edges (lecture 06), sizes and costs (07), 1×1 and depthwise layers (08). Deck rows D41–D43, taken further.*

# %% [markdown] tags=["notes"]
# **2 min.** Ask for two guesses and keep them on the board: how many times slower than the machine's best are plain loops in Python, and may an exact result take fewer multiplications than its definition?
# All times differ between the machines in the room; that is welcome. Let three students read theirs out after each section.

# %%
import time
from statistics import median

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from threadpoolctl import threadpool_limits

from cnnlab import explain_plan, nn, ops, use_algorithm, viz
from cnnlab.geometry import ConvGeometry
from cnnlab.kernels import allow_compiled

one_core = threadpool_limits(1)  # from here on, so that counts and times can be compared
allow_compiled(False)  # NumPy's ways are the subject; docs/fast_kernels.md has the compiled ones
rng = np.random.default_rng(0)

# %% [markdown]
# ## What has to be done
#
# Two things cost time: arithmetic, and moving numbers between memory and the core. Both can be counted without running anything. At the very least, the layer must read its input and its
# weights once and write its output once.

# %%
layer = nn.Conv2d(3, 10, 5, padding=2, rng=rng)
w, b = layer.weight.data, layer.bias.data
x = rng.standard_normal((1, 3, 32, 32), dtype="float32")
y = layer(x)
macs = layer.geometry.mac_count(x.shape[1:])
least_bytes = x.nbytes + w.nbytes + b.nbytes + y.nbytes
print(f"multiply-adds: {macs:,}")
print(f"bytes: {x.nbytes:,} in, {w.nbytes + b.nbytes:,} of weights, {y.nbytes:,} out, {least_bytes:,} together")
print(f"multiply-adds for each byte: {macs / least_bytes:.1f}")

# %% [markdown]
# What can this machine do? A product of two large matrices is what cores and libraries are best at; copying a large array shows what memory can deliver. Times jump about on a machine that does other things too, so
# a job is done several times, *in turn* with those it is compared with, and the median counts.


# %%
def medians(jobs, rounds=7):
    """Milliseconds that each job takes: the median over rounds in which every job has its turn."""
    taken = {name: [] for name in jobs}
    for _ in range(rounds + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            taken[name].append(1000 * (time.perf_counter() - start))
    return {name: median(times[1:]) for name, times in taken.items()}  # the first round warms up


square, other = rng.standard_normal((2, 512, 512), dtype="float32")
large, copy = np.ones((2, 2**23), dtype="float32")  # 32 MB each
machine = medians({"product": lambda: square @ other, "copy": lambda: np.copyto(copy, large)})
peak = 512**3 / machine["product"]  # multiply-adds in a millisecond
bandwidth = 2 * large.nbytes / machine["copy"]  # bytes in a millisecond, read and written
print(f"one core: {peak / 1e6:.1f} billion multiply-adds and {bandwidth / 1e6:.1f} GB a second")
print(f"so the layer takes at least {macs / peak * 1000:.0f} µs for its arithmetic", end=" ")
print(f"and {least_bytes / bandwidth * 1000:.0f} µs for its bytes")

# %% [markdown] tags=["notes"]
# **4 min.** This is the roofline, without the name: the larger of two times is a floor that no program gets below if it does all these multiply-adds. Draw two bars for the room's machines. The layer has more than ten multiply-adds for each byte, so it is
# arithmetic that should count. Keep the floor on the board.
#
# *Usually asked:* "Does an input of 12 kB come from memory at all?" No: it lies in the cache, which is faster still. The floor of the bytes is for large batches.

# %% [markdown]
# That is the floor. Now the definition.

# %% [markdown]
# ## Seven loops, or twenty-five
#
# Picture, filter, row, column; channel, row and column of the kernel: seven loops around one multiply-add (the first four share a line here). Lists are used, which Python reads faster than single entries of an array.


# %%
def seven_loops(x, w, b):
    """x is padded already: (N, C, H + K_H − 1, W + K_W − 1) -> (N, M, H, W)."""
    M, C, K_H, K_W = w.shape
    y = np.empty((len(x), M, x.shape[2] - K_H + 1, x.shape[3] - K_W + 1), x.dtype)
    x, w = x.tolist(), w.tolist()
    for n, m, r, s in np.ndindex(y.shape):
        total = b[m]
        for c in range(C):
            for i in range(K_H):
                for j in range(K_W):
                    total += w[m][c][i][j] * x[n][c][r + i][s + j]
        y[n, m, r, s] = total
    return y


# %% [markdown]
# The library's readable op turns the loops inside out. Outside are the 25 **taps** of the kernel; what a tap adds at *all* places is one product of a 10×3 matrix with a slice of the input.


# %%
def sum_over_taps(x, w, b):
    N, (M, C, K_H, K_W) = len(x), w.shape
    H, W = x.shape[2] - K_H + 1, x.shape[3] - K_W + 1
    y = np.zeros((N, M, H * W), x.dtype) + b[:, None]
    for i, j in np.ndindex(K_H, K_W):
        y += w[:, :, i, j] @ x[:, :, i : i + H, j : j + W].reshape(N, C, H * W)
    return y.reshape(N, M, H, W)


# %% [markdown]
# **Before you run the next cell, predict:** both do the same 768,000 multiply-adds. By what factor do their times differ?

# %%
padded = np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)])
jobs = {"seven loops": lambda: seven_loops(padded, w, b), "sum over taps": lambda: sum_over_taps(padded, w, b)}
found = {name: job() for name, job in jobs.items()}
first = medians(jobs, rounds=3)
for name, ms in first.items():
    print(f"{name:14s} {ms:9.3f} ms, {1e6 * ms / macs:7.2f} ns a multiply-add, {ms * peak / macs:8,.0f} × the floor")
print(f"they differ by {abs(found['seven loops'] - found['sum over taps']).max():.1e}")
print(f"the first is {first['seven loops'] / first['sum over taps']:,.0f} times as slow")

# %% [markdown] tags=["notes"]
# **5 min.** Ask what Python does in one turn of the inner loop: look up names, follow four lists for each factor, check types, make a new number object, count up. One multiply-add is hidden in all this. Then let them find which loops moved outside
# and which into NumPy. The order of the sum has changed, so the last digits may.
#
# *Usually asked:* "Would C loops be as slow?" No: a compiled version of the same loops comes near the sum over taps or passes it, and is still well above the floor, because it does one multiply-add at a time and a core can do 8 to 32.

# %% [markdown]
# The arithmetic is the same; what differs is how often Python has to find out what to do next: 768,000 times, or 25. But the sum over taps is not at the floor either. Count the bytes that it moves:
# each tap copies its slice, multiplies, and adds a whole output to `y`.

# %%
P = 32 * 32
slices, products = 3 * 3 * P, 4 * 10 * P  # slice: read, written, read; product: written, read, and y read and written
tap_bytes = 25 * 4 * (slices + products)
print(f"bytes moved by 25 taps: {tap_bytes:,}, {tap_bytes / least_bytes:.0f} times the least")

# %% [markdown]
# The output passes by 25 times. And a product with an inner size of 3, the channels, is a thin one: each number that is fetched serves few multiply-adds. Both can be mended at once.

# %% [markdown]
# ## Windows as columns
#
# Lay each window of the input out as a column of a matrix. Then *all filters at all places* are one product of two matrices, the thing that the machine is best at. The trick is called **im2col**, image to columns
# ([Chellapilla, Puri and Simard, 2006](https://inria.hal.science/inria-00112631)). **Before you run the next cell, predict:** a 5×5 picture has 9 windows of 3×3. In how many columns will the pixel in the middle stand? And one in a corner?

# %%
viz.window_columns((5, 5), (3, 3), pixel=(2, 2), window=5)

# %% [markdown]
# The middle stands in all nine, each time one row higher; a corner in one. Where windows overlap, their pixels are **copied**. That is the price: how large does the matrix of our layer get?


# %%
def im2col(x, w, b):
    N, (M, C, K_H, K_W) = len(x), w.shape
    seen = sliding_window_view(x, (K_H, K_W), axis=(2, 3))  # (N, C, H, W, K_H, K_W): a view, nothing is copied yet
    H, W = seen.shape[2:4]
    columns = seen.transpose(0, 1, 4, 5, 2, 3).reshape(N, C * K_H * K_W, H * W)  # now it is
    y = w.reshape(M, -1) @ columns + b[:, None]  # (N, M, H·W)
    return y.reshape(N, M, H, W)


def computed_by(algorithm, x, w, b=None, **options):
    with use_algorithm(algorithm):
        return ops.conv_forward(x, w, b, **options)


# %%
by_ops = computed_by("taps", x, w, b, padding=2)
print(f"differs from the op by {abs(im2col(padded, w, b) - by_ops).max():.1e}")
print("stride   windows   numbers in the matrix / in the input   K²/S²")
for S in (1, 2, 4, 5):
    windows = ConvGeometry((5, 5), S, 2).output_size((32, 32))
    factor = 75 * windows[0] * windows[1] / x.size
    print(f"{S:6d} {windows[0]:5d}×{windows[1]:<3d} {factor:38.2f} {25 / S**2:7.2f}")

# %% [markdown]
# About **K²/S²** times the input. Which pixels are copied how often?

# %%
copies = np.zeros((32, 32))
for edge in ConvGeometry((5, 5), padding=2).edges((32, 32)):
    copies[edge.input] += 1
print(f"in the middle {copies[16, 16]:.0f}, in a corner {copies[0, 0]:.0f}, on average {copies.mean():.2f}")
viz.maps([copies], titles=["columns in which each pixel stands"])

# %% [markdown] tags=["notes"]
# **7 min.** Cut two windows out of the picture on the board and write them as columns; then write one filter as a row and multiply. Follow one pixel up the anti-diagonal of the figure. Let them write the transpose of the cell themselves: the order of the
# first axes must be that of the flattened filter, (C, K_H, K_W).
#
# *Usually asked:* "We spend 25 times the memory to save time?" Yes, and it often pays, because copying is cheap and a thin product is not. But see the tiles below. "Why is the average a little below 25?" The windows at the border lie partly on padding, which is no pixel.

# %%
second = medians({"taps": lambda: sum_over_taps(padded, w, b), "im2col": lambda: im2col(padded, w, b)}, rounds=15)
for name, ms in second.items():
    print(f"{name:7s} {ms:7.3f} ms, {ms * peak / macs:5.1f} × the floor")

# %% [markdown]
# On most machines the columns win here: one product with an inner size of 75 in place of 25 products with an inner size of 3. If they do not on yours, its copying is slow, or its products are good at thin matrices.

# %% [markdown]
# ## Tiles
#
# The matrix of columns must be written and read again. With 75 rows and 1,024 columns it fits the cache; in other layers it does not. But nobody says that all of it must exist at once: lay out some columns, multiply, write the outputs, and use *the same memory* for the next ones, a **tile** at a time. The library's `im2col` does so; its `im2col_full` lays out one
# picture at once. Their plans tell the working memory:

# %%
layers = {"the deck's layer": (layer, x.shape)}
layers["VGG-16, second"] = (nn.Conv2d(64, 64, 3, padding=1, rng=rng), (1, 64, 224, 224))
for name, (one, shape) in layers.items():
    memory = {}
    for algorithm in ("im2col_full", "im2col"):
        with use_algorithm(algorithm):
            memory[algorithm] = explain_plan(one, shape).steps[0].workspace / 2**20
    print(f"{name:17s} all at once {memory['im2col_full']:6.1f} MB, in tiles {memory['im2col']:4.1f} MB")

# %% [markdown]
# **Before you run the next cell, predict:** the columns of a layer with 64 channels on 112×112, one row of outputs at a time, several, or all at once. Where is the time smallest: at an end, or between?

# %%
wide_x = rng.standard_normal((64, 114, 114), dtype="float32")  # padded
wide_w = rng.standard_normal((64, 64 * 9), dtype="float32")
wide_y = np.empty((64, 112, 112), "float32")


def in_tiles(rows):
    seen = sliding_window_view(wide_x, (3, 3), axis=(1, 2)).transpose(0, 3, 4, 1, 2)  # (C, 3, 3, H, W)
    memory = np.empty((64, 3, 3, rows, 112), "float32")
    for r in range(0, 112, rows):
        np.copyto(memory, seen[:, :, :, r : r + rows])
        wide_y[:, r : r + rows] = (wide_w @ memory.reshape(576, -1)).reshape(64, rows, 112)


rows = [1, 2, 4, 7, 14, 28, 56, 112]
by_rows = medians({r: (lambda r=r: in_tiles(r)) for r in rows}, rounds=3)
for r, ms in by_rows.items():
    print(f"{r:4d} rows, {112 * r:6,} columns: {576 * 112 * r * 4 / 2**20:5.1f} MB, {ms:6.1f} ms")
floor = 64 * 576 * 112 * 112 / peak
style = {"xlabel": "rows in a tile, as powers of 2", "ylabel": "ms", "level": (floor, "the floor")}
viz.curves([float(np.log2(r)) for r in rows], {"time": list(by_rows.values())}, **style)

# %% [markdown] tags=["notes"]
# **4 min.** A tile that is too small calls BLAS often for little; one that is too large falls out of the cache between being written and being read. Ask for the size of the cache of a student's machine and compare with the column of megabytes.
# On a machine with a large cache the right end hardly rises; the memory is saved all the same.

# %% [markdown]
# At the left there is overhead for each product, at the right the tile leaves the cache. On most machines the best place is between; how deep the valley is depends on the caches. What never depends on the machine is the memory: tiles need a small, fixed amount of it for
# pictures of any size.
#
# So much for doing the same multiply-adds in a better order. Can some be left out?

# %% [markdown]
# ## Fewer multiplications
#
# A filter of three weights, `g`, slides over four inputs, `d`. It fits at two places: $y_0 = d_0g_0 + d_1g_1 + d_2g_2$ and $y_1 = d_1g_0 + d_2g_1 + d_3g_2$. **Before you run the next cell, predict:** how many multiplications of an input with a weight does it take to get both?

# %%
d, g = np.array([1.0, 2, 3, 5]), np.array([2.0, -1, 4])
print("by definition:", [f"{d[i] * g[0] + d[i + 1] * g[1] + d[i + 2] * g[2]:.0f}" for i in (0, 1)])
viz.minimal_filtering(d, g)

# %% [markdown] tags=["notes"]
# **7 min.** Do it by hand with the numbers of the figure, then with letters for $y_0$: write out $m_0 + m_1 + m_2$ and cross out what cancels. The idea in one sentence: a filter of three at two places is a product of polynomials of which a part is wanted, and a polynomial is known from its
# values at four points; here 0, 1, −1 and infinity. The values multiply point by point.
#
# *Usually asked:* "Aren't there more additions?" Yes: four for the inputs and four for the outputs, in place of four. In one dimension with one channel nothing is won. The sums of an input serve *all* filters, and those of the outputs are made once for *all* channels: that is where it pays.

# %% [markdown]
# **Four** multiplications in place of the definition's six ([Winograd, 1980](https://doi.org/10.1137/1.9781611970364); for networks [Lavin and Gray, 2016](https://arxiv.org/abs/1509.09308)). What is done to the filter is done once, for all places and pictures.
#
# As matrices, $y = A^T\,[(G g) \odot (B^T d)]$, where ⊙ multiplies number by number. In two dimensions the same is done to rows and to columns, $Y = A^T\,[(G g G^T) \odot (B^T d\, B)]\,A$, so the savings multiply too. A form with `m` outputs on an axis, F(m, 3), takes `m + 2` products where the definition takes `3m`:

# %%
B2 = np.array([[1.0, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])  # these are Bᵀ, G and Aᵀ of F(2, 3)
G2 = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
A2 = np.array([[1.0, 1, 1, 0], [0, 1, -1, -1]])
print("F(2, 3) on the numbers above:", A2 @ ((G2 @ g) * (B2 @ d)))
for m in (1, 2, 4, 6):
    ours, theirs = (m + 2) ** 2, (3 * m) ** 2
    print(f"F({m}×{m}, 3×3): {ours:3d} products in place of {theirs:3d}, {theirs / ours:.2f} times fewer")

# %% [markdown]
# F(4×4, 3×3) is the usual one: **36 products in place of 144**. Its matrices hold larger numbers. A tile of 6×6 inputs gives 4×4 outputs, and the next tile begins 4 pixels further on, so tiles overlap by 2:

# %%
B4 = np.array(
    [
        [4.0, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
G4 = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
A4 = np.array([[1.0, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
looks = np.zeros((10, 10))
for r, s in np.ndindex(2, 2):
    looks[4 * r : 4 * r + 6, 4 * s : 4 * s + 6] += 1
viz.maps([looks], titles=["tiles that read each input"], numbers=True)


# %%
def winograd(x, w, B, G, A):
    """x is padded; B, G, A are Bᵀ, G and Aᵀ as above. A tile has t inputs and m outputs on an axis."""
    m, t = A.shape
    tiles = sliding_window_view(x, (t, t), axis=(2, 3))[:, :, ::m, ::m]  # (N, C, down, across, t, t)
    inputs, weights = B @ tiles @ B.T, G @ w @ G.T  # weights: (M, C, t, t)
    products = np.einsum("ncrsij,mcij->nmrsij", inputs, weights, optimize=True)  # summed over channels
    y = A @ products @ A.T  # (N, M, down, across, m, m)
    N, M, down, across = y.shape[:4]
    return y.swapaxes(3, 4).reshape(N, M, m * down, m * across)


# %% [markdown]
# Its result against the definition's, computed in float64, for a layer with 64 channels:


# %%
def as_type(dtype, *arrays):
    return [a.astype(dtype) for a in arrays]


x3, w3 = rng.standard_normal((1, 64, 34, 34)), rng.standard_normal((64, 64, 3, 3))
exact = computed_by("taps", x3, w3)  # in float64
for dtype in ("float64", "float32"):
    ways = {"F(2×2, 3×3)": winograd(*as_type(dtype, x3, w3, B2, G2, A2))}
    ways["F(4×4, 3×3)"] = winograd(*as_type(dtype, x3, w3, B4, G4, A4))
    ways["im2col"] = im2col(*as_type(dtype, x3, w3, np.zeros(64)))
    print(dtype, {name: f"{abs(y - exact).max() / abs(exact).max():.0e}" for name, y in ways.items()})

# %% [markdown]
# In exact arithmetic all three are equal. With rounding they are not: F(4×4, 3×3) multiplies by 8 and divides by 24 and lets large numbers cancel, so it loses a digit or so, more than F(2×2, 3×3) does. F(6×6, 3×3) would lose more. For training and using networks this is little; where it matters, `cnnlab.kernels.allow_winograd(False)` rules it out.
#
# And the transforms? They cost additions and products with constants, for each channel of the input and of the output, while the products go with the *product* of both. **Before you run the next cell, predict:** from how many channels on is the sum of all operations smaller than the definition's?

# %%
channels = [2**i for i in range(9)]
cost = {"Winograd": [], "definition": []}
for C in channels:
    same = ConvGeometry((3, 3), padding=1, in_channels=C, out_channels=C)
    with use_algorithm("winograd"):
        cost["Winograd"].append(explain_plan(same, (1, C, 64, 64)).steps[0].flops)
    cost["definition"].append(2 * same.mac_count((C, 64, 64)))
relative = np.divide(cost["Winograd"], cost["definition"])
print({C: f"{r:.2f}" for C, r in zip(channels, relative, strict=True)})
style = {"xlabel": "channels, as powers of 2", "ylabel": "operations / definition's"}
viz.curves(range(9), {"F(4×4, 3×3)": relative}, log=True, level=(1, "equal"), **style)

# %% [markdown]
# And by the clock? The deck's layer has kernels of 5×5, for which there are such tiles, too (further down); here it is with 3×3, in a batch of 64, and beside it a layer with 64 channels:

# %%
for C, M, N in ((3, 10, 64), (64, 64, 4)):
    pictures = rng.standard_normal((N, C, 32, 32), dtype="float32")
    kernel = rng.standard_normal((M, C, 3, 3), dtype="float32")
    jobs = {
        name: (lambda name=name, x=pictures, w=kernel: computed_by(name, x, w, padding=1))
        for name in ("im2col", "winograd")
    }
    print(f"{C:2d} to {M} channels:", {name: f"{ms:.2f} ms" for name, ms in medians(jobs).items()})

# %% [markdown]
# With few channels Winograd's way is *more* work, and the deck's layer has three: on most machines it loses there, and comes out level or ahead with 64. (The library's transforms are products with the small matrices from both sides, which BLAS is good at; written out as sums they take fewer operations.) It is a method for the middle of a net, where channels are many.

# %% [markdown]
# ## Products of spectra
#
# Another way to save multiplications is older. A shift of a signal turns its Fourier coefficients and keeps their size; a convolution is a sum of shifted copies; so after a Fourier transform **a convolution is a product, frequency by frequency**, whatever the size of the kernel. For cross-correlation, which is what our layers compute, one
# factor is conjugated. NumPy's `fft` takes signals as if they went on in a circle. **Before you run the next cell, predict:** a signal of 16 numbers, a kernel of 5. At how many of the 16 places does the product of spectra differ from the layer, if the layer reads zeros behind the end?

# %%
signal, kernel = rng.standard_normal(16), np.array([0.5, 1, 1, 1, 0.5])
layer_says = np.array([signal[t : t + 5] @ kernel[: len(signal[t : t + 5])] for t in range(16)])


def by_spectra(signal, kernel, size):
    return np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(kernel, size).conj(), size)


circle, padded_signal = by_spectra(signal, kernel, 16), by_spectra(signal, kernel, 20)[:16]
print("places that differ:", np.flatnonzero(abs(circle - layer_says) > 1e-9))
print(f"with four zeros more: largest difference {abs(padded_signal - layer_says).max():.0e}")
viz.curves(
    range(16), {"the layer": layer_says, "product of spectra, 16 numbers": circle}, xlabel="place", ylabel="output"
)

# %% [markdown] tags=["notes"]
# **6 min.** Draw the signal on a ring: the window that begins at place 13 reads on at 0, 1. It is the padding mode "circular" of lecture 07, here not by choice. Four zeros fill the gap, one less than the kernel.
# Do not derive the Fourier transform; the one fact needed is that a shift becomes a factor.
#
# *Usually asked:* "Why is this not used everywhere, then?" A transform costs about n log n, a layer with 3×3 taps only nine multiply-adds a pair of channels; the kernel must be padded to the size of the picture; complex numbers are twice as large. The next cells count.

# %% [markdown]
# The last `K − 1` places wrap around; zeros at the end keep the circle open, and then all agree. Networks were trained this way by [Mathieu, Henaff and LeCun (2014)](https://arxiv.org/abs/1312.5851). The cost hardly grows with the kernel, that of the definition grows with K². Somewhere the two cross: count first, for the deck's layer with larger and larger kernels.

# %%
kernels = list(range(3, 22, 2))
operations, jobs, error = {"im2col": [], "fft": []}, {}, 0.0
batch = rng.standard_normal((4, 3, 32, 32), dtype="float32")


for K in kernels:
    sized = ConvGeometry((K, K), padding=K // 2, in_channels=3, out_channels=10)
    weights = rng.standard_normal((10, 3, K, K), dtype="float32")
    for name, counted in operations.items():
        with use_algorithm(name):
            counted.append(explain_plan(sized, batch.shape).steps[0].flops / 1e6)
        jobs[name, K] = lambda name=name, w=weights: computed_by(name, batch, w, padding=w.shape[-1] // 2)
    difference = abs(jobs["im2col", K]() - jobs["fft", K]()).max()
    error = max(error, difference / abs(jobs["im2col", K]()).max())
print(f"results differ by up to {error:.0e} of the largest number")
viz.curves(kernels, operations, xlabel="kernel size K", ylabel="million operations", log=True, title="Counted")

# %%
taken = medians(jobs)
times = {name: [taken[name, K] for K in kernels] for name in operations}
for what, costs in {"operations": operations, "milliseconds": times}.items():
    less = [K for K, a, f in zip(kernels, costs["im2col"], costs["fft"], strict=True) if f < a]
    print(f"fft takes fewer {what} for K =", less or "none of these")
viz.curves(kernels, times, xlabel="kernel size K", ylabel="ms", log=True, title="Measured here")

# %% [markdown]
# The count crosses early. A clock usually says later: a transform jumps about in memory and does few operations for each number it fetches, a product of matrices does many. **Operations are not time.** With 3×3 kernels, which most nets use, Fourier is not the way; with the kernels of 11 and
# more that some nets begin with, or one-dimensional ones of hundreds of taps, it may be.

# %% [markdown]
# ## How numbers lie in memory
#
# An array of pictures has four axes; memory has one. `(N, C, H, W)`, as in PyTorch and here, puts the pixels of a row side by side, `(N, H, W, C)` the channels of a pixel, `(C, H, W, N)` the same pixel of all pictures. NumPy's **strides** say how many bytes lie between two neighbors on each axis:

# %%
batch = rng.standard_normal((64, 3, 32, 32), dtype="float32")
orders = {order: ["NCHW".index(axis) for axis in order] for order in ("NCHW", "NHWC", "CHWN")}
laid_out = {order: np.ascontiguousarray(batch.transpose(axes)) for order, axes in orders.items()}
for order, array in laid_out.items():
    print(f"{order}: shape {array.shape!s:17s} strides {array.strides}")

# %% [markdown]
# Whoever copies a window copies **runs**: numbers that lie side by side. Short runs are slow: for each there is an address to compute and a loop to begin, and a core can fetch 8 or 16 neighbors at a time. **Before you run the next cell, predict:** 2 pictures of 3 channels, 3×4 pixels, and the 2×2 window at the same
# place in all. Which order has the longest runs?

# %%
small = {"N": 2, "C": 3, "H": 3, "W": 4}
viz.memory_layouts(small, ["NCHW", "NHWC", "CHWN"], kernel=(2, 2), place=(1, 1))

# %% [markdown] tags=["notes"]
# **6 min.** Let the class find pixel (1, 1) of channel 0 of picture 1 in each strip. Then the general lengths: K, K·C, and K·N. With many channels the second wins, in a large batch the third.
#
# *Usually asked:* "Which one does PyTorch use?" NCHW by default; `memory_format=torch.channels_last` gives NHWC, which many CPU and GPU kernels prefer. The *shape* stays (N, C, H, W) there, only the strides change.

# %% [markdown]
# Lengths of K, K·C and K·N: 5, 15 and 320 numbers for the deck's layer in a batch of 64. What does it mean for the copying in im2col? Each order is copied in the way that suits it, at strides 1 and 2.


# %%
def copying(order, S, x, K=5):
    """Return a job that copies all windows of x, in a layout that keeps the runs of its order together."""
    down, across = order.index("H"), order.index("W")
    step = tuple(slice(None, None, S) if axis in "HW" else slice(None) for axis in order)
    seen = sliding_window_view(x, (K, K), axis=(down, across))[step]  # … with the kernel's axes, 4 and 5, last
    new = {"NCHW": (1, 4, 5, 0, 2, 3), "NHWC": (0, 1, 2, 4, 5, 3), "CHWN": (0, 4, 5, 1, 2, 3)}[order]
    seen = seen.transpose(new)
    columns = np.empty(seen.shape, x.dtype)
    return lambda: np.copyto(columns, seen)


jobs = {(order, S): copying(order, S, array) for order, array in laid_out.items() for S in (1, 2)}
taken = medians(jobs)
panels = {f"stride {S}: ns a number copied": [] for S in (1, 2)}
for (_, S), ms in taken.items():
    numbers = 64 * 75 * (28 // S) ** 2
    panels[f"stride {S}: ns a number copied"].append(1e6 * ms / numbers)
viz.bars(list(laid_out), panels, formats=[".2f", ".2f"])

# %% [markdown]
# At stride 1 NCHW has an answer: laid out as columns, a row of *outputs* is a run too. At stride 2 every second number of it is left out, and on most machines the other orders, whose runs stay whole, are ahead. With 64 channels and a small batch, channels-last has the longest runs. The library turns arrays where the gain pays for the turning: its algorithms `channels_last` and `batch_last` are im2col in these orders.

# %% [markdown]
# ## Two layers that are special
#
# A **1×1** layer needs no columns: the input *is* the matrix, and a reshape makes it one. A **depthwise** layer has a filter for each channel and no sum over channels; there is no product of matrices to be had. **Before you run the next cell, predict:** depthwise 3×3 takes 1/64 of the multiply-adds of a full 3×3 layer with 64 channels. What part of its time does it take?

# %%
special = {"3×3, 64 to 64": nn.Conv2d(64, 64, 3, padding=1, rng=rng)}
special["1×1, 64 to 64"] = nn.Conv2d(64, 64, 1, rng=rng)
special["3×3, depthwise"] = nn.Conv2d(64, 64, 3, padding=1, groups=64, rng=rng)
maps64 = rng.standard_normal((4, 64, 56, 56), dtype="float32")
taken = medians({name: (lambda one=one: one(maps64)) for name, one in special.items()})
by_view = (special["1×1, 64 to 64"].weight.data[:, :, 0, 0] @ maps64.reshape(4, 64, -1)).reshape(maps64.shape)
by_view += special["1×1, 64 to 64"].bias.data[:, None, None]
print(f"1×1 as a product on a view: differs by {abs(by_view - special['1×1, 64 to 64'](maps64)).max():.0e}")
full = special["3×3, 64 to 64"].geometry.mac_count((64, 56, 56))
for name, one in special.items():
    work = one.geometry.mac_count((64, 56, 56))
    byte_count = 2 * maps64.nbytes + one.weight.data.nbytes
    share = f"work {work / full:6.1%}, time {taken[name] / taken['3×3, 64 to 64']:6.1%} of the first"
    print(f"{name:15s} {4 * work / byte_count:6.1f} multiply-adds a byte; {share}")

# %% [markdown] tags=["notes"]
# **4 min.** The last column is the point: a layer with one multiply-add a byte waits for memory, not for arithmetic. Go back to the floor of the first section and put all three layers under it. A net "with nine times fewer multiply-adds" (lecture 08) need not be nine times faster.

# %% [markdown]
# A depthwise layer hardly computes: about one multiply-add for each byte that it must move at the least, and in NumPy what each tap sees is a copy of its own in memory. So its time shrinks far less than its work. Compiled kernels do better, but memory bounds them too, on a CPU as on a GPU.

# %% [markdown]
# ## All of them on the deck's layer
#
# Now everything on one layer, in a batch of 64. `use_algorithm` makes the library compute in a way of our choice; what cannot do it says so:

# %%
try:
    computed_by("pointwise", batch, w, b, padding=2)
except ValueError as refusal:
    print(refusal)

# %%
names = ["taps", "im2col_full", "im2col", "channels_last", "batch_last", "winograd", "fft"]


def compare(layer, x, names):
    """Return rows of name -> operations in millions, memory in MB, milliseconds, share of the peak, error."""
    options = {"padding": layer.geometry.padding}
    w, b = layer.weight.data, layer.bias.data
    exact = computed_by("taps", *as_type("float64", x, w, b), **options)
    jobs = {name: (lambda name=name: computed_by(name, x, w, b, **options)) for name in names}
    taken, rows = medians(jobs | {"product": lambda: square @ other}), {}
    peak = 512**3 / taken["product"]  # measured once more, in turn with the rest
    macs = len(x) * layer.geometry.mac_count(x.shape[1:])
    for name in names:
        with use_algorithm(name):
            step = explain_plan(layer, x.shape).steps[0]
        memory = step.workspace if name != "taps" else x.nbytes + exact[0].size * len(x) * 4
        wrong = abs(jobs[name]() - exact).max() / abs(exact).max()
        rows[name] = step.flops / 1e6, memory / 2**20, taken[name], macs / taken[name] / peak, wrong
    return rows


# %% [markdown]
# **Before you run the next cell, predict** the order by time, and where the fewest operations will end up.

# %%
deck = compare(layer, batch, names)


def shown(rows):
    operations, memory, ms, _, _ = zip(*rows.values(), strict=True)
    panels = {"million operations": operations, "working memory, MB": memory, "ms": ms}
    return viz.bars(list(rows), panels, formats=[".0f", ".1f", ".2f"])


shown(deck)


# %%
def print_table(rows):
    print("                operations     memory       time   of the peak     error")
    for name, (operations, memory, ms, reached, wrong) in rows.items():
        print(f"{name:14s} {operations:8.1f} mln {memory:7.1f} MB {ms:7.2f} ms {reached:13.0%} {wrong:9.0e}")


print_table(deck)

# %% [markdown]
# "Of the peak" counts the *definition's* multiply-adds and divides by what the core did in the product of large matrices. (The memory of the taps is that of NumPy's temporary arrays, of a slice and of a product. A picture of this layer makes just one tile, so `im2col_full` and `im2col` do nearly the same.) Ten filters are few: no product here is as square as one of 512, and that is a part of what remains to the floor. Now a layer from the
# middle of a net, 3×3 with 64 channels, where Winograd's way has more to save:

# %%
middle = nn.Conv2d(64, 64, 3, padding=1, rng=rng)
maps32 = rng.standard_normal((4, 64, 32, 32), dtype="float32")
in_the_middle = compare(middle, maps32, names)
shown(in_the_middle)

# %%
print_table(in_the_middle)

# %% [markdown] tags=["notes"]
# **5 min.** Collect the fastest of each table from the whole room: rarely do all agree. Ask who got more than 100 % of the peak with Winograd, and how that can be: it leaves multiply-adds out. The bars of memory for `fft` show the price of spectra.
#
# *Usually asked:* "Which should I use?" None by hand. Libraries choose, by rules as here or by trying all on the first call (PyTorch's `torch.backends.cudnn.benchmark`).

# %% [markdown]
# In both layers `fft` has fewer operations than im2col, and on most machines it is behind in both, in the second by far: it makes a spectrum of every filter for every channel, as large as the picture. With 64 times 64 of them these are more numbers than the layer's inputs, weights and outputs together, and all have to be moved. Operations are not time. `winograd` takes tiles of 8×8 inputs for the deck's 5×5 taps, 64 products in place of 400; but with three channels and ten filters more than three quarters of its operations are transforms, and next to none of them is in a product of large matrices.
#
# And hardly ever is one algorithm the best for both layers. So a library **plans**: it looks at kernel, stride, channels, batch and size, and picks one by rules that were measured somewhere. `explain_plan` says which and why, for the way there and for both gradients:

# %%
print(explain_plan(layer, batch.shape))

# %%
print(explain_plan(middle, maps32.shape))
for name, (one, shape, rows) in {
    "deck's layer": (layer, batch.shape, deck),
    "in the middle": (middle, maps32.shape, in_the_middle),
}.items():
    print(f"{name}: picked {explain_plan(one, shape)['forward']}, fastest here {min(rows, key=lambda r: rows[r][2])}")

# %% [markdown]
# If the two names differ on your machine, its caches or its BLAS differ from those where the rules were set, or the two are level. `cnnlab bench conv_rules` measures them anew.

# %% [markdown]
# ## What remains
#
# On a GPU the same ideas return in other clothes. NVIDIA's library cuDNN has kernels of the im2col kind that build each tile in the chip's own memory and never write a matrix (*implicit* GEMM), kernels by Winograd and by Fourier, and a preference for channels-last; PyTorch calls it. None of this was measured in this notebook. What was measured for this library, against PyTorch on a CPU and on a GPU,
# and where it falls short, stands in [docs/speed.md](../docs/speed.md), with a paragraph on each algorithm. The gradients are the same three sums as in lecture 06, and each of them is computed in these ways too.

# %% [markdown] tags=["notes"]
# **1 min.** Point to the list of limits at the end of that page: what does not work well is written down as well.

# %% [markdown]
# ## What you saw
#
# * Time goes into arithmetic, into moving numbers, and into deciding what to do next. Loops in Python pay for the third, 768,000 times.
# * im2col copies each pixel about K²/S² times to turn a convolution into the product that machines are best at; tiles keep that memory small.
# * Winograd's and Fourier's ways leave multiplications out: the one with many channels and 3×3, at the cost of a digit, the other with large kernels.
# * The order of axes in memory decides how long the runs are. Operations are not time; layers with few of them for each byte wait for memory.

# %% [markdown] tags=["notes"]
# **1 min.** Return to the two guesses on the board. Then ask which of the pictures of this lecture each of them would draw to explain to a friend why a convolution is fast.

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. AlexNet's first layer has 3×11×11 filters at stride 4. How much larger than its input is its matrix of columns? And with stride 11?</summary>
#
# About $11^2/4^2 \approx 7.6$ times. With stride 11 once: windows do not overlap, no pixel is copied twice, and im2col is only another order of the numbers (the patches of a vision transformer are made this way).
# </details>
#
# <details><summary>2. F(6×6, 3×3) takes 64 products in place of 324. Why do libraries rarely use it, and still less F(8×8, 3×3)?</summary>
#
# Each further output needs another point at which polynomials are evaluated, and powers of larger points are larger numbers: they cancel in the end and take digits with them. The transforms also grow, with the square of the tile for each axis, and the overlap that is saved gets less: from 4 to 6 outputs only from 2.25 to 1.78 products an output.
# </details>
#
# <details><summary>3. You double the batch. What happens to the multiply-adds, to the multiply-adds for each byte, and to the part of the time that Fourier spends on the kernels?</summary>
#
# Multiply-adds double. Inputs and outputs double too, but weights are read once for both, so there are a few more multiply-adds for each byte. The kernels are transformed once for all pictures, so that part halves. The same holds for $G g G^T$ of Winograd's way.
# </details>

# %% [markdown]
# ## Go on
#
# No assignment belongs to this lecture, but one gets better by it: make your `conv2d_forward` of [assignment A3](../course/release/a3/a3_convolution.ipynb), exercise 10, as fast as you can, and measure it against `use_algorithm("taps")` and `use_algorithm("im2col")` with the `medians` of this page. Columns also give the gradients: `dw` is the
# product of `dy` with the columns turned over, and `dx` comes from adding columns back into a picture. The code of each algorithm is in `cnnlab/kernels`, about a hundred lines each.
