"""Where the random inputs of the checks come from."""

from __future__ import annotations

import hashlib
import os
import tomllib
import zlib
from pathlib import Path

import numpy as np

from cnnlab.checks.model import Exercise

PUBLIC_SEED = 2026
VISIBLE_SEED = 1
# Inputs that only serve to tell mistakes apart; they are worth no points and need not be secret.
PROBE_SEEDS = (71, 72, 73)


def case_generator(exercise: Exercise, index: int, seed: int) -> np.random.Generator:
    """Return the generator for check number `index` of an exercise."""
    return np.random.default_rng([seed, zlib.crc32(exercise.id.encode()), index])


def hidden_seed(course_dir: str | Path | None = None) -> tuple[int, bool]:
    """Return the seed of the hidden cases, and whether everybody can know it.

    The environment variable ``CNNLAB_HIDDEN_SEED`` comes first, then ``hidden_seed`` in the course's ``secret.toml``,
    then a public seed.

    Parameters
    ----------
    course_dir
        The folder that may hold ``secret.toml``; without it, the working directory and the folders above it are
        searched, each with its ``course`` folder.

    Returns
    -------
    seed : int
        Not negative.
    is_public : bool
        True when neither source is there: whoever reads this file can then predict the hidden cases.

    Raises
    ------
    ValueError
        If ``secret.toml`` is there but has no ``hidden_seed``: grading on with the public seed would be a surprise.
    """
    value = os.environ.get("CNNLAB_HIDDEN_SEED", "").strip()
    if value:
        return _as_seed(value), False
    path = _secret_file(course_dir)
    if path is None:
        return PUBLIC_SEED, True
    settings = tomllib.loads(path.read_text(encoding="utf-8"))
    if "hidden_seed" not in settings:
        raise ValueError(f"{path} has no hidden_seed: add a line such as hidden_seed = 123456789")
    return _as_seed(str(settings["hidden_seed"])), False


def _as_seed(value: str) -> int:
    # Words are as good as numbers for whoever sets the secret.
    return int(value) if value.isdecimal() else int.from_bytes(hashlib.sha256(value.encode()).digest()[:8])


def _secret_file(course_dir: str | Path | None) -> Path | None:
    if course_dir is not None:
        folders = [Path(course_dir)]
    else:
        here = Path.cwd()
        folders = [folder / name for folder in (here, *here.parents) for name in ("", "course")]
    return next((folder / "secret.toml" for folder in folders if (folder / "secret.toml").is_file()), None)
