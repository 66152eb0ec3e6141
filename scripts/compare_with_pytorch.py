"""Compare layers with PyTorch's on random configurations, and print the worst error of each family.

    python scripts/compare_with_pytorch.py --configurations 3000
    python scripts/compare_with_pytorch.py --record tests/oracle/golden.npz

Each configuration is drawn from everything that PyTorch's signature offers: ints and tuples, "same" and "valid", all
padding modes, groups, dilation, empty batches, ties. Both layers are built with the very same arguments, get the same
parameters and buffers (as a plain dict of arrays: names and shapes are equal), the same input and the same random
gradient; compared are output, gradient of the input, gradients of the parameters, and buffers. What PyTorch refuses,
cnnlab must refuse as well. tests/oracle runs a part of this. With --record, a few small configurations of each family
and what PyTorch makes of them are written to a file, for machines without PyTorch.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from cnnlab import nn

# Relative to the largest number expected; the float32 bound allows for sums in another order.
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}

# Where PyTorch refuses what it accepts in fewer dimensions, and cnnlab accepts it: layer and part of the message.
WIDER = {"AvgPool3d": "smaller than kernel size"}
# Where cnnlab says what is wrong and PyTorch returns an array without positions.
NARROWER = {f"ConvTranspose{rank}d": "cuts off the whole output" for rank in (1, 2, 3)}

Generator = np.random.Generator
T = TypeVar("T")


@dataclass(frozen=True)
class Configuration:
    """One layer to build and one input to give it."""

    layer: str
    options: dict[str, Any]
    shape: tuple[int, ...]
    whole_numbers: bool = False  # as values of the input: makes ties

    def __str__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.layer}({options}) on {self.shape}{' of whole numbers' * self.whole_numbers}"


@dataclass
class Tally:
    """What was seen of one family."""

    compared: int = 0
    refused: int = 0
    worst: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TOLERANCE, 0.0))


class DisagreementError(AssertionError):
    """cnnlab and PyTorch differ on a configuration, which the message names."""


# Drawing configurations ------------------------------------------------------------------------------------------


def _sizes(rng: Generator, rank: int, low: int, high: int) -> int | tuple[int, ...]:
    """Draw an option of which PyTorch takes one int for all axes or one for each."""
    if rng.random() < 0.4:
        return int(rng.integers(low, high + 1))
    return tuple(int(n) for n in rng.integers(low, high + 1, rank))


def _batch(rng: Generator) -> int:
    return int(rng.choice([0, 1, 2, 3], p=[0.04, 0.32, 0.32, 0.32]))


def _spatial(rng: Generator, rank: int) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.integers(1, {1: 24, 2: 12, 3: 8}[rank], rank))


def _channels(rng: Generator) -> tuple[int, int, int]:
    groups = int(rng.choice([1, 1, 2, 3]))
    return groups * int(rng.integers(1, 4)), groups * int(rng.integers(1, 4)), groups


def draw_conv(rng: Generator, rank: int) -> Configuration:
    """Draw a ConvNd."""
    c_in, c_out, groups = _channels(rng)
    padding: Any = rng.choice(["same", "valid", "sizes"], p=[0.2, 0.1, 0.7])
    options = {
        "in_channels": c_in,
        "out_channels": c_out,
        "kernel_size": _sizes(rng, rank, 1, 4),
        "stride": 1 if padding == "same" and rng.random() < 0.95 else _sizes(rng, rank, 1, 3),
        "padding": _sizes(rng, rank, 0, 3) if padding == "sizes" else str(padding),
        "dilation": _sizes(rng, rank, 1, 3) if rng.random() < 0.4 else 1,
        "groups": groups,
        "bias": bool(rng.random() < 0.7),
        "padding_mode": str(rng.choice(["zeros", "reflect", "replicate", "circular"])),
    }
    return Configuration(f"Conv{rank}d", options, (_batch(rng), c_in, *_spatial(rng, rank)))


def draw_conv_transpose(rng: Generator, rank: int) -> Configuration:
    """Draw a ConvTransposeNd."""
    c_in, c_out, groups = _channels(rng)
    options = {
        "in_channels": c_in,
        "out_channels": c_out,
        "kernel_size": _sizes(rng, rank, 1, 4),
        "stride": _sizes(rng, rank, 1, 3),
        "padding": _sizes(rng, rank, 0, 2),
        "output_padding": _sizes(rng, rank, 0, 2) if rng.random() < 0.5 else 0,
        "groups": groups,
        "bias": bool(rng.random() < 0.7),
        "dilation": _sizes(rng, rank, 1, 3) if rng.random() < 0.4 else 1,
    }
    return Configuration(f"ConvTranspose{rank}d", options, (_batch(rng), c_in, *_spatial(rng, rank)))


def draw_pool(rng: Generator, rank: int, kind: str) -> Configuration:
    """Draw a MaxPoolNd or an AvgPoolNd."""
    options: dict[str, Any] = {
        "kernel_size": _sizes(rng, rank, 1, 4),
        "stride": _sizes(rng, rank, 1, 4) if rng.random() < 0.7 else None,
        "padding": _sizes(rng, rank, 0, 2) if rng.random() < 0.6 else 0,
        "ceil_mode": bool(rng.random() < 0.5),
    }
    if kind == "Max":
        options["dilation"] = _sizes(rng, rank, 1, 3) if rng.random() < 0.4 else 1
    else:
        options["count_include_pad"] = bool(rng.random() < 0.5)
    shape = (_batch(rng), int(rng.integers(1, 4)), *_spatial(rng, rank))
    return Configuration(f"{kind}Pool{rank}d", options, shape, whole_numbers=bool(rng.random() < 0.3))


def draw_batch_norm(rng: Generator, rank: int) -> Configuration:
    """Draw a BatchNormNd."""
    features = int(rng.integers(1, 5))
    options = {
        "num_features": features,
        "eps": float(rng.choice([1e-5, 1e-3])),
        "momentum": None if rng.random() < 0.2 else float(rng.choice([0.1, 0.3])),
        "affine": bool(rng.random() < 0.8),
        "track_running_stats": bool(rng.random() < 0.8),
    }
    spatial = () if rank == 1 and rng.random() < 0.3 else _spatial(rng, rank)
    # Two values of a feature are normalized to -1 and 1 whatever they are, and what is left of dx is rounding.
    return Configuration(f"BatchNorm{rank}d", options, (int(rng.integers(4, 8)), features, *spatial))


def draw_linear(rng: Generator) -> Configuration:
    """Draw a Linear."""
    sizes = [int(n) for n in rng.integers(1, 12, 2)]
    options = {"in_features": sizes[0], "out_features": sizes[1], "bias": bool(rng.random() < 0.7)}
    return Configuration("Linear", options, (_batch(rng), sizes[0]))


def draw_elementwise(rng: Generator) -> Configuration:
    """Draw a layer without parameters that works on each number alone."""
    layer = str(rng.choice(["ReLU", "Sigmoid", "Tanh"]))
    return Configuration(layer, {}, (_batch(rng), *_spatial(rng, int(rng.integers(1, 4)))))


FAMILIES: dict[str, Callable[[Generator], Configuration]] = {
    **{f"Conv{rank}d": lambda rng, rank=rank: draw_conv(rng, rank) for rank in (1, 2, 3)},
    **{f"ConvTranspose{rank}d": lambda rng, rank=rank: draw_conv_transpose(rng, rank) for rank in (1, 2, 3)},
    **{f"MaxPool{rank}d": lambda rng, rank=rank: draw_pool(rng, rank, "Max") for rank in (1, 2, 3)},
    **{f"AvgPool{rank}d": lambda rng, rank=rank: draw_pool(rng, rank, "Avg") for rank in (1, 2, 3)},
    **{f"BatchNorm{rank}d": lambda rng, rank=rank: draw_batch_norm(rng, rank) for rank in (1, 2, 3)},
    "Linear": draw_linear,
    "elementwise": draw_elementwise,
}
# Convolution has by far the most options.
SHARES = {name: 4 if name.startswith("Conv") and "T" not in name else 1 for name in FAMILIES}


# Running both sides ----------------------------------------------------------------------------------------------


def _values(rng: Generator, configuration: Configuration, dtype: str) -> np.ndarray[Any, Any]:
    if configuration.whole_numbers:
        return rng.integers(0, 4, configuration.shape).astype(dtype)
    return rng.standard_normal(configuration.shape).astype(dtype)


def _torch_side(configuration: Configuration, state: dict[str, Any], x: Any, dy: Any) -> dict[str, Any]:
    import torch

    layer = _torch_layer(configuration, x)
    layer.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state.items()})
    leaf = torch.from_numpy(x.copy()).requires_grad_()
    y = layer(leaf)
    found = {"y": y.detach().numpy().copy()}
    if dy is not None:
        y.backward(torch.from_numpy(dy.copy()))
        found["dx"] = leaf.grad.numpy()
        found |= {f"d{name}": parameter.grad.numpy() for name, parameter in layer.named_parameters()}
        found |= {name: buffer.numpy() for name, buffer in layer.named_buffers()}
    return found


def _our_side(layer: Any, x: Any, dy: Any) -> dict[str, Any]:
    found = {"y": layer(x)}
    if dy is not None:
        found["dx"] = layer.backward(dy)
        found |= {f"d{name}": parameter.grad for name, parameter in layer.named_parameters()}
        names = {name for name, _ in layer.named_parameters()}
        found |= {name: value for name, value in layer.state_dict().items() if name not in names}
    return found


def _typed(configuration: Configuration) -> bool:
    """Whether the layer holds parameters, and so takes a dtype."""
    return configuration.layer.startswith(("Conv", "BatchNorm", "Linear"))


def build(configuration: Configuration, x: Any, rng: Generator) -> Any:
    """Build cnnlab's layer; its constructors take a few options beyond PyTorch's."""
    extras: dict[str, Any] = {"dtype": str(x.dtype)} if _typed(configuration) else {}
    if configuration.layer.startswith(("Conv", "Linear")):
        extras["rng"] = rng
    return getattr(nn, configuration.layer)(**configuration.options, **extras)


def _torch_layer(configuration: Configuration, x: Any) -> Any:
    import torch

    typed = {"dtype": getattr(torch, str(x.dtype))} if _typed(configuration) else {}
    return getattr(torch.nn, configuration.layer)(**configuration.options, **typed)


def _without_onednn(function: Callable[..., T]) -> Callable[..., T]:
    """Let PyTorch compute by itself: the gradient of its Conv3d by oneDNN writes outside of its array for some shapes.

    Seen with PyTorch 2.13 on the CPU in float32: kernel 4, stride 2, padding (3, 2, 1), input (2, 2, 2, 2, 4).
    """

    @functools.wraps(function)
    def alone(*arguments: Any, **options: Any) -> T:
        import torch

        with torch.backends.mkldnn.flags(enabled=False, allow_tf32=None):  # None leaves it, and warns of nothing
            return function(*arguments, **options)

    return alone


@_without_onednn
def compare(configuration: Configuration, dtype: str, seed: int) -> float | None:
    """Return the worst relative error on one configuration, or None where a side refuses it.

    Raises
    ------
    DisagreementError
        The sides differ by more than the tolerance, or only one of them refuses.
    """
    rng = np.random.default_rng(seed)
    x = _values(rng, configuration, dtype)
    refusal = _refusal_of_torch(configuration, x)
    try:
        layer = build(configuration, x, rng)
        y = layer.eval()(x)
    except (TypeError, ValueError) as error:
        if refusal is None and NARROWER.get(configuration.layer, "\0") not in str(error):
            raise DisagreementError(f"{configuration}: PyTorch accepts it, cnnlab says: {error}") from error
        return None
    if refusal is not None and WIDER.get(configuration.layer, "\0") in str(refusal):
        return None
    if refusal is not None:
        raise DisagreementError(f"{configuration}: cnnlab accepts it, PyTorch says: {refusal}")
    state = layer.state_dict()
    # A maximum over padding alone is -inf whatever the input: no gradient is right, PyTorch gives it to some position.
    dy = np.where(np.isfinite(y), rng.standard_normal(y.shape), 0).astype(dtype)
    theirs = _torch_side(configuration, state, x, dy)
    return _judge(configuration, _our_side(layer.train(), x, dy), theirs, dtype)


def _judge(configuration: Configuration, ours: dict[str, Any], theirs: dict[str, Any], dtype: str) -> float:
    """Return the worst relative error of ours."""
    if ours.keys() != theirs.keys():
        raise DisagreementError(f"{configuration}: cnnlab has {sorted(ours)}, PyTorch {sorted(theirs)}")
    errors = {name: _error(configuration, name, ours[name], theirs[name]) for name in theirs}
    name = max(errors, key=lambda each: errors[each])
    if not errors[name] <= TOLERANCE[dtype]:
        raise DisagreementError(f"{configuration}, {dtype}: {name} differs by {errors[name]:.2g}")
    return errors[name]


def _refusal_of_torch(configuration: Configuration, x: Any) -> Exception | None:
    import torch

    try:
        layer = _torch_layer(configuration, x).eval()
        layer(torch.from_numpy(x))
        # Some checks of PyTorch are left out for an empty batch; what a layer accepts must not hang on that.
        layer(torch.zeros((max(x.shape[0], 1), *x.shape[1:]), dtype=torch.from_numpy(x).dtype))
    except (RuntimeError, ValueError, TypeError) as error:
        return error
    return None


def _error(configuration: Configuration, name: str, ours: Any, theirs: Any) -> float:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        raise DisagreementError(f"{configuration}: {name} has shape {ours.shape}, PyTorch's {theirs.shape}")
    if ours.size == 0:
        return 0.0
    # The maximum over a window that lies in the padding alone is -inf on both sides.
    finite = np.isfinite(theirs)
    if not np.array_equal(ours[~finite], theirs[~finite]):
        return float("inf")
    difference = np.abs(ours[finite] - theirs[finite])
    return float(np.max(difference, initial=0.0) / np.max(np.abs(theirs[finite]), initial=1e-3))


def run_family(name: str, configurations: int, seed: int) -> Tally:
    """Compare on that many configurations that PyTorch accepts, each in both dtypes; count the refused ones too."""
    rng = np.random.default_rng([seed, sorted(FAMILIES).index(name)])
    tally = Tally()
    while tally.compared < configurations:
        configuration = FAMILIES[name](rng)
        number = int(rng.integers(2**32))
        errors = {dtype: compare(configuration, dtype, number) for dtype in TOLERANCE}
        if None in errors.values():
            tally.refused += 1
            continue
        tally.compared += 1
        tally.worst = {dtype: max(tally.worst[dtype], error or 0.0) for dtype, error in errors.items()}
    return tally


# Cases for machines without PyTorch --------------------------------------------------------------------------------


def record(path: Path, cases: int = 4, seed: int = 0) -> None:
    """Write small configurations of each family, in float64, with what PyTorch makes of them."""
    arrays: dict[str, Any] = {}
    for name, draw in FAMILIES.items():
        rng = np.random.default_rng([seed, sorted(FAMILIES).index(name)])
        kept = 0
        while kept < cases:
            configuration = draw(rng)
            x = _values(rng, configuration, "float64")
            if not 0 < x.size <= 60 or _refusal_of_torch(configuration, x) is not None:
                continue
            layer = build(configuration, x, rng)
            dy = rng.standard_normal(layer.eval()(x).shape)
            state = layer.state_dict()
            found = {"x": x, "dy": dy, **{f"state/{key}": value for key, value in state.items()}}
            found |= {f"expected/{key}": value for key, value in _torch_side(configuration, state, x, dy).items()}
            arrays[f"{name}/{kept}"] = np.array(json.dumps(asdict(configuration)))
            arrays |= {f"{name}/{kept}/{key}": value for key, value in found.items()}
            kept += 1
    np.savez_compressed(path, **arrays)


def replay(arrays: Mapping[str, Any], case: str) -> float:
    """Return the worst relative error of cnnlab on a recorded case; raises `DisagreementError` like `compare`."""
    fields = json.loads(str(arrays[case]))
    # JSON has lists only, and PyTorch's signature tuples.
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in fields["options"].items()}
    configuration = Configuration(fields["layer"], options, tuple(fields["shape"]), fields["whole_numbers"])
    part = {key.removeprefix(f"{case}/"): value for key, value in arrays.items() if key.startswith(f"{case}/")}
    layer = build(configuration, part["x"], np.random.default_rng(0))
    layer.load_state_dict({key.removeprefix("state/"): part[key] for key in part if key.startswith("state/")})
    theirs = {key.removeprefix("expected/"): part[key] for key in part if key.startswith("expected/")}
    return _judge(configuration, _our_side(layer.train(), part["x"], part["dy"]), theirs, "float64")


def share(name: str, configurations: int) -> int:
    """Return how many of all configurations a family gets."""
    return -(-configurations * SHARES[name] // sum(SHARES.values()))


def main(argv: list[str] | None = None) -> int:
    """Compare all families and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--configurations", type=int, default=3000, metavar="N", help="in all (default: 3000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", type=Path, metavar="FILE.npz", help="write cases for machines without PyTorch")
    arguments = parser.parse_args(argv)
    if arguments.record:
        record(arguments.record, seed=arguments.seed)
        return 0
    import torch

    print(f"PyTorch {torch.__version__}, NumPy {np.__version__}, seed {arguments.seed}")
    print(f"{'family':18} {'compared':>8} {'refused':>8}   worst relative error: float64   float32")
    total, status = 0, 0
    for name in FAMILIES:
        try:
            tally = run_family(name, share(name, arguments.configurations), arguments.seed)
        except DisagreementError as error:
            print(f"{name:18} DISAGREEMENT: {error}")
            status = 1
            continue
        total += tally.compared
        worst = tally.worst
        print(f"{name:18} {tally.compared:8} {tally.refused:8} {worst['float64']:32.1e} {worst['float32']:9.1e}")
    print(f"{'in all':18} {total:8}")
    print("Refused configurations are refused by both sides, except:")
    for name, message in WIDER.items():
        print(f"  {name}: where PyTorch says '… {message} …', cnnlab computes")
    for name, message in NARROWER.items():
        print(f"  {name}: where cnnlab says '… {message} …', PyTorch returns an array without positions")
    return status


if __name__ == "__main__":
    sys.exit(main())
