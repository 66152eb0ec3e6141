"""The long campaign's targets (scripts/fuzz_grader.py) work on what they begin with, also without atheris."""

import importlib.util
import random
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "fuzz_grader.py"


def _load():
    spec = importlib.util.spec_from_file_location("fuzz_grader", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["wire", "answer", "notebook", "zip"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_target_takes_its_seeds_and_damaged_ones(name):
    attempt, seeds = _load().TARGETS[name]
    rng = random.Random(name)
    for seed in seeds():
        attempt(seed)
        damaged = bytearray(seed)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        attempt(bytes(damaged))
        attempt(seed[: rng.randrange(len(seed))])
