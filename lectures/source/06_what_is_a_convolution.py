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

# %% [markdown]
# ## A perceptron that moves
#
# A perceptron has weights `w` and a bias `b`; it multiplies each weight by its input and adds up. Let it look at 3×3 pixels and lay its nine weights out as a square:
# that is a **filter**, or **kernel**. Here is one, with bias 0, and a picture of 5×5 pixels.

# %%
x = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]], dtype=float)
w = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=float)
b = 0.0
viz.maps([x, w], titles=["picture x", "filter w"], numbers=True)

# %% [markdown] tags=["notes"]
# **5 min.** Draw the 5×5 picture on the board and cut the 3×3 filter out of paper; move it by hand for the first row of the result and let the class add up. Stress that nothing is new: weights,
# a bias, a weighted sum. The activation function comes later, as a layer of its own.
#
# *Usually asked:* "Is the filter given or learned?" Learned, in a net. Here we choose it by hand to see what a filter can say; the second half of the lecture is how it is learned.

# %% [markdown]
# At one place, the filter lies on a **window** of the picture. Multiply what lies on one another, component by component; add up; add the bias.

# %%
window = x[0:3, 0:3]
products = window * w
print(" + ".join(f"{a:.0f}·{c:.0f}" for a, c in zip(window.ravel(), w.ravel(), strict=True)), f"+ {b:.0f}", end=" ")
print(f"= {products.sum() + b:.0f}")
viz.maps([window, w, products], titles=["window at (0, 0)", "filter w", "products"], numbers=True)

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


y = slide(x, w, b)
print(y)
print(f"largest: {y.max():.0f}; possible: {w.sum() + b:.0f}")

# %% [markdown]
# The number says how well the window agrees with the filter: 5 would be a complete ×, and this picture has none. All of these numbers together are an **activation map**.
#
# The layer in the library does the same for whole batches, and so does the scanner of lecture 02 with a single perceptron in its window:

# %%
perceptron = nn.Linear(9, 1, dtype=np.float64)
perceptron.weight.data[:], perceptron.bias.data[:] = w.reshape(1, 9), b
batch, filters = x[None, None], w[None, None]  # (N, C_in, H, W) and (C_out, C_in, K_H, K_W)
print("ops.conv_forward:", np.array_equal(ops.conv_forward(batch, filters, np.array([b]))[0, 0], y))
print("nn.Scan:         ", np.array_equal(nn.Scan(perceptron, 3)(batch)[0, 0], y))

# %% [markdown]
# ## Stride
#
# The filter need not stop at every pixel. With **stride** 2 it moves on by two, to the right and down. **Before you run the next cell, predict:** how large will the map be, and which of the nine
# numbers above does it keep?

# %%
print(slide(x, w, b, stride=2))
print("every second row and column of the map above:", np.array_equal(slide(x, w, b, stride=2), y[::2, ::2]))

# %% [markdown] tags=["notes"]
# **4 min.** Let the class say the four numbers before running. Then the demo: pin a cell of the output, read the arithmetic under the picture aloud, change one pixel of the input and see which outputs move.
#
# *Usually asked:* "What happens to pixels that the last window does not reach?" With 5 pixels, a filter of 3 and stride 2 there are none. Make the picture 6 wide and the last column is never looked at;
# the demo marks it. Lecture 07 has the formula.

# %% [markdown]
# Here it is to play with. Step with the arrow keys; click a cell of the picture or the filter and type another number; set the stride, in each direction apart.

# %%
demos.ConvStepper(x, w, b)

# %% [markdown]
# ## Which way round?
#
# That filter looks the same in a mirror and upside down, so it hides something. Take one that does not, the numbers from 1 to 9, and a picture that is black but for a single white pixel in the middle.
# **Before you run the next cell, predict** the 3×3 result.

# %%
one_to_nine = np.arange(1.0, 10).reshape(3, 3)
impulse = np.zeros((5, 5))
impulse[2, 2] = 1
viz.maps(
    [impulse, one_to_nine, slide(impulse, one_to_nine)], titles=["picture", "filter", "result"], numbers=True
)

# %% [markdown] tags=["notes"]
# **4 min.** Most will predict the filter itself. Ask for the top left number of the result alone: the window there has the white pixel in its lower right corner, so the 9 meets it.
#
# *Usually asked:* "So does PyTorch do it wrong?" It computes a cross-correlation and calls it convolution, as the whole field does. For weights that are learned it makes no difference: the net learns
# the turned filter. It matters when weights come from elsewhere, and in the backward pass.

# %% [markdown]
# The filter comes out **turned by 180°**: at the first place it is its *last* weight that meets the white pixel. What slides a filter as it is, is called **cross-correlation**. Mathematics says
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
# Flip the filter in the demo and compare. The picture is now a piece of the photo, its brightness from 0 to 9; put in an array of your own instead.

# %%
gray_cat, gray_coffee = (photo.x[0].astype(np.float64) for photo in data.load_photos(size=240, grey=True))
mine = np.round(9 * gray_coffee[10:94:12, 70:166:12])
demos.ConvStepper(mine, [[1, 2, 0], [3, 0, 0], [0, 0, -1]], flip=True)

# %% [markdown]
# ## Nine numbers on a photo
#
# Nine equal weights of 1/9 give the mean of a window: the photo is blurred. To sharpen, take the pixel five times and its four neighbors away: whatever differs from its surroundings differs more.

# %%
blur = np.full((3, 3), 1 / 9)
sharpen = np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]])
results = [slide(gray_cat, blur), slide(gray_cat, sharpen)]
viz.pictures([a[None] for a in (gray_cat, *results)], titles=["photo", "blurred", "sharpened"])

# %% [markdown] tags=["notes"]
# **7 min.** Before each filter, let the class guess from the nine numbers. Two sums help: weights that add up to 1 keep the brightness, weights that add up to 0 see changes only. Sobel's filter is from
# 1968; such filters were designed by hand for decades. In lecture 10 a net finds its own.
#
# *Usually asked:* "Why the 2 in the middle row?" It is a difference across, and a little blur (1, 2, 1) along the edge, which makes it less sensitive to noise.

# %% [markdown]
# In both, the weights add up to 1, so a plain surface stays as it is. The nine numbers from the beginning, known as Sobel's filter, add up to 0. **Before you run the next cell, predict:** what does
# it give on plain surfaces, at the left rim of the white cup, and at its right rim? And what does its transpose give?

# %%
sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
across, down = slide(gray_coffee, sobel), slide(gray_coffee, sobel.T)
viz.maps([across, down], titles=["filter of the beginning", "its transpose"])

# %% [markdown]
# An edge is all that is left: positive where it gets brighter to the right, negative where it gets darker, nothing on plain surfaces. Its transpose sees what changes downwards.
#
# Filters may be larger, and say more. These four each hold a bright line, in four directions, with weights that add up to 0.


# %%
def line_filter(degrees, size=9):
    """Weights for a thin bright line in this direction, counted from the horizontal, counterclockwise."""
    down, right = np.mgrid[:size, :size] - size // 2
    angle = np.deg2rad(degrees)
    off_line = right * np.sin(angle) + down * np.cos(angle)  # distance from the line
    weights = (1 - off_line**2) * np.exp(-(off_line**2) / 2) * np.exp(-(right**2 + down**2) / 12)
    return weights - weights.mean()


directions = (15, 60, 105, 150)
lines = [line_filter(degrees) for degrees in directions]
viz.maps(lines, titles=[f"{degrees}°" for degrees in directions])

# %% [markdown]
# **Before you run the next cell, predict** which of them finds the whiskers at the left of the cat's face. The bias has something to do as well: with $b = -0.15$ and a ReLU behind it, only
# places that agree well say anything.

# %%
bias = -0.15
lit = [np.maximum(slide(gray_cat, line, bias), 0) for line in lines]
left_whiskers = (slice(100, 150), slice(0, 80))
for degrees, found in zip(directions, lit, strict=True):
    print(f"{degrees:3d}°: fires at {np.mean(found[left_whiskers] > 0):.1%} of the places by the left whiskers")
viz.maps(lit, titles=[f"{degrees}°" for degrees in directions], columns=2)
