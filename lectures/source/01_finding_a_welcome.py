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
# # 1. Finding a "welcome"
#
# Somebody hands you four seconds of speech and asks one question: **does it contain the word "welcome"?** Not where, not how often; yes or no.
#
# Listen to the two recordings below. In one of them somebody says "welcome". You hear it at once, wherever it is.
# At the end of this lecture a network with fewer than 20,000 parameters will do the same, and you will know why a larger one cannot.
#
# *About 40 minutes. You need: what a multilayer perceptron (MLP) is and how it is trained. Deck rows D01–D07.*

# %% [markdown] tags=["notes"]
# **3 min.** Play both recordings before anybody sees a spectrogram, and let the class vote: in which of them is the word? Draw a box on the board, four seconds of sound going in,
# one bit coming out; the lecture fills it.
#
# *Usually asked:* "Why not transcribe the speech and search the text?" That solves this question for every word of the language first. Here one word has to do, with a small net.

# %%
import numpy as np
from IPython.display import Audio, display

from cnnlab import data, demos, nn, optim, train, viz

recordings = {recording.label: recording for recording in data.load_welcome_recordings()}
with_word = recordings["welcome among near misses"]
without = recordings["become, outcome, income: no welcome"]
for recording in (without, with_word):
    display(Audio(recording.wave, rate=recording.sample_rate))

# %% [markdown]
# ## What a network gets to see
#
# Sound is a long row of numbers; here 8,000 for each second. Speech is easier to read as a **spectrogram**: short pieces of the sound, one after another, and for
# each the loudness in 20 frequency bands (on the mel scale, which spaces bands as hearing does, and on a logarithmic scale of loudness). One column is 20 ms.
#
# A recording is then an array `x` of shape `(C, T)`: `C` = 20 bands, `T` columns of time.

# %% [markdown] tags=["notes"]
# **4 min.** Say which axis is which while you point: bands upward, time to the right, brightness for loudness. Let somebody find *-come* in the near misses by eye. Write `(C, T)` next to
# the box on the board: channels come first in every array of this course.
#
# *Usually asked:* "Why not feed in the sound itself?" One can. It is 8,000 numbers a second instead of 20 · 50 = 1,000, and the first layers would have to learn something like
# this picture before anything else.

# %%
viz.sound_and_spectrogram(with_word)

# %% [markdown]
# Bright is loud. The frame marks the word "welcome" (it was the second recording). The words around it are near misses, which share a part with it:
# no rule as simple as "a loud piece, then *-come*" will do.

# %% [markdown]
# The course does not come with one recording but with a generator: `load_welcome` puts clips of spoken words together, in noise, each time
# anew. Half of the recordings have "welcome" at a place that we choose; the other half have another word there.

# %%
START = 0.3  # seconds: where the word begins in all recordings that we train on
training = data.load_welcome("train", 2000, at=START, seed=1)
N, C, T = training.x.shape
print(
    f"{N} recordings of {C} bands × {T} frames of {1000 * training.frame_seconds:.0f} ms;",
    f"{training.y.mean():.0%} contain the word",
)
viz.spectrograms(training, [0, 1, 2, 3])

# %% [markdown]
# ## The obvious answer: one MLP over the whole recording
#
# Recap: an MLP takes a vector. Flatten the recording into one vector of `C·T` numbers, let a hidden layer of 32 units look at all of
# them, and let one output unit say how much speaks for "welcome" (a *logit*: positive means yes).

# %% [markdown] tags=["notes"]
# **8 min.** This net should first convince and then fail. Take a show of hands on the prediction (it loses nothing, some, everything) before you show the answer. Then draw the first layer:
# a row of `T` boxes, a weight for each. Move the word by one box and ask which of the weights have met it. Take your time over the picture of the weights: it is the reason for everything that follows.
#
# *Usually asked:* "Is this not just overfitting?" No. It recognizes voices that it has never heard, so it did learn the word; it learned it for one place.

# %%
rng = np.random.default_rng(0)
whole = nn.mlp([C * T, 32, 1], rng=rng)
print(whole)


def size(net):
    return sum(p.data.size for p in net.parameters())


print(f"{size(whole):,} parameters")


# %%
def flat(x):
    return x.reshape(len(x), -1)  # (N, C, T) -> (N, C·T)


def train_mlp(net, x, y, *, epochs, lr, weight_decay, progress=False):
    optimizer = optim.Adam(net.parameters(), lr=lr, weight_decay=weight_decay)
    options = {
        "loss": nn.BCEWithLogitsLoss(),
        "optimizer": optimizer,
        "batch_size": 50,
        "rng": np.random.default_rng(0),
    }
    history = train.fit(net, x, y[:, None], epochs=epochs - 2, progress=progress, **options)
    optimizer.lr = lr / 10  # small steps at the end, so that the last batches do not decide
    history.loss += train.fit(net, x, y[:, None], epochs=2, progress=False, **options).loss
    return history


def accuracy(logits, y):
    return float(np.mean((logits > 0) == (y > 0.5)))


# %%
history = train_mlp(whole, flat(training.x), training.y, epochs=15, lr=5e-4, weight_decay=1e-3, progress=True)
viz.training_curve(history)

# %% [markdown]
# The training loss falls to almost nothing. Does the net also understand recordings that it has never heard, spoken by voices
# that it has never heard?


# %%
def accuracy_at(net_logits, start, n=400, seed=7):
    """Accuracy on recordings of unseen voices with the word beginning at `start` seconds (None: anywhere)."""
    test = data.load_welcome("test", n, at=start, seed=seed)
    return accuracy(net_logits(test.x), test.y)


def whole_logits(x):
    return train.predict(whole, flat(x))[:, 0]


print(f"unseen voices, word at {START} s: {accuracy_at(whole_logits, START):.2f}")

# %% [markdown]
# A good detector, then. **Before you run the next cell, predict:** the same voices say the same words, but "welcome" begins at 0.5 s instead of
# 0.3 s. How much accuracy does the net lose?

# %%
print(f"unseen voices, word at 0.5 s: {accuracy_at(whole_logits, 0.5):.2f}")
print(f"unseen voices, word anywhere: {accuracy_at(whole_logits, None):.2f}")

# %% [markdown]
# A coin does as well: half of the recordings contain the word. A fifth of a second was enough.

# %% [markdown]
# Here is why. The first layer has one weight for each band *at each time*. The picture shows how strongly the 32 hidden units
# look at each moment of the recording, as the root mean square of their weights at each frame.

# %%
first_layer = whole[0].weight.data.reshape(32, C, T)
viz.weight_over_time(first_layer, training)

# %% [markdown]
# The net learned to look where the word was, and only there. To the MLP, component 300 of its input and component 320 are two unrelated
# inputs with unrelated weights: **a shift by one component makes a different input**. Nothing that was learned at one place is known at another.

# %% [markdown]
# The same holds for a flower in a picture. For us, these two show the same flower. In the flattened vector it fills other components, and what an MLP has learned
# about the left one says nothing about the right one.

# %%
flowers = [data.load_flowers(2, where=where, seed=4) for where in ((14, 18), (46, 50))]
left, right = (scenes.x[scenes.y == 1][0] for scenes in flowers)
viz.pictures([left, right], titles=["flower at the left", "flower at the right"])

# %% [markdown]
# ## But was that fair?
#
# We trained with the word at one place and tested at others. Let the MLP see **every** place in training, and it should do better.
#
# Same size, same number of recordings, the word anywhere. **Before you run the next cell, predict** its accuracy twice: on the recordings that it was trained on, and on unseen voices.

# %% [markdown] tags=["notes"]
# **3 min.** Do not raise the objection yourself; wait until somebody says that the comparison was unfair. Collect two numbers for the prediction, one for each question.
#
# *Usually asked:* "How many more recordings would it need?" For each place about as many as it now has for one: tens of times more. The scan needs none of them.

# %%
anywhere = data.load_welcome("train", 2000, at=None, seed=1)
fair = nn.mlp([C * T, 32, 1], rng=np.random.default_rng(0))
train_mlp(fair, flat(anywhere.x), anywhere.y, epochs=15, lr=5e-4, weight_decay=1e-3, progress=True)


def fair_logits(x):
    return train.predict(fair, flat(x))[:, 0]


print(f"in training:                  {accuracy(fair_logits(anywhere.x), anywhere.y):.2f}")
print(f"unseen voices, word anywhere: {accuracy_at(fair_logits, None):.2f}")

# %% [markdown]
# It knows its training recordings by heart and little else. The net must learn the word anew for each place where it may begin, from the few
# recordings that have it there. A much larger net and much more data would help; both would be spent on learning the same thing again for every place.

# %% [markdown]
# In many problems **only the presence of a pattern matters, not its place**. We want a network whose answer does not change when
# the pattern moves: a *shift-invariant* one.

# %% [markdown]
# ## Scan
#
# So look at less at a time. A word lasts about half a second. Take a small MLP that looks at a **window** of `K` = 30 frames
# (0.6 s) and says whether *this window* is the word. Then put the window at every place, one after another, and ask the same MLP each time.
#
# To train it, cut windows out of the training recordings: where the word is (and up to two frames beside it, so that it need not be hit exactly),
# and anywhere in recordings that do not contain it.

# %% [markdown] tags=["notes"]
# **6 min.** Cut a paper window as wide as 30 columns of the projected picture and slide it along: another place, the same window, the same weights. Let the class count the places for
# `T` = 5 and `K` = 3 on their fingers before the formula comes. Unfold the code of the loop: it is the definition, and the next lectures only write it in other ways.
#
# *Usually asked:* "What happens at the end, where the window sticks out?" It never does: only full windows count, so there are `T − K + 1` of them, not `T`.

# %%
K = 30
word_middle = (training.start + training.stop) // 2


def windows_at(x, places, width):
    """Cut the window x[:, t:t+width] at each of the places of each recording, flattened: (windows, C·width)."""
    return np.stack([x[i, :, t : t + width].reshape(-1) for i, row in enumerate(places) for t in row])


rng = np.random.default_rng(0)
yes, no = training.y == 1, training.y == 0
around = np.clip(word_middle[yes][:, None] - K // 2 + np.arange(-2, 3), 0, T - K)
random = rng.integers(0, T - K + 1, (no.sum(), 5))
positives = windows_at(training.x[yes], around, K)
negatives = windows_at(training.x[no], random, K)
print(f"{len(positives)} windows with the word, {len(negatives)} without")


# %%
def train_window_net(positives, negatives):
    net = nn.mlp([positives.shape[1], 32, 1], rng=np.random.default_rng(0))
    windows = np.concatenate([positives, negatives])
    labels = np.concatenate([np.ones(len(positives)), np.zeros(len(negatives))]).astype(np.float32)
    train_mlp(net, windows, labels, epochs=8, lr=1e-3, weight_decay=3e-4)
    return net


small = train_window_net(positives, negatives)
print(f"{size(small):,} parameters, instead of {size(whole):,}")

# %% [markdown]
# The scan itself is one loop. With windows counted from 0, `t` runs over all places where a full window fits:
#
# $$ y(t) = \mathrm{MLP}\big(x[:,\ t : t+K]\big), \qquad t = 0, \dots, T-K $$

# %%
P = T - K + 1  # places where a full window fits


def scan(x):
    scores = np.empty(P)
    for t in range(P):
        window = x[:, t : t + K]
        scores[t] = small(window.reshape(1, C * K))[0, 0]
    return scores


small.eval()
scores = scan(with_word.x)
scanner = nn.Scan(small, K).eval()  # the same as a layer, for a batch: (N, C, T) -> (N, 1, P)
print(
    f"{P} windows of {K} frames; largest difference between the loop and nn.Scan:",
    f"{np.abs(scores - scanner(with_word.x[None])[0, 0]).max():.0e}",
)
viz.score_curve(with_word, scores, width=K)

# %% [markdown]
# The curve is highest at the word: wherever the word is, the same weights find it. Now the recording that does *not* contain it:

# %%
viz.score_curve(without, scan(without.x), width=K)

# %% [markdown]
# It has windows above zero as well, so the net would say yes. Near misses look like the word to a net that has met few of them.

# %% [markdown]
# ## Hard negatives
#
# A single yes among all those windows makes the whole recording a yes. A window net that is wrong once in a hundred windows is wrong about most recordings.
# And the five random windows that we took from each negative recording were mostly easy: silence, ends of words.
#
# The cure: let the net show us its own worst mistakes. Scan the recordings that do *not* contain the word, take the four windows in each that
# look most like it, add them to the negatives, train again. Two rounds of this are enough.

# %% [markdown] tags=["notes"]
# **6 min.** Do the arithmetic first: 171 windows, one error in a hundred, how many recordings come through without one? Were the windows independent, 0.99 to the power of 171:
# fewer than one in five. Then hand the demo to a student: one drags the window, the others say beforehand where the score will rise.
#
# *Usually asked:* "Is it not cheating to train on one's own mistakes?" The mistakes were made on training recordings. The voices of the test are never looked at.


# %%
def max_logits(x):
    return train.predict(nn.Scan(small, K), x, batch_size=50)[:, 0].max(axis=1)


def hardest_windows(net, width):
    """The four windows of each recording without the word that score highest."""
    scores = train.predict(nn.Scan(net, width), training.x[no], batch_size=50)[:, 0]  # (recordings, P)
    return windows_at(training.x[no], np.argsort(-scores, axis=1)[:, :4], width)


print(f"before: accuracy with the word anywhere {accuracy_at(max_logits, None):.2f}")
for round_number in range(1, 3):
    negatives = np.concatenate([negatives, hardest_windows(small, K)])
    small = train_window_net(positives, negatives)
    print(f"round {round_number}: accuracy with the word anywhere {accuracy_at(max_logits, None):.2f}")

# %% [markdown]
# Now play with it, with the weights that you have just trained: press play, drag the window, move the threshold and see when the answer changes.

# %%
layers = nn.layers_of(small)
demos.WelcomeScanner(with_word.x, layers, width=K, wave=with_word.wave, truth=(with_word.start, with_word.stop))

# %% [markdown]
# How wide should the window be? Too narrow, and it sees half the word; too wide, and it must know what comes before and after. The first layer fixes the width, so
# each width needs a net of its own, trained by the same recipe. **Before you run the next cell, predict** which of 10, 30 and 60 frames does best, and which worst.


# %%
def train_scanner(width):
    around = np.clip(word_middle[yes][:, None] - width // 2 + np.arange(-2, 3), 0, T - width)
    positives = windows_at(training.x[yes], around, width)
    negatives = windows_at(training.x[no], rng.integers(0, T - width + 1, (no.sum(), 5)), width)
    net = train_window_net(positives, negatives)
    for _ in range(2):
        negatives = np.concatenate([negatives, hardest_windows(net, width)])
        net = train_window_net(positives, negatives)
    return net


scanners = {10: train_scanner(10), K: small, 60: train_scanner(60)}
test = data.load_welcome("test", 1000, at=None, seed=21)
for width, net in scanners.items():
    logits = train.predict(nn.Scan(net, width), test.x, batch_size=50)[:, 0].max(axis=1)
    print(f"{width} frames, {size(net):6,} parameters: accuracy with the word anywhere {accuracy(logits, test.y):.2f}")

# %% [markdown]
# Compare the three on the recording without the word, full of words that sound alike; now the width is yours to choose:

# %%
layers_by_width = {width: nn.layers_of(net) for width, net in scanners.items()}
demos.WelcomeScanner(without.x, layers_by_width, width=K, wave=without.wave)

# %% [markdown]
# ## Where the word is no longer matters
#
# The scanner was trained on the very recordings that the whole-recording MLP was trained on, all with the word at 0.3 s. Here are all three nets,
# asked about unseen voices with the word at more and more places:

# %% [markdown] tags=["notes"]
# **3 min.** Cover the legend and ask which line belongs to which net. The single peak is the first half of the lecture in one picture.

# %%
starts = np.round(np.arange(0.1, 3.0, 0.2), 1)
nets = {"scan, maximum": max_logits, "whole-recording MLP": whole_logits, "… trained at random places": fair_logits}
curves = {name: [accuracy_at(net, start, n=200, seed=11) for start in starts] for name, net in nets.items()}
viz.accuracy_against_shift(starts, curves, trained_at=START)

# %%
print("mean over all places, away from 0.3 s:")
for name, curve in curves.items():
    print(f"  {name:28s} {np.mean(np.array(curve)[starts != START]):.2f}")

# %% [markdown]
# ## From many scores to one answer
#
# The scan gives one number a window, the question wants one in all. We took the **maximum**: if any window says yes, the answer is yes (a Boolean OR).
# Two other ways suggest themselves:
#
# * **Softmax** pooling, a soft maximum: a weighted mean of the scores, with weights that favor the large ones,
#   $Y = \sum_t \mathrm{softmax}(y/\tau)_t \; y(t)$. A small temperature $\tau$ is nearly the maximum, a large one nearly the mean. Windows next to one another that
#   all score well now support each other, where the maximum listens to one.
# * **Another MLP**, over all scores at once, each first squashed to a probability by a sigmoid. It can learn any rule, for example that a real "welcome" makes a peak of
#   a certain width.

# %% [markdown] tags=["notes"]
# **5 min.** Make three columns on the board, maximum, softmax, MLP, each with what it has to learn. Work out the softmax for two windows with scores 4 and 0, at τ = 1 and at τ = 4: two lines
# of arithmetic, and nobody forgets what a temperature does. Pause at the last row of the table: it is the failure of the beginning, one floor higher.
#
# *Usually asked:* "Why a softmax, if the maximum is as good?" The gradient of the maximum reaches one window only, that of the softmax all of them, each by its weight.

# %% [markdown]
# The scores stay as they are. On top of them each way is trained on the same recordings, with the word anywhere. For the maximum and the
# softmax only a scale and a threshold are left to learn. The last row is the MLP once more, trained on recordings that all have the word at 0.3 s.


# %%
def all_scores(x):
    return train.predict(nn.Scan(small, K), x, batch_size=50)  # (N, 1, P)


def pooled(how, **options):
    return nn.Sequential(nn.GlobalPool(how, **options), nn.Linear(1, 1, rng=np.random.default_rng(0)))


def mlp_over_scores():
    return nn.Sequential(nn.Sigmoid(), nn.Flatten(), *nn.mlp([P, 16, 1], rng=np.random.default_rng(0)))


deciders = {
    "maximum": pooled("max"),
    "softmax, τ = 1": pooled("softmax", temperature=1.0),
    "softmax, τ = 4": pooled("softmax", temperature=4.0),
    "mean": pooled("mean"),
    "MLP": mlp_over_scores(),
    "MLP, one place": mlp_over_scores(),
}

# %%
scores_anywhere, scores_one_place, scores_test = all_scores(anywhere.x), all_scores(training.x), all_scores(test.x)
for name, decider in deciders.items():
    one_place = name == "MLP, one place"
    x, y = (scores_one_place, training.y) if one_place else (scores_anywhere, anywhere.y)
    train_mlp(decider, x, y, epochs=20, lr=3e-3, weight_decay=1e-4)
    right = accuracy(train.predict(decider, scores_test)[:, 0], test.y)
    print(f"{name:15s} {size(decider):5d} parameters   accuracy {right:.3f}")

# %% [markdown]
# The maximum, the sharp softmax and the MLP do equally well, the first two with two parameters. A softmax that is too soft, and the mean, drown the few windows
# with the word in all the others.

# %% [markdown]
# The last row is the lesson of this lecture once more: an MLP over the scores has a weight for every *place*. Trained
# with the word at one place, it listens there only, even though the scan in front of it finds the word everywhere. It must have seen all places, and it accepts
# recordings of one length. The maximum and the softmax do not care where the peak is, nor how many windows there are.

# %% [markdown]
# Put together, the scan and its decision are
#
# $$ Y = \mathrm{softmax\ (or\ max)}\big(y(0), \dots, y(T-K)\big), \qquad y(t) = \mathrm{MLP}\big(x[:,\ t : t+K]\big) $$

# %%
detector = nn.Sequential(nn.Scan(small, K), nn.GlobalPool("max"))
print(detector)
for seconds in (2.0, 4.0, 8.0):
    new = data.load_welcome("test", 200, at=None, seconds=seconds, seed=5)
    right = accuracy(train.predict(detector, new.x)[:, 0], new.y)
    print(f"{seconds:.0f} s ({new.x.shape[2]} frames): accuracy {right:.2f}")

# %% [markdown]
# The same weights hear recordings of any length. The longer the recording, the more windows there are to be wrong about: one more reason for hard negatives.

# %% [markdown]
# ## Where it ends
#
# All of these voices, those for testing too, come from one speech synthesizer. Let another synthesizer say the same words:

# %% [markdown] tags=["notes"]
# **2 min.** Say it as plainly as the good numbers before. If there is a microphone in the room, let the scanner fail in front of the class: the demo opens a WAV file. A net that is wrong in public is
# remembered.

# %%
other = data.load_welcome("other", 400, at=None, seed=3)
says_yes = max_logits(other.x) > 0
print(f"another synthesizer: accuracy {np.mean(says_yes == (other.y == 1)):.2f}")
print(f"of the recordings with the word it finds {says_yes[other.y == 1].mean():.0%}")

# %% [markdown]
# It misses most of them. Being shift-invariant, the scanner forgives a word any *place*; it forgives no other change, because nothing in it was built, or trained, for that. A net is
# at home in the data it was trained on; leaving them is called a **domain shift**, and only data (or a better idea of what must not
# matter) helps. So do not expect it to understand your own microphone. You may try: the demo above opens a WAV file.

# %% [markdown]
# ## What you saw
#
# * An MLP has its own weight for every component of its input. Shift the input by one, and it is a different input.
# * If only the presence of a pattern matters, scan: the same small MLP at every place, then the maximum (or a softmax) over its scores.
# * The scan has far fewer parameters than an MLP over everything, and answers the same wherever the pattern is.
# * It is as good as its negatives: train it on the windows that it finds hardest.

# %% [markdown] tags=["notes"]
# **1 min.** Ask for these sentences before you show them. The three questions that follow make good homework; their answers unfold.

# %% [markdown]
# ## Three questions for you
#
# <details><summary>1. A recording has T = 199 frames and the window K = 30. How many scores does the scan give? And with a hop of 2?</summary>
#
# $T-K+1 = 170$ places. With a hop of 2 every second one of them: $\lfloor (T-K)/2 \rfloor + 1 = 85$.
# </details>
#
# <details><summary>2. The window MLP has 600 inputs, 32 hidden units and one output. How many parameters has it, and how does their number change when the recording gets twice as long?</summary>
#
# $600 \cdot 32 + 32 + 32 \cdot 1 + 1 = 19\,265$. It does not change: the same weights are used at more places. The whole-recording MLP would
# need nearly twice as many.
# </details>
#
# <details><summary>3. Why does the mean of the scores make a poor decision, although every window counts in it?</summary>
#
# Because every window counts. The many windows without the word outvote the few that hold it. The question is whether *any* window says yes.
# </details>

# %% [markdown]
# ## Go on
#
# Now write the scan yourself: [assignment A1](../course/release/a1/a1_scanning.ipynb). Exercise 1, `scan_1d`, is the loop of this lecture, with a hop. Exercise 2, `scan_2d`, moves the
# window in two directions, to find a flower in a picture.
