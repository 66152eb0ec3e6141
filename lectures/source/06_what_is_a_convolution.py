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
# # 6. What is a convolution?
#
# Nine numbers are moved across the photo below, `[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]`, and at each place nine products are added up. **What will be left of the cup?**
# And if the result is scanned with nine more numbers, can the two scans together see something that no single scan can?
#
# A convolution is the scan of the lectures before, with the smallest net there is in its window: one perceptron. This lecture takes it apart down to single products, looks at photos through it,
# stacks it, and works out how it learns: three gradients, each a sum over the edges of lecture 03.
#
# *About 50 minutes. You need: the scan (lectures 01, 02), shared weights and their gradient (lecture 03). Deck rows D25–D33.*

# %%
import numpy as np

from cnnlab import data, demos, nn, ops, reference, viz
from cnnlab.inspection import gradient_check

cat, coffee = data.load_photos(size=240)
viz.pictures([coffee.x])

# %% [markdown] tags=["notes"]
# **1 min.** Have each student write down what they expect of the nine numbers, in one word. The lecture has two halves that can be given on two days: what a convolution computes, up to "Two convolutions with
# nothing between are one", and how it learns.

# %% [markdown]
# ## A perceptron that moves
#
# A perceptron has weights `w` and a bias `b`; it multiplies each weight by its input and adds up. Let it look at 3×3 pixels and lay its nine weights out as a square:
# that is a **filter**, or **kernel**. Here is one, with bias 0, and a picture of 5×5 pixels.

# %%
grid = np.array(
    [
        [1.0, 1, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1],
        [0, 0, 1, 1, 0],
        [0, 1, 1, 0, 0],
    ]
)
cross = np.array([[1.0, 0, 1], [0, 1, 0], [1, 0, 1]])
b = 0.0
viz.maps([grid, cross], titles=["picture", "filter"], numbers=True)

# %% [markdown] tags=["notes"]
# **5 min.** Draw the 5×5 picture on the board and cut the 3×3 filter out of paper; move it by hand for the first row of the result and let the class add up. Stress that nothing is new: weights,
# a bias, a weighted sum. The activation function comes later, as a layer of its own.
#
# *Usually asked:* "Is the filter given or learned?" Learned, in a net. Here we choose it by hand to see what a filter can say; the second half of the lecture is how it is learned.

# %% [markdown]
# At one place, the filter lies on a **window** of the picture. Multiply what lies on one another, component by component; add up; add the bias.

# %%
window = grid[0:3, 0:3]
products = window * cross
terms = [f"{x:.0f}·{w:.0f}" for x, w in zip(window.ravel(), cross.ravel(), strict=True)]
print(" + ".join(terms), f"+ {b:.0f} = {products.sum() + b:.0f}")
viz.maps([window, cross, products], titles=["window", "filter", "products"], numbers=True)

# %% [markdown]
# Now let it move. **Before you run the next cell, predict:** at how many places does the filter fit? What is the largest number that this filter could give on any picture of
# zeros and ones, and does it give it here?


# %%
def slide(x, w, b=0.0, stride=1):
    """Move the filter w (K_H, K_W) over the picture x (H, W)."""
    K_H, K_W = w.shape
    y = np.empty([(n - k) // stride + 1 for n, k in zip(x.shape, w.shape, strict=True)])
    for p, q in np.ndindex(y.shape):
        i, j = stride * p, stride * q  # the window's upper left corner
        y[p, q] = np.sum(x[i : i + K_H, j : j + K_W] * w) + b
    return y


y = slide(grid, cross, b)
print(y)
print(f"largest: {y.max():.0f}; possible: {cross.sum() + b:.0f}")

# %% [markdown]
# The number says how well the window agrees with the filter: 5 would be a complete ×, and this picture has none. All of these numbers together are an **activation map**.
#
# The layer in the library does the same for whole batches, and so does the scanner of lecture 02 with a single perceptron in its window:

# %%
# Arrays of the library: (N, C_in, H, W) and (C_out, C_in, K_H, K_W).
batch, filters = grid[None, None], cross[None, None]
by_library = ops.conv_forward(batch, filters, np.array([b]))[0, 0]
perceptron = nn.Linear(9, 1, dtype=np.float64)
perceptron.weight.data[:] = cross.reshape(1, 9)
perceptron.bias.data[:] = b
by_scan = nn.Scan(perceptron, 3)(batch)[0, 0]
print("ops.conv_forward the same:", np.array_equal(by_library, y))
print("nn.Scan the same:         ", np.array_equal(by_scan, y))

# %% [markdown]
# ## Stride
#
# The filter need not stop at every pixel. With **stride** 2 it moves on by two, to the right and down. **Before you run the next cell, predict:** how large will the map be, and which of the nine
# numbers above does it keep?

# %%
by_two = slide(grid, cross, b, stride=2)
print(by_two)
print("every second number of the map above:", np.array_equal(by_two, y[::2, ::2]))

# %% [markdown] tags=["notes"]
# **4 min.** Let the class say the four numbers before running. Then the demo: pin a cell of the output, read the arithmetic under the picture aloud, change one pixel of the input and see which outputs move.
#
# *Usually asked:* "What happens to pixels that the last window does not reach?" With 5 pixels, a filter of 3 and stride 2 there are none. Make the picture 6 wide and the last column is never looked at;
# the demo marks it. Lecture 07 has the formula.

# %% [markdown]
# Here it is to play with. Step with the arrow keys; click a cell of the picture or the filter and type another number; set the stride, in each direction apart.

# %%
demos.ConvStepper(grid, cross, b)

# %% [markdown]
# ## Which way round?
#
# That filter looks the same in a mirror and upside down, so it hides something. Take one that does not, the numbers from 1 to 9, and a picture that is black but for a single white pixel in the middle.
# **Before you run the next cell, predict** the 3×3 result.

# %%
one_to_nine = np.arange(1.0, 10).reshape(3, 3)
impulse = np.zeros((5, 5))
impulse[2, 2] = 1
result = slide(impulse, one_to_nine)
arrays = [impulse, one_to_nine, result]
viz.maps(arrays, titles=["picture", "filter", "result"], numbers=True)

# %% [markdown] tags=["notes"]
# **4 min.** Most will predict the filter itself. Ask for the top left number of the result alone: the window there has the white pixel in its lower right corner, so the 9 meets it.
#
# *Usually asked:* "So does PyTorch do it wrong?" It computes a cross-correlation and calls it convolution, as the whole field does. For weights that are learned it makes no difference: the net learns
# the turned filter. It matters when weights come from elsewhere, and in the backward pass.

# %% [markdown]
# The filter comes out **turned by 180°**: at the first place it is its *last* weight that meets the white pixel. To slide a filter as it is, is a **cross-correlation**. Mathematics says
# **convolution** when the filter is turned first, so that a single pixel leaves an upright copy of it. NumPy has both, in one dimension:
#
# $$ \text{cross-correlation: } \sum_u w[u]\; x[i+u] \qquad\qquad \text{convolution: } \sum_u w[u]\; x[i-u] $$

# %%
row, taps = np.array([0.0, 0, 1, 0, 0, 2, 0, 0]), np.array([1.0, 2, 3])
ours = slide(row[None], taps[None])[0]
print("ours           ", ours)
print("np.correlate   ", np.correlate(row, taps))
print("np.convolve    ", np.convolve(row, taps, "valid"))
print("ours, w turned ", slide(row[None], taps[None, ::-1])[0])

# %% [markdown]
# **What deep learning calls convolution is cross-correlation**, in the deck, in PyTorch, here. To a net it makes no difference, since it learns the weights and may as well learn them turned. But
# true convolution will come back by itself, twice, before this lecture ends.
#
# Here is the filter of the beginning on the photo of the cup, shrunk to 8×12 pixels of brightness 0 to 9. Tick "Turn the kernel by 180°": what happens to the numbers, and why? Then put in
# a picture and a filter of your own.

# %%
tiny = np.round(9 * data.load_photos(size=12, grey=True)[1].x[0])
sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
demos.ConvStepper(tiny, sobel)

# %% [markdown]
# ## Nine numbers on a photo
#
# Nine equal weights of 1/9 give the mean of a window: the photo is blurred. To sharpen, take the pixel five times and its four neighbors away: whatever differs from its surroundings differs more.

# %%
gray_photos = data.load_photos(size=240, grey=True)
gray_cat, gray_coffee = (photo.x[0].astype(np.float64) for photo in gray_photos)
blur = np.full((3, 3), 1 / 9)
sharpen = np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]])
results = [gray_cat, slide(gray_cat, blur), slide(gray_cat, sharpen)]
viz.pictures([a[None] for a in results], titles=["photo", "blurred", "sharpened"])

# %% [markdown] tags=["notes"]
# **6 min.** Before each filter, let the class guess from the numbers. Two sums help: weights that add up to 1 keep the brightness, weights that add up to 0 see changes only. Such filters were
# designed by hand for decades; in lecture 10 a net finds its own, and some will look familiar.
#
# *Usually asked:* "Why the 2 in the middle row?" The filter is a difference across, (−1, 0, 1), and a little blur along the edge, (1, 2, 1), which makes it less sensitive to noise.

# %% [markdown]
# In both, the weights add up to 1, so a plain surface stays as it is. The nine numbers from the beginning, known as **Sobel's filter**, add up to 0. **Before you run the next cell, predict:** what does
# it give on plain surfaces, at the left rim of the white cup, and at its right rim? And what does its transpose see?

# %%
edge_filters = [sobel, sobel.T]
edges = [slide(gray_coffee, w) for w in edge_filters]
viz.filters_and_maps(edge_filters, edges, titles=["Sobel", "its transpose"])

# %% [markdown]
# Edges are left: positive where it gets brighter to the right, negative where it gets darker, and nothing on plain surfaces. The transpose sees what changes downwards.
#
# Filters may be larger, and say more. Each of the next four holds a thin bright line, in one of four directions; their weights add up to 0 as well. The perceptron's bias now has
# something to do: with $b = -0.15$, and a ReLU behind it, only places that agree well say anything.


# %%
def line_filter(degrees, size=9):
    """Weights for a thin bright line that rises at this angle to the right."""
    down, right = np.mgrid[:size, :size] - size // 2
    angle = np.deg2rad(degrees)
    off_line = right * np.sin(angle) + down * np.cos(angle)  # distance from the line
    ridge = (1 - off_line**2) * np.exp(-(off_line**2) / 2)
    weights = ridge * np.exp(-(right**2 + down**2) / 12)
    return weights - weights.mean()


directions = (15, 60, 105, 150)
lines = [line_filter(degrees) for degrees in directions]
fired = [np.maximum(slide(gray_cat, line, b=-0.15), 0) for line in lines]

# %% [markdown]
# **Before you run the next cell, predict** which of the four finds the whiskers at the lower left of the photo. And what on this cat's face will the 105° find?

# %%
whiskers = (slice(110, 150), slice(0, 80))
for degrees, y in zip(directions, fired, strict=True):
    share = np.mean(y[whiskers] > 0)
    print(f"{degrees:3d}°: fires at {share:5.1%} of the places around the whiskers")
viz.filters_and_maps(lines, fired, titles=[f"{degrees}°" for degrees in directions])

# %% [markdown]
# The first finds the whiskers, thin as they are. The nearly upright one hardly sees them; it finds the stripes of the forehead and the sides of eyes and nose. Each filter says *where* something is that looks like its weights,
# and nothing else.

# %% [markdown]
# ## A filter is a block
#
# A color picture has three planes, red, green and blue. A filter spans **all of them**: it has a slice of weights for each plane, here 3×5×5 numbers. It does not move through the planes, only down and to
# the right, so at each place it gives *one* number: the sum of all 75 products, and the bias. One filter, one map.

# %%
color = coffee.x.astype(np.float64)
bell = np.array([1, 4, 6, 4, 1]) / 16
mean, red_minus_green = np.outer(bell, bell), np.array([1.0, -1, 0])
block = np.multiply.outer(red_minus_green, mean)  # (C_in, K_H, K_W)
print("weights:", block.shape, "=", block.size, "numbers")
planes = [plane[None] for plane in color]
viz.pictures([color, *planes], titles=["photo", "red", "green", "blue"])

# %% [markdown] tags=["notes"]
# **5 min.** Draw the stack of planes as a block and the filter as a smaller block that reaches through its whole depth. The word "depth" is the trap: 3×5×5 is a filter for a two-dimensional convolution, for
# it moves in two directions. Say the dimensions aloud at each step: 75 numbers, one number, one map.
#
# *Usually asked:* "Is the same 5×5 slice used on all planes?" No, each plane has its own slice. That is how a filter can compare planes.

# %% [markdown]
# This one takes the mean of a window in red, minus the same in green. **Before you run the next cell, predict** what it gives on the white rim of the cup and on the spoon, the brightest things in the photo, and on
# the saucer.

# %%
partial = [slide(plane, weights) for plane, weights in zip(color, block, strict=True)]
total = sum(partial)
for place, at in (("rim", (72, 91)), ("spoon", (109, 136)), ("saucer", (70, 54))):
    print(f"{place:7s}", " + ".join(f"{part[at]:5.2f}" for part in partial), f"= {total[at]:5.2f}")
viz.maps([*partial, total], titles=["from red", "from green", "from blue", "sum"], columns=4)

# %% [markdown]
# The rim and the spoon give next to nothing: what is gray says about as much in one plane as in the other, and the slices cancel. The saucer stands out. A filter that spans all
# planes can compare them.
#
# Now with the deck's sizes, a picture of 3×32×32 and one filter of 3×5×5: 28×28 places, and at each a dot product of 75 numbers, and the bias.

# %%
small = data.load_photos(size=60)[1].x[:, 2:34, 12:44].astype(np.float64)  # the cup
one_map = ops.conv_forward(small[None], block[None], np.array([0.1]))
i, j = 20, 11
window = small[:, i : i + 5, j : j + 5]
by_hand = np.dot(window.ravel(), block.ravel()) + 0.1
print(small.shape, "->", one_map.shape[1:])
print(f"place ({i}, {j}): by hand, from {window.size} products and the bias, {by_hand:.6f}")
print(f"              in the map {one_map[0, 0, i, j]:.6f}")

# %% [markdown]
# ## Six filters, six maps
#
# A second filter gives a second map. Six filters give six, and need six biases: 3×32×32 goes in, 6×28×28 comes out. The maps are the planes of a new picture, only that its planes are no longer colors.
#
# Each of these six is a pattern in the plane (a mean, an edge) times a choice of colors.

# %%
slope = np.array([-1, -2, 0, 2, 1]) / 6
gray, blue_minus_yellow = np.full(3, 1 / 3), np.array([-0.5, -0.5, 1])
across, down = np.outer(bell, slope), np.outer(slope, bell)
pairs = [(gray, mean), (gray, across), (gray, down)]
pairs += [(red_minus_green, mean), (blue_minus_yellow, mean), (red_minus_green, across)]
bank = np.stack([np.multiply.outer(colors, plane) for colors, plane in pairs])
biases = np.array([0.0, 0, 0, 0.1, 0.1, 0])
y = ops.conv_forward(small[None], bank, biases)[0]
print(small.shape, "->", y.shape, "with weights", bank.shape, "and biases", biases.shape)
names = ["brightness", "edges across", "edges down"]
names += ["red − green", "blue − yellow", "red edges across"]
viz.maps(list(y), titles=names, columns=3)

# %% [markdown] tags=["notes"]
# **4 min.** Write the shapes on the board and keep them there: x (N, C_in, H, W), w (C_out, C_in, K_H, K_W), b (C_out,), y (N, C_out, H′, W′). Ask which of the two channel numbers of `w` must agree with the
# picture. In the demo, choose a filter and move the window: three partial sums, one result.
#
# *Usually asked:* "Do the filters know of each other?" Not within a layer. They are six perceptrons that look at the same window.

# %% [markdown]
# Look at the layer as a stack of blocks; its weights are multiplied by 64 here, to be read as whole numbers. Choose another filter among the maps, move the window, and watch the partial maps add up.

# %%
layer_view = demos.VolumeView(small.round(2), (64 * bank).round(), 64 * biases)
layer_view.filter = 3  # begin with red − green
layer_view

# %% [markdown]
# Pictures come in batches. Each picture of a **batch** of `N` is scanned by itself, with the same weights: the layer maps (N, C_in, H, W) to (N, C_out, H′, W′).

# %%
face = data.load_photos(size=120)[0].x.astype(np.float64)
corners = [(18, 30), (24, 66), (40, 44)]
batch = np.stack([small, *(face[:, i : i + 32, j : j + 32] for i, j in corners)])
y = ops.conv_forward(batch, bank, biases)
alone = [ops.conv_forward(picture[None], bank, biases)[0] for picture in batch]
print(batch.shape, "->", y.shape)
print("each picture by itself gives the same:", np.allclose(y, alone, atol=1e-12))
viz.pictures(list(batch))

# %% [markdown]
# ## Stack them
#
# What comes out is a picture with more planes, so the next layer can scan it: conv, ReLU, conv, ReLU, and so on. The filters of a layer are as deep as the layer before has maps.
#
# Here is a stack of two, with weights chosen by hand. Its first layer holds Sobel's filter, its negative, its transpose and the negative of that; its second adds up the means of all four maps in 3×3 places.


# %%
def conv_layer(w):
    """A layer of the library with weights of our own."""
    C_out, C_in, *kernel = w.shape
    layer = nn.Conv2d(C_in, C_out, kernel, bias=False, dtype=np.float64)
    layer.weight.data[:] = w
    return layer


first = conv_layer(np.stack([sobel, -sobel, sobel.T, -sobel.T])[:, None])  # (4, 1, 3, 3)
second = conv_layer(np.full((1, 4, 3, 3), 1 / 9))
stack = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
seen = gray_coffee[None, None]
for layer in stack:
    seen = layer(seen)
    print(f"{type(layer).__name__:7s}", seen.shape)

# %% [markdown] tags=["notes"]
# **4 min.** Let the class find out what the four maps are after the ReLU: brighter to the right, darker to the right, brighter downwards, darker downwards. Each filter asks one question; the next layer combines answers.
#
# *Usually asked:* "Why the negatives, when the maps already have both signs?" Because of the ReLU, which lets only one sign through. A pair w, −w with a ReLU keeps both, apart.

# %%
after_first = nn.ReLU()(first(gray_coffee[None, None]))[0]
names = ["brighter to the right", "darker to the right", "brighter below"]
names += ["darker below", "the whole stack"]
viz.maps([*after_first, seen[0, 0]], titles=names, columns=3)

# %% [markdown]
# The stack sees edges of **every** direction, dark to bright or bright to dark. No single convolution can: it is linear, so whatever an edge from dark to bright adds to its answer, the same edge from bright to dark
# takes away.
#
# **Before you run the next cell, predict:** the same weights, but without the two ReLUs. What is left?

# %%
bare = nn.Sequential(first, second)(gray_coffee[None, None])
print(f"largest value with ReLUs {seen.max():.2f}, without {np.abs(bare).max():.0e}")

# %% [markdown]
# Nothing, up to rounding: each map is added to its own negative. With the ReLU between, the two signs went different ways.

# %% [markdown]
# ## Two convolutions with nothing between are one
#
# That was a special case of a general rule. A convolution is linear in its input, apart from the bias, and two linear maps in a row are one: $W_2 (W_1 x) = (W_2 W_1)\, x$.
# And that one is a convolution again. Here are two layers with random weights, 5×5 and then 3×3. **Before you run the next cell, predict:** how large is the one filter that does the work of both?

# %%
rng = np.random.default_rng(0)
w1, b1 = rng.standard_normal((4, 3, 5, 5)), rng.standard_normal(4)
w2, b2 = rng.standard_normal((2, 4, 3, 3)), rng.standard_normal(2)


def compose(w2, w1):
    """One filter bank for w1 and then w2: the sum over all paths through both."""
    K_H, K_W = (a + b - 1 for a, b in zip(w1.shape[2:], w2.shape[2:], strict=True))
    w = np.zeros((w2.shape[0], w1.shape[1], K_H, K_W))
    for u in np.ndindex(w1.shape[2:]):
        for v in np.ndindex(w2.shape[2:]):
            # The matrix product adds up over the maps in the middle.
            w[:, :, u[0] + v[0], u[1] + v[1]] += w2[:, :, *v] @ w1[:, :, *u]
    return w


w21 = compose(w2, w1)
b21 = b2 + np.sum(w2, axis=(2, 3)) @ b1  # b1 comes in through every tap of w2
print(w1.shape, "then", w2.shape, "=", w21.shape)

# %% [markdown] tags=["notes"]
# **6 min.** Draw it in one dimension: output, three inputs of the second layer, their windows of five; together they cover seven. A path that uses tap $v$ above and tap $u$ below ends at $u+v$. Multiply along a path, add over
# paths. That the two kernels meet in $u+v$ makes it a true convolution: in one dimension, with one channel, it is `np.convolve(w1, w2)`, the full one. Strides: one in the second layer only skips outputs; one in the first
# spreads the second's taps, $u + S_1 v$.
#
# *Usually asked:* "Then why do people stack 3×3 layers?" With ReLUs between they are not one. And without: fewer weights, and they reach only some of the large filters (see question 3).

# %% [markdown]
# Follow a path from an output back to the picture: through tap $v$ of the second filter, then through tap $u$ of the first, to the pixel at $t = u + v$. All paths to $t$ add up, so in one dimension the big filter is
# $w[t] = \sum_v w_2[v]\, w_1[t-v]$. There is the minus: a **true convolution** of the two filters, the first of its two returns. Does the one layer do the work of the two?

# %%
x = rng.standard_normal((2, 3, 12, 14))
two = ops.conv_forward(ops.conv_forward(x, w1, b1), w2, b2)
one = ops.conv_forward(x, w21, b21)
print("shapes:", two.shape, one.shape)
print(f"largest difference between two layers and one: {np.abs(two - one).max():.1e}")
print("in one dimension, [1 2 1] twice is", np.convolve([1, 2, 1], [1, 2, 1]))

# %% [markdown]
# That was without padding. Nets often pad with zeros, so that maps keep their size: two pixels at each side for 5×5, one for 3×3, and three for the 7×7 that replaces them.
# **Before you run the next cell, predict:** is it still the same, and if not, where?

# %%
two = ops.conv_forward(ops.conv_forward(x, w1, b1, padding=2), w2, b2, padding=1)
one = ops.conv_forward(x, w21, b21, padding=3)
off = np.abs(two - one)
inside = off[:, :, 1:-1, 1:-1]
print(f"largest difference: {off.max():.1f}; away from the border: {inside.max():.1e}")
viz.maps(list(off[0]), titles=["difference, map 0", "difference, map 1"])

# %% [markdown]
# They differ in a frame one pixel wide. There the second layer reads the zeros *between* the layers, where the one big filter would have had the first layer's values, computed beyond the picture's edge.
#
# With a ReLU between, there is in general no such filter at all. A convolution with bias, $f(x) = Wx + c$, fulfills $f(x) + f(-x) = 2 f(0)$, whatever its weights. One counter-example is enough:


# %%
def bare_stack(x):
    return ops.conv_forward(ops.conv_forward(x, w1, b1), w2, b2)


def stack_with_relu(x):
    return ops.conv_forward(np.maximum(ops.conv_forward(x, w1, b1), 0), w2, b2)


for f in (bare_stack, stack_with_relu):
    off = np.abs(f(x) + f(-x) - 2 * f(0 * x)).max()
    print(f"{f.__name__:15s} f(x) + f(-x) differs from 2 f(0) by {off:.2g}")

# %% [markdown]
# ## Three gradients, three sums over edges
#
# Now let a filter learn. Go down to single products again: an **edge** takes one pixel times one weight into one output, $y_p \mathrel{+}= x_i\, w_k$ with $i = S\,p + k$ for stride $S$, and $b$ is added to every output. Given
# $dy_p$, how the loss changes with each output, the chain rule along each edge gives
#
# $$ dw_k = \sum_{\text{edges with weight } k} dy_p\, x_i, \qquad dx_i = \sum_{\text{edges from pixel } i} dy_p\, w_k, \qquad db = \sum_p dy_p $$
#
# The first is lecture 03's rule for tied weights: the filter's weight $k$ is used at every place, so its gradient is the sum over all of them.


# %%
def gradients(dy, x, w, stride=1):
    """Go along every edge once and give each end its share."""
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), 0.0
    for p, q in np.ndindex(dy.shape):
        db += dy[p, q]
        for u, v in np.ndindex(w.shape):
            i, j = stride * p + u, stride * q + v  # pixel (i, j) -> output (p, q)
            dw[u, v] += dy[p, q] * x[i, j]
            dx[i, j] += dy[p, q] * w[u, v]
    return dx, dw, db


# %% [markdown] tags=["notes"]
# **6 min.** Draw one output with its nine edges, then one weight with its nine edges in another color, then the corner pixel with its single edge. The same edges, collected at three ends. Compare with the forward loop: the same
# index arithmetic, three additions in place of one.
#
# *Usually asked:* "Sum or mean over the places?" Sum: the loss changes through every place at which the weight is used. A mean belongs into the loss, if anywhere.

# %% [markdown]
# How many edges meet where? Let all weights and all $dy_p$ be 1; then $dx$ counts the edges that leave each pixel. **Before you run the next cell, predict** the counts for 5×5 pixels, a filter of 3×3 and stride 1: at a corner,
# in the middle. And with stride 2, where the filter has four places only?

# %%
ones = np.ones((3, 3))
counts = [
    gradients(np.ones((3, 3)), np.ones((5, 5)), ones)[0],
    gradients(np.ones((2, 2)), np.ones((5, 5)), ones, stride=2)[0],
]
viz.maps(counts, titles=["stride 1", "stride 2"], numbers=True)

# %% [markdown]
# Pixels in the middle have more say; with stride 2, those that two windows share. Now the real thing: the 5×5 picture, a lopsided filter, and some $dy$.

# %%
lopsided = np.array([[1.0, 2, 0], [3, 0, 0], [0, 0, -1]])
dy = np.array([[1.0, 0, -2], [0, 3, 0], [0, 1, 0]])
dx, dw, db = gradients(dy, grid, lopsided)
print("db =", db)
viz.maps(
    [grid, lopsided, dy, dx, dw],
    titles=["x, the picture", "w, the filter", "dy", "dx", "dw"],
    columns=3,
    numbers=True,
)

# %% [markdown]
# Are they right? Move one number at a time a little up and a little down, and see how the loss $L = \sum_p dy_p\, y_p$ follows. This needs the forward pass only, and float64.


# %%
def numeric_gradient(loss, a, h=1e-4):
    """Central differences: (L(a + h) - L(a - h)) / 2h for each entry of a in turn."""
    gradient = np.zeros_like(a)
    for at in np.ndindex(a.shape):
        kept = a[at]
        a[at] = kept + h
        up = loss()
        a[at] = kept - h
        gradient[at] = (up - loss()) / (2 * h)
        a[at] = kept
    return gradient


# %%
def errors(dy, stride):
    """The largest error of each of our gradients, against central differences."""
    x, w, b = grid.copy(), lopsided.copy(), np.array(0.5)

    def loss():
        return np.sum(dy * slide(x, w, b, stride))

    numeric = [numeric_gradient(loss, a) for a in (x, w, b)]
    ours = gradients(dy, x, w, stride)
    return [float(np.abs(g - n).max()) for g, n in zip(ours, numeric, strict=True)]


for stride, upstream in ((1, dy), (2, dy[:2, 1:])):
    dx_off, dw_off, db_off = errors(upstream, stride)
    print(f"stride {stride}, largest errors: dx {dx_off:.0e}, dw {dw_off:.0e}, db {db_off:.0e}")

# %% [markdown]
# With channels and a batch, nothing is new: more edges, and the sums run over the batch too. The library computes all of it with matrix products, one for each tap. Compare it with `reference.conv_backward_by_edges`, which
# walks along each edge as we did, and with central differences, on awkward shapes: 2 pictures of 3×7×6, 4 filters of 3×2.


# %%
def largest_difference(some, others):
    return max(float(np.abs(a - o).max()) for a, o in zip(some, others, strict=True))


def compare(**options):
    x, w, b = (rng.standard_normal(shape) for shape in ((2, 3, 7, 6), (4, 3, 3, 2), (4,)))
    dy = rng.standard_normal(ops.conv_forward(x, w, b, **options).shape)

    def loss():
        return np.sum(dy * ops.conv_forward(x, w, b, **options))

    fast = ops.conv_backward(dy, x, w, **options)
    edges = reference.conv_backward_by_edges(dy, x, w, **options)
    numeric = [numeric_gradient(loss, a) for a in (x, w, b)]
    return largest_difference(fast, edges), largest_difference(fast, numeric)


for options in ({"stride": 1}, {"stride": 2}, {"stride": 2, "padding": 1}):
    by_edges, by_differences = compare(**options)
    print(f"{options!s:29s} to edges {by_edges:.0e}, to central differences {by_differences:.0e}")

# %% [markdown]
# ## The backward pass is made of convolutions
#
# Read the sums again. At stride 1 the edge from pixel $i$ to output $p$ has the weight $k = i - p$, so
#
# $$ dw_k = \sum_p dy_p\; x_{p+k}, \qquad\qquad dx_i = \sum_p dy_p\; w_{i-p} $$
#
# The left one is a cross-correlation of the picture with $dy$ as its filter. The right one has a minus: a **true convolution**, of $dy$ with $w$, the second return. To compute it with what slides, turn the filter and pad $dy$
# by two zeros at each side, so that each pixel gets all of its edges (the *full* convolution).

# %%
turned, padded = lopsided[::-1, ::-1], np.pad(dy, 2)
print("dw against x scanned with dy:              ", np.abs(dw - slide(grid, dy)).max())
print("dx against padded dy scanned with turned w:", np.abs(dx - slide(padded, turned)).max())
viz.maps([padded, turned, dx], titles=["dy, padded", "w, turned", "dx"], numbers=True)

# %% [markdown] tags=["notes"]
# **4 min.** Ask for one entry of dx by hand: which outputs did this pixel reach, by which weights? Going backward the window is read from the other side, and hence the turned filter.
#
# *Usually asked:* "And with stride 2?" Outputs that were skipped have no gradient: put zeros between the entries of dy, then do the same. That is why a layer for this, the transposed convolution, exists.

# %% [markdown]
# The same for all channels and the batch. Forward, a filter collects from all input planes; backward, a plane collects from all filters. So the two channel axes of `w` change places. With stride 2, put a zero between any two entries
# of `dy` first.


# %%
def dx_by_convolution(dy, w, stride=1):
    N, C_out, *size = dy.shape
    spread = np.zeros((N, C_out, *(stride * (n - 1) + 1 for n in size)))
    spread[:, :, ::stride, ::stride] = dy
    turned = w[:, :, ::-1, ::-1].swapaxes(0, 1)  # (C_in, C_out, K_H, K_W)
    return ops.conv_forward(spread, turned, padding=[k - 1 for k in w.shape[2:]])


x, w = rng.standard_normal((2, 3, 7, 6)), rng.standard_normal((4, 3, 3, 2))
for stride in (1, 2):
    upstream = rng.standard_normal(ops.conv_forward(x, w, stride=stride).shape)
    by_library, _, _ = ops.conv_backward(upstream, x, w, stride=stride)
    off = np.abs(dx_by_convolution(upstream, w, stride) - by_library).max()
    print(f"stride {stride}: largest difference {off:.0e}")

# %% [markdown]
# ## Would you notice a mistake?
#
# A wrong backward pass raises no error; the net may even learn, only worse. So check it. `gradient_check` compares the slopes along random directions, for the input and every parameter of a layer at once:

# %%
layer = nn.Conv2d(3, 4, (3, 2), stride=2, padding=1, rng=np.random.default_rng(0))
gradient_check(layer, rng.standard_normal((2, 3, 7, 6)))

# %% [markdown] tags=["notes"]
# **3 min.** Let the class bet on each of the three rows before running, first with the lopsided filter, then with the symmetric one. The moral is about tests, not about convolution: choose examples in which a mistake must show.
#
# *Usually asked:* "Would one notice in training?" Often not. The loss falls all the same, only less; a turned kernel in dx spoils what the layers *before* this one learn.

# %% [markdown]
# Now one with two mistakes. It forgets to turn the filter, and takes the mean of $dy$ for `db`. `nn.ConvOp` puts it in the place of the library's. **Before you run the next cell, predict** which rows of the report are wrong for the
# lopsided filter, and which for the × from the beginning.


# %%
def forward(x, w, b, stride, padding):
    return ops.conv_forward(x, w, b, stride=stride, padding=padding)


def wrong_backward(dy, x, w, stride, padding):
    _, dw, _ = ops.conv_backward(dy, x, w, stride=stride, padding=padding)
    dx = ops.conv_forward(dy, w.swapaxes(0, 1), padding=2)  # w is not turned
    db = np.mean(dy, axis=(0, 2, 3))  # should be a sum
    return dx, dw, db


mistaken = nn.ConvOp(forward, wrong_backward)
x = rng.standard_normal((2, 1, 5, 6))
reports = {}
for name, w in (("lopsided", lopsided), ("×", cross)):
    reports[name] = gradient_check(mistaken, x, w[None, None], np.array([0.1]))
    print(f"{name}: {reports[name]}\n")

# %% [markdown]
# The report says where, and by how much; a factor that is the same everywhere often gives the mistake away. But with the × as its filter, the missing turn passes the check: turned or not, it is the same filter. A test is
# only as good as its example, and the deck's filter cannot tell convolution from cross-correlation, forward or backward.

# %% [markdown]
# ## What you saw
#
# * A convolution layer is a perceptron that moves: products with a window of all input planes, their sum, a bias. One filter, one map. What the field calls convolution is cross-correlation.
# * A filter says what it looks for in its weights: means, edges, lines, colors. Its bias says how well they must agree.
# * Without a nonlinearity between, two layers are one (but for a frame at a padded border). With a ReLU between, they can see what none can see alone.
# * The three gradients are sums over edges. $dw$ is a cross-correlation of input and $dy$; $dx$, at stride 1, is a true convolution of $dy$ and the filter.

# %% [markdown] tags=["notes"]
# **1 min.** Have the class say the shapes of x, w, b, y, dx, dw and db for a batch once more, without looking.

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. A layer has six filters of 3×5×5. How many parameters is that, and how does their number change if the picture is twice as wide?</summary>
#
# $6 \cdot (75 + 1) = 456$. It does not change: the same weights are used at more places. The map gets wider.
# </details>
#
# <details><summary>2. Somebody computes edges with Sobel's filter and SciPy's convolve2d, and all signs are the opposite of those in this lecture. Who is wrong?</summary>
#
# Nobody. SciPy computes the convolution of mathematics, which turns the filter, and Sobel's filter turned by 180° is its own negative.
# </details>
#
# <details><summary>3. Two layers with one channel and filters of 3×3, nothing between: which single filter do they make, and can every filter of that size be made this way?</summary>
#
# One of 5×5. Not every one: the two have 18 weights, a 5×5 filter has 25. A stack without nonlinearities is a single convolution, and not even any you like.
# </details>

# %% [markdown]
# ## Go on
#
# Now write it yourself, in [assignment A3](../course/release/a3/a3_convolution.ipynb): exercise 8, `conv2d_loops`, is the first half of this lecture, with channels; exercise 10, `conv2d_forward`, does it fast; exercise 11, `conv2d_backward`, is the three gradients;
# exercise 12, `compose_kernels`, puts two layers into one. The sizes that exercise 9 asks for are the subject of [lecture 07](07_sizes_strides_receptive_fields.ipynb), so do A3 after that.
