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
# # Start here
#
# This page finds out whether your set-up works, and shows how lectures, demos and checks are used. Five minutes.
#
# **How to run a cell:** click into it and press <kbd>Shift</kbd>+<kbd>Enter</kbd>. Do so now, from top to bottom.

# %% [markdown] tags=["notes"]
# **5 min.** Let everybody run this page before the first lecture, or in its first minutes, and ask for hands: who has a line with `!!`, who sees no demo?
# Seat them beside somebody whose page works.

# %% [markdown]
# ## 1. What your machine has

# %%
from cnnlab import doctor

print(doctor.as_text(doctor.examine()))

# %% [markdown]
# `ok` is well. `--` is missing, but only some of you need it (a GPU, a sandbox for grading). `!!` has to be mended: the line below it says how.

# %% [markdown]
# ## 2. Where the arrays live
#
# Everything in this course runs on the CPU with NumPy. If the line "device" above says that there is a GPU, one line moves the work there, in any notebook: `cnnlab.use_device("gpu")`.

# %%
import cnnlab

print("computing on:", cnnlab.current_device())

# %% [markdown]
# ## 3. A demo
#
# Demos compute in your browser and react at once. Below, a window moves over a recording of speech; a small net scores what is in the window. Its
# weights are random here, so its answers mean nothing yet. **Drag the window, or click it and use the arrow keys.** If the picture follows, your widgets work.

# %%
import numpy as np

from cnnlab import data, demos, nn

recording = data.load_welcome_recordings()[0]
untrained = nn.mlp([20 * 30, 8, 1], rng=np.random.default_rng(0))
demos.WelcomeScanner(recording.x, nn.layers_of(untrained), width=30, wave=recording.wave)

# %% [markdown]
# Nothing to see but a line of text? Then JupyterLab runs in another environment than cnnlab. Close it and start it with `make lab`.

# %% [markdown] tags=["notes"]
# The demo is the real test: it needs the widgets. Who sees a line of text only has started JupyterLab from another environment; `make lab` starts the right one.

# %% [markdown]
# ## 4. A check
#
# Exercises come with checks that say what is wrong, and why. This function is no solution: it returns nothing at all. See what the check says.

# %%
from cnnlab.checks import check


def scan_1d(x, layers, width, hop):
    return None


check("a1.scan_1d", scan_1d)

# %% [markdown]
# ## 5. Sound
#
# Lecture 01 is about speech. Can you hear this?

# %%
from IPython.display import Audio

Audio(recording.wave, rate=recording.sample_rate)

# %% [markdown]
# ## Then go on
#
# Open [lecture 01, Finding a "welcome"](01_finding_a_welcome.ipynb). If something above does not work and the hint next to it does not help, send the output of section 1 to whoever
# teaches your course.
