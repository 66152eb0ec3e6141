"""The speed benchmarks: what they print is what they write, and their arithmetic on numbers made by hand."""

import csv
import importlib
import os
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-c", "import sys; from cnnlab.cli import main; sys.exit(main())", "bench"]
NAMES = (
    "_run",
    "_report",
    "_plots",
    "_conv_layers",
    "_conv_rivals",
    "conv_growth",
    "pool_speed",
    "conv_speed",
    "relu_speed",
)


@pytest.fixture(scope="module")
def scripts():
    """Import the scripts from their folder, and forget them afterwards."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        yield Namespace(**{name: importlib.import_module(name) for name in NAMES})
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
        for name in NAMES:
            sys.modules.pop(name, None)


def bench(*words):
    return subprocess.run(
        [*COMMAND, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_files_hold_what_is_printed(scripts, tmp_path):
    options = ["--only", "lenet conv3", "--rounds", "2", "--kernels", "numpy", "--no-plot", "--out", str(tmp_path)]
    done = bench("conv_speed", *options)
    assert done.returncode == 0, done.stderr
    rows = {(row["who"], row["pass"]): row for row in read(tmp_path / "conv_speed_1_partial.csv")}
    for row in rows.values():
        assert row["name"] == "lenet conv3"
        assert row["rounds"] == "2"
        assert row["cpu"] in done.stdout
        assert row["vectors"] in done.stdout
    shown = [f"{1e3 * float(rows['numpy', 'both']['median_s']):.2f}"]
    shown += [f"{float(rows[key]['ratio_to_numpy']):.2f}" for key in scripts.conv_speed.COLUMNS if key in rows]
    line = next(line for line in done.stdout.splitlines() if line.startswith("lenet conv3"))
    assert line.split()[2 : 2 + len(shown)] == shown
    assert rows["numpy", "both"]["note"] in line
    for row in read(tmp_path / "conv_speed_1_partial_summary.csv"):
        said = scripts._report.SAID[row["rival"]]
        assert any(
            line.strip().startswith(said) and f"{float(row['geometric_mean']):.2f}" in line.split()
            for line in done.stdout.splitlines()
        )


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--only", "no such layer"], r"no layer matches --only 'no such layer'. There are: lenet"),
        (["--only", "["], r"'\[' is no regular expression"),
        (["--rounds", "0"], r"'0' is not a number of 1 or more"),
        (["--clock", "cpu", "--threads", "2"], r"use it with --threads 1"),
        (["--kernels", "fast"], r"--kernels fast needs the compiled kernels, but numba is not installed: pip install"),
    ],
)
def test_option_that_cannot_be_met_is_refused(scripts, options, complaint, monkeypatch, capsys):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in {"numba", "torch"} else real(name))
    monkeypatch.setattr(sys, "argv", ["x", *options])
    with (
        pytest.raises(SystemExit) as refused,
        scripts._run.started(scripts._run.parser_of("Say."), "x.py") as (run, _),
    ):
        run.chosen(["lenet", "vgg"], "layer")
    assert re.search(complaint, f"{refused.value} {capsys.readouterr().err}")


def test_few_rounds_or_layers_do_not_replace_a_whole_run(scripts, tmp_path, monkeypatch, capsys):
    names = set()
    for options in ([], ["--quick"], ["--only", "vgg"], ["--threads", "2"]):
        monkeypatch.setattr(sys, "argv", ["x", "--kernels", "numpy", "--out", str(tmp_path), *options])
        with scripts._run.started(scripts._run.parser_of("Say."), "x.py") as (run, _):
            names.add(run.path(".csv").name)
    assert names == {"x_1.csv", "x_1_partial.csv", "x_2.csv"}


def test_ratio_is_the_median_of_the_ratios_within_rounds(scripts):
    seconds = {("numpy", "both"): np.array([1.0, 2, 4]), ("pytorch", "both"): np.array([2.0, 1, 12])}
    seen = scripts._report.Measured("layer", "", seconds, {}, {})
    assert seen.ratio("numpy", "pytorch", "both") == 2  # of 2, 1/2 and 3
    assert seen.ratio("fast", "pytorch", "both") is None


def test_better_layout_is_that_of_the_shorter_whole(scripts):
    passes = dict.fromkeys(("forward", "backward"))
    case = scripts._report.Case("layer", "", dict.fromkeys(("numpy", "pytorch", "channels_last"), passes), dict, dict)
    times = {"numpy": (1, 1), "pytorch": (1, 9), "channels_last": (3, 2)}
    seconds = {(who, step): np.array([t]) for who, both in times.items() for step, t in zip(passes, both, strict=True)}
    found = scripts._report._with_sums(seconds, case)
    assert found["better", "forward"] == 3
    assert found["better", "both"] == 5


def test_a_turn_is_as_many_passes_as_the_fastest_takes_twenty_milliseconds_for(scripts, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(scripts._report.time, "perf_counter", lambda: now[0])

    def taking(seconds):
        return lambda: now.__setitem__(0, now[0] + seconds)

    turns = {
        "numpy": {"forward": taking(0.008), "backward": taking(1e-5), "both": taking(1.0)},
        "pytorch": {"forward": taking(0.004), "backward": taking(1e-3), "both": taking(2.0)},
    }
    assert scripts._report._often(scripts._report.Case("", "", turns, dict, dict)) == {
        "forward": 5,
        "backward": 100,
        "both": 1,
    }
    assert scripts._report._often(scripts._report.Case("", "", turns, dict, dict, in_a_row=5))["both"] == 5


@pytest.mark.oracle
def test_a_pass_of_each_contestant_may_run_again_in_its_turn(scripts):
    pool = scripts.pool_speed.pool("small", "max", (2, 3, 8, 8), 2)
    conv = next(one for one in scripts._conv_layers.suite() if one.name == "lenet conv3")
    for case in (scripts.pool_speed.case_of("", pool, ["numpy"]), scripts.conv_speed.case_of(conv, ["numpy"])):
        assert "pytorch" in case.turns
        for who, passes in case.turns.items():
            with scripts._report.setting(who):
                for compute in passes.values():
                    once, again = compute(), compute()
                    assert scripts._report._bytes(once) == scripts._report._bytes(again) > 0


def test_extra_memory_is_the_peak_beyond_the_results(scripts):
    def compute():
        lost = np.ones(300_000)
        return lost[:100_000] * 2  # 0.8 MB are returned, and 2.4 MB are let go

    extra = scripts._report.extra_bytes("numpy", [compute])
    assert 2.4e6 <= extra < 2.5e6


def test_cliff_is_the_steepest_rise_between_neighbors(scripts):
    assert scripts.conv_growth.cliff({1: 8.0, 2: 4.0, 3: 6.0, 4: 1.0, 8: 1.2}) == (1.5, 3)


@pytest.mark.parametrize(
    ("simd", "widest"),
    [
        ({"baseline": ["X86_V2"], "found": ["X86_V3", "X86_V4", "AVX512_ICL"]}, "AVX-512"),
        ({"baseline": ["SSE", "SSE2"], "found": ["AVX2", "FMA3"]}, "AVX2"),
        ({"baseline": ["NEON", "ASIMD"], "found": ["ASIMDHP"]}, "NEON"),
        ({}, "no vectors"),
    ],
)
def test_widest_vectors(scripts, simd, widest):
    assert scripts._run.vectors(simd) == widest


def test_contestants_agree(scripts):
    scripts.conv_growth.case_of("HW", 5, ("numpy",)).same()
    layer = next(layer for layer in scripts.pool_speed.POOLS["2×2"] if layer.name == "shapes max")
    scripts.pool_speed.case_of("", layer, ("numpy",)).same()
    scripts.relu_speed.case_of(scripts.relu_speed.LAYERS[-1], ("numpy",)).same()


def test_layers_have_names_of_their_own_and_groups(scripts):
    layers = [*scripts._conv_layers.suite(), *scripts._conv_layers.held_out()]
    assert len({layer.name for layer in layers}) == len(layers)
    assert all(layer.group for layer in layers)


def test_picture_shows_each_ratio(scripts, tmp_path, monkeypatch, capsys):
    def took(seconds):
        times = {("numpy", "forward"): np.array([0.5]), ("pytorch", "forward"): np.array([seconds])}
        return scripts._report.Measured(f"layer {seconds}", "net", times, {}, {})

    shown = []

    def finish(run, figure, *_):
        shown.extend(figure.axes[0].collections[0].get_offsets().tolist())
        return []

    monkeypatch.setattr(scripts._plots, "_finish", finish)
    monkeypatch.setattr(sys, "argv", ["x", "--kernels", "numpy", "--out", str(tmp_path)])
    with scripts._run.started(scripts._run.parser_of("Say."), "x.py") as (run, _):
        scripts._plots.ratios_plot(run, [took(0.25), took(1.0)], ("forward",), "Layers")
    assert shown == [[0.5, 1], [2, 2]]  # below the row for the group's name
