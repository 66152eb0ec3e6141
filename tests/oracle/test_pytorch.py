"""Layers against PyTorch on random configurations (scripts/compare_with_pytorch.py), live and recorded."""

import importlib.util
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden.npz"


def load_script():
    spec = importlib.util.spec_from_file_location("compare_with_pytorch", ROOT / "scripts" / "compare_with_pytorch.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


SCRIPT = load_script()


@pytest.fixture
def pytorch_may_warn():
    """PyTorch says so when padding "same" with an even kernel makes it copy the input."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def run(family, configurations, seed):
    tally = SCRIPT.run_family(family, SCRIPT.share(family, configurations), seed)
    assert tally.compared == SCRIPT.share(family, configurations)
    for dtype, bound in SCRIPT.TOLERANCE.items():
        assert tally.worst[dtype] <= bound


@pytest.mark.oracle
@pytest.mark.usefixtures("pytorch_may_warn")
@pytest.mark.parametrize("family", SCRIPT.FAMILIES)
def test_layer_agrees_with_pytorch(family):
    run(family, 500, seed=1)


@pytest.mark.slow
@pytest.mark.oracle
@pytest.mark.usefixtures("pytorch_may_warn")
@pytest.mark.parametrize("family", SCRIPT.FAMILIES)
def test_layer_agrees_with_pytorch_on_many_configurations(family):
    run(family, 3000, seed=2)


@pytest.mark.oracle
def test_the_comparison_does_not_rely_on_onednn():
    """With it, PyTorch 2.13 writes outside of the gradient of these weights, in float32; the process may crash."""
    options = {"in_channels": 2, "out_channels": 2, "kernel_size": 4, "stride": 2, "padding": (3, 2, 1)}
    configuration = SCRIPT.Configuration("Conv3d", options, (2, 2, 2, 2, 4))
    assert SCRIPT.compare(configuration, "float32", seed=0) <= SCRIPT.TOLERANCE["float32"]


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


@pytest.mark.parametrize("family", SCRIPT.FAMILIES)
def test_layer_agrees_with_what_pytorch_once_said(family, golden):
    cases = [name for name in golden if name.count("/") == 1 and name.startswith(f"{family}/")]
    assert len(cases) == 4
    for case in cases:
        assert SCRIPT.replay(golden, case) <= SCRIPT.TOLERANCE["float64"]


def test_a_wrong_result_is_a_disagreement(golden):
    """The comparison itself can fail: a recorded output that is off by one part in a million is found."""
    case = "Conv2d/0"
    spoiled = dict(golden)
    spoiled[f"{case}/expected/y"] = golden[f"{case}/expected/y"] * (1 + 1e-6)
    with pytest.raises(SCRIPT.DisagreementError, match=r"Conv2d.*y differs"):
        SCRIPT.replay(spoiled, case)
