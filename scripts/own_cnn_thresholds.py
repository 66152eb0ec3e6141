"""Print what right and wrong answers of exercise 15 reach, seed by seed, beside the share that it asks for.

    python scripts/own_cnn_thresholds.py [SEEDS]

A right answer must pass the checks "It learns" in every seed, and the mistakes that spoil learning in none.
"""

from __future__ import annotations

import sys

import numpy as np

from cnnlab.checks import exercise
from cnnlab.checks.a5.mistakes_train_own_cnn import assemble
from cnnlab.checks.a5.train_own_cnn import AT_LEAST

EXERCISE = exercise("a5.train_own_cnn")
SPOIL = ("own_layers", "no_zero_grad", "zero_grad_each_epoch", "averaged_twice", "test_statistics", "joint_statistics")


def reached(function, seed):
    """Return the smallest share of right answers in the checks that ask for one; 0 where there is no answer."""
    shares = []
    for check in EXERCISE.checks:
        for case in check.cases(np.random.default_rng([seed, int(check.hidden)])):
            if case.target is not None:
                try:
                    with EXERCISE.surroundings():
                        said = function(*case.arguments)
                except RuntimeError:
                    return 0.0
                counts = case.target.labels >= 0
                shares.append(float(np.mean(said[counts] == case.target.labels[counts])))
    return min(shares)


def table(seeds):
    """Return the shares for each answer, by name."""
    functions = {"right": assemble()} | {m.id: m.function for m in EXERCISE.mistakes if m.id in SPOIL}
    return {name: [reached(function, seed) for seed in range(seeds)] for name, function in functions.items()}


def main():
    """Print the table."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"asked for: {AT_LEAST:.0%}; {seeds} seeds\n{'':22s}  lowest    mean  highest  seeds that reach it")
    for name, shares in table(seeds).items():
        passed = sum(share >= AT_LEAST for share in shares)
        print(f"{name:22s} {min(shares):7.0%} {np.mean(shares):7.0%} {max(shares):8.0%} {passed:6d} of {seeds}")


if __name__ == "__main__":
    main()
