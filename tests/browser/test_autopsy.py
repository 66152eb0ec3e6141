"""The autopsy in Chromium: counts, errors, findings, sums and suspects against NumPy, and every way of moving it."""

import contextlib
import io
import re

import numpy as np
import pytest

from cnnlab import ops
from cnnlab.demos import Autopsy


def case(seed, rank=2, *, batch=2, groups=1, channels=2, filters=3, stride=None, padding=None, dilation=None):
    rng = np.random.default_rng(seed)
    size = tuple(int(n) for n in rng.integers(6, 9, rank))
    kernel = tuple(int(n) for n in rng.integers(2, 4, rank))
    x = rng.standard_normal((batch, channels, *size))
    w = rng.standard_normal((filters, channels // groups, *kernel))
    b = rng.standard_normal(filters)
    options = {
        "stride": stride or tuple(int(n) for n in rng.integers(1, 3, rank)),
        "padding": padding or tuple(int(n) for n in rng.integers(0, 2, rank)),
        "dilation": dilation or (1,) * rank,
        "groups": groups,
    }
    return x, w, b, options


def conv(x, w, b, options, **changes):
    return ops.conv_forward(x, w, b, **{**options, **changes})


CASES = {
    "2-D": case(0),
    "2-D, strides and paddings apart": case(1, stride=(2, 1), padding=(0, 2)),
    "1-D": case(2, 1, stride=(2,), padding=(1,)),
    "3-D": case(3, 3, padding=(1, 0, 1)),
    "dilation": case(4, dilation=(2, 1), stride=(1, 2)),
    "groups": case(5, groups=2, channels=4, filters=6),
    "as many filters as channels": case(6, channels=3, filters=3, padding=(1, 1)),
    "one channel": case(7, channels=1, filters=1, batch=1, stride=(1, 1)),
}


def mistakes(x, w, b, options):
    """What the mistakes give that are easy to make with NumPy, by the names of the demo."""
    space = tuple(range(2, w.ndim))
    rank, taps = len(space), w[0].size
    stride, padding, dilation, groups = (options[k] for k in ("stride", "padding", "dilation", "groups"))
    right = conv(x, w, b, options)
    axis_names = {1: ["width"], 2: ["height", "width"], 3: ["depth", "height", "width"]}[rank]
    bare = conv(x, w, None, options)
    shaped = b.reshape(-1, *[1] * rank)
    wrong = {
        "a flipped kernel": conv(x, np.flip(w, space), b, options),
        "a forgotten bias": bare,
        "a bias added at every tap": bare + taps * shaped,
        "a bias subtracted": bare - shaped,
        "a bias added twice": bare + 2 * shaped,
        "a mean of the products in place of their sum": bare / taps + shaped,
        "numbers cut to integers": np.trunc(right),
        "a ReLU on top": np.maximum(right, 0),
        "a sum that is not set back between outputs": np.cumsum(right).reshape(right.shape),
    }
    only_last = np.zeros_like(w)
    only_last[(slice(None), -1, *[-1] * rank)] = w[(slice(None), -1, *[-1] * rank)]
    wrong["the last product alone (= in place of +=)"] = conv(x, only_last, b, options)
    wrong["the last product alone, without the bias"] = conv(x, only_last, None, options)
    for i, name in enumerate(axis_names):
        if rank > 1:
            wrong[f"a kernel flipped in {name} only"] = conv(x, np.flip(w, 2 + i), b, options)
        one = tuple(1 if j == i else s for j, s in enumerate(stride))
        if stride[i] > 1:
            where = f" in {name}" if rank > 1 else ""
            full = conv(x, w, b, options, stride=one)
            wrong[f"a forgotten stride{where}"] = full
            wrong[f"windows that move by one{where}, cut to the right size"] = full[tuple(map(slice, right.shape))]
        if padding[i] and rank > 1:
            none = tuple(0 if j == i else p for j, p in enumerate(padding))
            wrong[f"a padding forgotten in {name}"] = conv(x, w, b, options, padding=none)
        if w.shape[2 + i] > 1:
            part = w.copy()
            part[(slice(None), slice(None), *[slice(None)] * i, -1)] = 0
            cut = ["column", "row", "slice"][rank - 1 - i]
            wrong[f"the kernel’s last {cut} left out"] = conv(x, part, b, options)
    if any(padding):
        wrong["a forgotten padding"] = conv(x, w, b, options, padding=0)
        pads = [(p, p) for p in padding]
        for name, sides in (
            ("a padding at the end only", [(0, 2 * p) for p in padding]),
            ("a padding in front only", [(2 * p, 0) for p in padding]),
            ("a padding added once, in front", [(p, 0) for p in padding]),
        ):
            wrong[name] = conv(np.pad(x, [(0, 0), (0, 0), *sides]), w, b, options, padding=0)
        for name, mode in (
            ("the edge repeated", "edge"),
            ("a mirrored edge", "reflect"),
            ("the opposite edge", "wrap"),
        ):
            edges = np.pad(x, [(0, 0), (0, 0), *pads], mode=mode)
            wrong[f"{name} in place of zeros"] = conv(edges, w, b, options, padding=0)
    for name, by in (("windows that begin one late", 1), ("windows that begin one early", -1)):
        moved = np.roll(np.pad(x, [(0, 0), (0, 0), *[(p + 1, p + 1) for p in padding]]), [-by] * rank, space)
        inner = moved[(slice(None), slice(None), *[slice(1, -1)] * rank)]
        wrong[name] = conv(inner, w, b, options, padding=0)
    if rank == 2:
        wrong["a transposed kernel"] = conv(x, w.swapaxes(2, 3), b, options)
        wrong["an output with height and width swapped"] = right.swapaxes(2, 3)
        if stride[0] != stride[1]:
            wrong["strides of height and width swapped"] = conv(x, w, b, options, stride=stride[::-1])
        if padding[0] != padding[1]:
            wrong["paddings of height and width swapped"] = conv(x, w, b, options, padding=padding[::-1])
    if set(dilation) != {1}:
        wrong["a forgotten dilation"] = conv(x, w, b, options, dilation=1)
    depth = w.shape[1]
    if depth > 1:
        for name, keep in (
            ("the first input channel alone", 0),
            ("the last input channel alone (= in place of +=)", depth - 1),
        ):
            part = np.zeros_like(w)
            part[:, keep] = w[:, keep]
            wrong[name] = conv(x, part, b, options)
        wrong["a mean over the input channels"] = bare / depth + shaped
        wrong["input channels in the opposite order"] = conv(x, w[:, ::-1], b, options)
        wrong["a bias added once for every input channel"] = bare + depth * shaped
        wrong["a bias added once for every place in the kernel"] = bare + taps // depth * shaped
    if len(w) > 1:
        wrong["the first bias for every filter"] = bare + b[0]
        wrong["filters in the opposite order"] = right[:, ::-1]
    if len(w) == depth and groups == 1 and depth > 1:
        wrong["weights read as (C_in, C_out)"] = conv(x, w.swapaxes(0, 1), b, options)
    if groups > 1:
        first = x[:, : x.shape[1] // groups]
        wrong["the first group’s channels for every filter"] = conv(
            np.tile(first, (1, groups, *[1] * rank)), w, b, options
        )
    if len(x) > 1:
        wrong["a sum over the batch"] = np.broadcast_to(right.sum(0), right.shape)
        wrong["a mean over the batch"] = np.broadcast_to(right.mean(0), right.shape)
        wrong["the first item for the whole batch"] = np.broadcast_to(right[0], right.shape)
    return wrong


@pytest.mark.parametrize("name", CASES)
def test_every_suspect_gives_what_numpy_gives(in_module, name):
    x, w, b, options = CASES[name]
    demo = Autopsy(conv(x, w, b, options), None, x=x, w=w, b=b, **options)
    got = in_module(
        Autopsy, "suspectRules(readConvolution(args[0])).map(([n, f]) => [n, f()])", demo.data["convolution"]
    )
    found = {name: output and np.array(output["values"]).reshape(output["shape"]) for name, output in got}
    expected = mistakes(x, w, b, options)
    unknown = set(found) - set(expected)
    assert unknown <= {
        "the largest product in place of the sum",
        "a stride forgotten on all axes",
        "windows that move by one on all axes, cut to the right size",
    }
    assert len(expected) >= 15
    for mistake, wanted in expected.items():
        np.testing.assert_allclose(found[mistake], wanted, atol=1e-12, err_msg=mistake)


def test_the_largest_product_and_strides_forgotten_on_all_axes(in_module):
    x, w, b, options = case(8, stride=(2, 2), padding=(1, 0))
    right = conv(x, w, b, options)
    demo = Autopsy(right, None, x=x, w=w, b=b, **options)
    got = dict(
        in_module(Autopsy, "suspectRules(readConvolution(args[0])).map(([n, f]) => [n, f()])", demo.data["convolution"])
    )
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], (2, 3))[:, :, ::2, ::2]  # N C H W K K
    products = windows[:, None] * w[None, :, :, None, None]
    most = products.max(axis=(2, 5, 6)) + b[:, None, None]
    np.testing.assert_allclose(got["the largest product in place of the sum"]["values"], most.ravel(), atol=1e-12)
    full = conv(x, w, b, options, stride=1)
    np.testing.assert_allclose(got["a stride forgotten on all axes"]["values"], full.ravel(), atol=1e-12)
    cut = full[tuple(map(slice, right.shape))]
    name = "windows that move by one on all axes, cut to the right size"
    np.testing.assert_allclose(got[name]["values"], cut.ravel(), atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_a_mistake_is_named_when_it_matches_everywhere_and_only_then(open_demo, seed):
    rng = np.random.default_rng(seed)
    x, w, b, options = list(CASES.values())[seed]
    right, wrong = conv(x, w, b, options), mistakes(x, w, b, options)
    name = sorted(wrong)[rng.integers(len(wrong))]
    demo = open_demo(Autopsy(right, wrong[name], x=x, w=w, b=b, **options))
    said = demo.words(".said")
    alike = {k for k, v in wrong.items() if v.shape == wrong[name].shape and np.allclose(v, wrong[name], atol=1e-9)}
    assert name in alike
    if not np.array_equal(right, wrong[name]):
        assert all(other in said for other in alike)
        assert f"at all {wrong[name].size} cells" in said
    rows = {row[0]: row for row in demo.table(2)}
    at = np.unravel_index(0, right.shape)
    if wrong[name].shape == right.shape:
        at = np.unravel_index(int((np.abs(right - wrong[name]) > 1e-9).argmax()), right.shape)
    for other, output in wrong.items():
        row = rows[other]
        if output.shape == wrong[name].shape:
            scale = max(1, np.abs(output).max())
            same = int((np.abs(output - wrong[name]) <= 1e-9 * scale).sum())
            assert row[2] == f"{same} of {output.size}"
        else:
            assert row[2].startswith("shape (")
        if all(i < n for i, n in zip(at, output.shape, strict=True)):
            assert demo_number(row[1]) == pytest.approx(output[at], rel=1e-5, abs=1e-9)
        else:
            assert row[1] == "–"


def demo_number(text):
    text = text.replace("≈ ", "").replace("−", "-").replace(" · 10^", "e")
    return {"∞": np.inf, "-∞": -np.inf, "NaN": np.nan}.get(text) if not re.search(r"\d", text) else float(text)


def test_no_suspect_is_accused_of_what_it_does_not_give(open_demo):
    x, w, b, options = CASES["2-D"]
    right = conv(x, w, b, options)
    demo = open_demo(
        Autopsy(right, right + np.random.default_rng(0).standard_normal(right.shape), x=x, w=w, b=b, **options)
    )
    assert re.fullmatch(
        r"None of \d+ suspects gives these numbers: it is another mistake, or two at once\.", demo.words(".said")
    )
    assert demo.root.locator("tr.matches").count() == 0


def test_two_suspects_that_give_the_same_are_both_named(open_demo):
    x, w = np.arange(20.0).reshape(4, 5) ** 2, np.array([[1.0, 2.0], [1.0, 2.0]])
    right = np.einsum("ijuv,uv->ij", np.lib.stride_tricks.sliding_window_view(x, (2, 2)), w)
    got = np.einsum("ijuv,uv->ij", np.lib.stride_tricks.sliding_window_view(x, (2, 2)), w[:, ::-1])
    said = open_demo(Autopsy(right, got, x=x, w=w)).words(".said")
    assert "a flipped kernel; a kernel flipped in width only" in said
    assert said.endswith("This case cannot tell them apart.")


def test_given_suspects_are_lined_up_too(open_demo):
    right = np.arange(6.0).reshape(2, 3)
    suspects = [{"name": "<b>twice</b>", "output": 2 * right}, {"name": "other shape", "output": right.T}]
    demo = open_demo(Autopsy(right, 2 * right, suspects=suspects))
    assert demo.words(".said") == "The answer matches <b>twice</b> at all 6 cells."
    assert [row[0] for row in demo.table(1)] == ["<b>twice</b>", "other shape"]
    assert demo.table(1)[1][2] == "shape (3, 2)"


ARRAY = np.random.default_rng(5).standard_normal((3, 4, 5))
WHOLE = np.random.default_rng(6).integers(-9, 10, (4, 4)).astype(float)


def bordered(values, width):
    got = values + 1.0
    got[..., width:-width, width:-width] = values[..., width:-width, width:-width]
    return got + np.where(got == values, 0, np.random.default_rng(1).standard_normal(values.shape))


def changed(values, index, by=None):
    got = values.copy()
    got[index] += np.random.default_rng(2).standard_normal(got[index].shape) if by is None else by
    return got


FOUND = {
    "same": (ARRAY, np.zeros_like(ARRAY), "Every number is 0: was the result ever written?"),
    "same ": (ARRAY, np.full_like(ARRAY, 2.5), "Every number is 2.5."),
    "offset": (ARRAY, ARRAY - 0.25, "Every number is off by the same −0.25."),
    "offset ": (ARRAY, changed(ARRAY, (slice(None), 1), 3.0), "All 15 wrong numbers are off by the same 3."),
    "scale": (ARRAY, ARRAY / 12, "Every number is divided by 12: a mean in place of a sum?"),
    "scale ": (ARRAY, -ARRAY, "Every sign is turned"),
    "scale  ": (ARRAY, 1.5 * ARRAY, "Every number is multiplied by 1.5."),
    "truncated": (3 * ARRAY, np.trunc(3 * ARRAY), "cut to whole numbers toward 0"),
    "floored": (3 * ARRAY, np.floor(3 * ARRAY), "rounded down"),
    "rounded": (3 * ARRAY, np.round(3 * ARRAY), "rounded to whole numbers"),
    "relu": (ARRAY, np.maximum(ARRAY, 0), "a ReLU"),
    "absolute": (ARRAY, abs(ARRAY), "without its sign"),
    "transposed": (ARRAY, ARRAY.swapaxes(1, 2), "transposed: axis 1 and axis 2 are swapped"),
    "transposed ": (WHOLE, WHOLE.T, "transposed: axis 0 and axis 1 are swapped"),
    "transposed  ": (ARRAY, ARRAY.T, "transposed: axis 0 and axis 2 are swapped"),
    "flipped": (ARRAY, ARRAY[:, ::-1], "backward along axis 1"),
    "flipped ": (ARRAY, ARRAY[::-1, :, ::-1], "backward along axis 0 and axis 2"),
    "shifted": (ARRAY, np.roll(ARRAY, 1, 2), "shifted by one along axis 2: got[i] is expected[i − 1]"),
    "shifted ": (ARRAY, np.roll(ARRAY, -1, 1), "along axis 1: got[i] is expected[i + 1]"),
    "shifted  ": (ARRAY, ARRAY[:, 1:], "along axis 1: got[i] is expected[i + 1]"),
    "order": (ARRAY, ARRAY.reshape(4, 5, 3).transpose(2, 0, 1), "stand in another order"),
    "one": (ARRAY, changed(ARRAY, (slice(None), 3)), "Wrong only at index 3, the last of axis 1; the rest is right."),
    "one ": (ARRAY, changed(ARRAY, (1, slice(None), slice(1, None))), "Wrong only at index 1 of axis 0"),
    "but": (ARRAY, changed(ARRAY, slice(1, None)), "Right only at index 0 of axis 0."),
    "border": (np.ones((7, 8)), bordered(np.ones((7, 8)), 1), "in the outer ring of axis 0 and axis 1"),
    "border ": (np.ones((2, 7, 8)), bordered(np.ones((2, 7, 8)), 2), "in the outer 2 rings of axis 1 and axis 2"),
    "finite": (ARRAY, np.where(ARRAY > 1, np.nan, ARRAY), "NaN: look for 0/0"),
    "finite ": (ARRAY, changed(ARRAY, (0, 0, 0), np.inf), "1 number is infinite"),
    "integer": (ARRAY, ARRAY.astype(int), "The answer holds int64 numbers where float64 is expected"),
    "precision": (ARRAY, (ARRAY + 1).astype(np.float32), "float32 where float64 is expected: digits are lost"),
    "rounding": (ARRAY, ARRAY * (1 + 1e-7 * np.sign(ARRAY[::-1])), "All differences are small"),
    "size": (ARRAY, ARRAY[:, :-1], "Axis 1 has 3 in place of 4: 1 too few."),
    "size ": (ARRAY, np.pad(ARRAY, [(0, 0), (0, 0), (1, 1)]), "Axis 2 has 7 in place of 5: 2 too many."),
}  # fmt: skip


def test_findings_say_what_the_differences_have_in_common(in_module):
    cases = [Autopsy(expected, got).data for expected, got, _ in FOUND.values()]
    expression = (
        "args[0].map((d) => findings(unpack(d.expected), unpack(d.got), { tolerance: d.tolerance, dtypes: d.dtypes }))"
    )
    for (kind, (_, _, words)), found in zip(FOUND.items(), in_module(Autopsy, expression, cases), strict=True):
        said = {item["kind"]: item["words"] for item in found}
        assert kind.strip() in said, (kind, said)
        assert words in said[kind.strip()]


def test_findings_stay_silent_about_noise(in_module):
    rng = np.random.default_rng(0)
    shapes = [(4, 5), (3, 4, 5), (2, 3, 4, 4), (9,)]
    cases = [Autopsy(rng.standard_normal(s), rng.standard_normal(s)).data for s in shapes for _ in range(5)]
    expression = "args[0].map((d) => findings(unpack(d.expected), unpack(d.got), { tolerance: d.tolerance }))"
    assert in_module(Autopsy, expression, cases) == [[]] * len(cases)


@pytest.mark.parametrize(
    "shapes", [((7,), (7,)), ((3, 5), (3, 5)), ((2, 3, 4, 5), (2, 3, 4, 5)), ((4, 6), (3, 7)), ((2, 3, 4), (3, 4))]
)
def test_counts_errors_cells_and_table_equal_numpys(open_demo, shapes):
    rng = np.random.default_rng(sum(map(len, shapes)))
    expected, got = rng.standard_normal(shapes[0]), rng.standard_normal(shapes[1])
    axes = max(expected.ndim, got.ndim)
    right, answer = (a.reshape((1,) * (axes - a.ndim) + a.shape) for a in (expected, got))
    both = tuple(slice(min(pair)) for pair in zip(right.shape, answer.shape, strict=True))
    same = rng.random(right[both].shape) < 0.5
    answer[both][same] = right[both][same]
    answer[both].flat[-1] = np.nan
    got = answer.reshape(got.shape)
    demo = open_demo(Autopsy(expected, got))
    wrong = ~(abs(answer[both] - right[both]) <= 1e-9 * max(1, abs(expected).max()))
    error = np.where(wrong, abs(answer[both] - right[both]), np.nan)
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    verdict = demo.words(".verdict")
    assert f"{wrong.sum()} of {wrong.size} cells are wrong, the first at [{', '.join(map(str, first))}]" in verdict
    largest, at, typical = re.search(
        r"the largest error is (\S+) at \[(.*)\], a typical one (\S+) \(median\)", verdict
    ).groups()
    assert float(largest) == pytest.approx(np.nanmax(error), rel=1e-5)
    assert tuple(map(int, at.split(", "))) == np.unravel_index(np.nanargmax(error), error.shape)
    assert float(typical) == pytest.approx(np.nanmedian(error), rel=1e-5)

    rows = demo.table()
    union = tuple(max(pair) for pair in zip(right.shape, answer.shape, strict=True))
    assert len(rows) == np.prod(union)
    for row, index in zip(rows, np.ndindex(union), strict=True):
        assert row[0] == ", ".join(map(str, index))
        for text, array in ((row[1], right), (row[2], answer)):
            inside = all(i < n for i, n in zip(index, array.shape, strict=True))
            assert (
                text == "" if not inside else demo_number(text) == pytest.approx(array[index], rel=1e-11, nan_ok=True)
            )
        common = all(i < n for i, n in zip(index, wrong.shape, strict=True))
        if common:
            assert demo_number(row[3]) == pytest.approx(answer[index] - right[index], rel=1e-9, abs=1e-12, nan_ok=True)
        assert row[4] == (("wrong" if wrong[index] else "right") if common else "not in both")

    lead = first[:-2]
    for name, array in (("expected", right), ("got", answer)):
        plane = np.full(union[-2:], np.nan)
        inner = array[lead] if axes > 1 else array[None]
        plane = np.full((1, *union) if axes == 1 else union[-2:], np.nan)
        plane[: inner.shape[0], : inner.shape[1]] = inner
        texts = demo.cells(name)
        columns = plane.shape[1]
        assert len(texts) == plane.size
        for i, text in enumerate(texts):
            value = plane[i // columns, i % columns]
            if text not in {"", "NaN", "≈ 0"}:
                assert demo_number(text) == pytest.approx(value, abs=0.00501)


@pytest.mark.parametrize("name", ["1-D", "3-D", "dilation", "groups"])
def test_the_sum_is_stepped_through_tap_by_tap(open_demo, name):
    x, w, b, options = CASES[name]
    right = conv(x, w, b, options)
    got = right + 1
    index = tuple(int(n) - 1 for n in right.shape)
    view = Autopsy(right, got, x=x, w=w, b=b, **options)
    view.cell, view.tap = list(index), 3
    demo = open_demo(view)
    n, o, *position = index
    rank, taps = len(position), w[0].size
    padded = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in options["padding"]]])
    depth = w.shape[1]
    first = o // (len(w) // options["groups"]) * depth
    corner = [p * s for p, s in zip(position, options["stride"], strict=True)]
    cut = [slice(c, c + d * (k - 1) + 1, d) for c, d, k in zip(corner, options["dilation"], w.shape[2:], strict=True)]
    window = padded[(n, slice(first, first + depth), *cut)]
    products = (window * w[o]).ravel()
    running = b[o] + np.cumsum(products)
    assert running[-1] == pytest.approx(right[index])
    rows = demo.table(1)
    assert len(rows) == taps
    for k, row in enumerate(rows):
        place = np.unravel_index(k, w[o].shape)
        assert (row[1], row[2]) == (str(place[0]), ", ".join(map(str, place[1:])))
        for text, value in zip(row[4:], (window.ravel()[k], w[o].ravel()[k], products[k], running[k]), strict=True):
            assert demo_number(text) == pytest.approx(value, rel=1e-10, abs=1e-12)
    words = demo.words()
    assert f"product 3 of {taps}" in words
    assert demo_number(demo.words(".words strong")) == pytest.approx(running[2], rel=1e-5)
    assert f"expected {right[index]:.6g}".replace("-", "−") in words
    assert "difference 1." in words
    shown = [text for text in demo.cells("products") if text]
    width = int(np.prod(w.shape[-2:] if rank > 1 else w.shape[-1:]))
    start = (2 // width) * width
    assert [demo_number(text) for text in shown] == pytest.approx(products[start:3].tolist(), abs=0.00501)
    demo.set("position", taps)
    assert demo_number(demo.words(".words strong")) == pytest.approx(right[index], rel=1e-5)
    demo.set("position", 0)
    assert demo_number(demo.words(".words strong")) == pytest.approx(b[o], rel=1e-5)
    assert [text for text in demo.cells("products") if text] == []


def test_a_sum_that_is_not_the_expected_number_is_said_to_be_so(open_demo):
    x, w, b, options = CASES["2-D"]
    right = conv(x, w, b, options)
    words = open_demo(Autopsy(right + 5, right, x=x, w=w, b=b, **options)).words()
    assert "This is not the number that is expected: x, w, b or an option is another than in the check." in words


def test_plain_matrices_and_an_input_without_batch_are_stepped_through(open_demo):
    x, w, b, options = case(11, batch=1, stride=(1, 1), padding=(0, 0))
    right = conv(x, w, b, options)[0]
    demo = open_demo(Autopsy(right, right + 1, x=x[0], w=w, b=b))
    assert demo_number(demo.words(".words strong")) == pytest.approx(right[0, 0, 0], rel=1e-5)
    assert demo.root.locator("input[name=axis-0]").count() == 1
    plain = np.einsum("ijuv,uv->ij", np.lib.stride_tricks.sliding_window_view(x[0, 0], w.shape[2:]), w[0, 0]) + 2
    demo = open_demo(Autopsy(plain, plain - 2, x=x[0, 0], w=w[0, 0], b=2))
    assert demo_number(demo.words(".words strong")) == pytest.approx(plain[0, 0], rel=1e-5)
    assert "matches a forgotten bias at all" in demo.words(".said")


def test_what_holds_no_numbers_is_explained(open_demo):
    demo = open_demo(Autopsy(np.eye(3), None))
    assert demo.words() == "The answer is None. Does the function end with a return line?"
    assert demo.words(".answer") == "No numbers"
    assert demo.cells("expected") == ["1", "0", "0", "0", "1", "0", "0", "0", "1"]
    assert set(demo.cells("got")) | set(demo.cells("difference")) == {""}
    demo = open_demo(Autopsy(np.eye(3), np.zeros((0, 3))))
    assert "No cell can be compared." in demo.words(".verdict")
    demo = open_demo(Autopsy(np.eye(3), np.eye(3)))
    assert demo.words(".answer") == "All right"
    assert "All 9 cells are right" in demo.words(".verdict")
    assert not demo.root.locator(".panels > *").first.is_visible()
    demo = open_demo(Autopsy(np.float64(3), 4))
    assert "1 of 1 cell is wrong, the first at [0]" in demo.words(".verdict")


def test_nan_and_infinity_stand_in_their_cells(open_demo):
    demo = open_demo(Autopsy(np.ones((2, 2)), np.array([[np.nan, np.inf], [-np.inf, 1.0]])))
    assert demo.cells("got") == ["NaN", "∞", "−∞", "1"]
    assert "3 of 4 cells are wrong" in demo.words(".verdict")
    assert "expected 1, got NaN, difference NaN" in demo.words()


def test_a_block_of_a_large_array_says_so(open_demo):
    expected = np.zeros((4, 300, 500))
    got = expected.copy()
    got[2, 250, 400:420] = 1
    demo = open_demo(Autopsy(expected, got))
    verdict = demo.words(".verdict")
    assert "The whole array has 600 000 cells, of which 20 are wrong".replace(" 000", "\u2009000") in verdict
    assert "the first at [2, 250, 400]" in verdict
    assert "Cell [2, 250, 400]: expected 0, got 1, difference 1." in demo.words()
    assert demo.words(".answer") == "20 of 600\u2009000 wrong"


def test_hints_unfold_one_by_one(open_demo):
    demo = open_demo(Autopsy(np.ones(2), np.zeros(2), mistake="Zeros <i>only</i>.", hints=["first", "second"]))
    assert demo.words(".mistake") == "Zeros <i>only</i>."
    hint = demo.root.locator("button[name=hint]")
    assert demo.root.locator(".hints li").count() == 0
    assert hint.inner_text() == "Show hint 1 of 2"
    hint.click()
    assert demo.root.locator(".hints li").all_inner_texts() == ["first"]
    hint.click()
    assert demo.root.locator(".hints li").all_inner_texts() == ["first", "second"]
    assert not hint.is_visible()


def test_keyboard_alone(open_demo):
    x, w, b, options = CASES["2-D"]
    right = conv(x, w, b, options)
    got = right.copy()
    got[0, 1, 0, 1] += 1
    got[1, 2, 1, 0] += 1
    demo = open_demo(Autopsy(right, got, x=x, w=w, b=b, **options))
    demo.root.locator(".stage").focus()
    assert demo.words().startswith("Cell [0, 1, 0, 1]:")
    demo.press("n")
    assert demo.words().startswith("Cell [1, 2, 1, 0]:")
    demo.press("p", "Home", "ArrowRight")
    assert demo.words().startswith(f"Cell [0, 1, 0, 1]: product 1 of {w[0].size}")
    demo.press("Tab")
    assert "0, 1, 0, 0" in demo.root.locator(".tooltip").inner_text()
    demo.press("ArrowDown", "Enter")
    assert demo.words().startswith("Cell [0, 1, 1, 0]:")


def test_click_sliders_and_the_small_picture_choose_a_cell(open_demo):
    expected = np.zeros((2, 20, 30))
    got = expected.copy()
    got[:, 3, 4] = 1
    demo = open_demo(Autopsy(expected, got))
    demo.set("axis-0", 1)
    assert demo.words().startswith("Cell [1, 3, 4]:")
    box = demo.root.locator('[data-overview="difference"]')
    size = box.bounding_box()
    box.click(position={"x": size["width"] * 25.5 / 30, "y": size["height"] * 17.5 / 20})
    assert demo.words().startswith("Cell [1, 17, 25]: expected 0, got 0, right.")
    heading = demo.root.locator('[data-grid="expected"] text.title').text_content()
    top, left = re.search(r"rows (\d+)–\d+, columns (\d+)–", heading).groups()
    demo.root.locator('[data-grid="got"] .cells rect').first.click()
    assert demo.words().startswith(f"Cell [1, {top}, {left}]:")
    demo.page.get_by_role("button", name="To the start").click()
    assert demo.words().startswith("Cell [0, 3, 4]:")


def run(listing):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(listing, {})
    return out.getvalue()


def test_the_numpy_listing_finds_what_is_shown(open_demo):
    got = ARRAY.copy()
    got[1, 2, 3] = 7
    got[2, 0, 0] = np.nan
    said = run(open_demo(Autopsy(ARRAY, got)).listing("NumPy"))
    assert said.startswith("2 of 60 cells are wrong\nfirst at (1, 2, 3)")
    assert f"expected {ARRAY[1, 2, 3]} got 7.0" in said
    said = run(open_demo(Autopsy(np.ones((3, 4)), np.zeros((2, 5)))).listing("NumPy"))
    assert said.startswith("8 of 8 cells are wrong\nfirst at (0, 0)")


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["1-D", "3-D", "groups"])
def test_the_pytorch_listing_gives_the_expected_array(open_demo, name):
    import torch

    x, w, b, options = CASES[name]
    right = conv(x, w, b, options)
    scope = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(open_demo(Autopsy(right, right + 1, x=x, w=w, b=b, **options)).listing("PyTorch"), scope)
    assert isinstance(scope["y"], torch.Tensor)
    np.testing.assert_allclose(scope["y"].numpy(), right, atol=1e-12)


@pytest.mark.parametrize(
    "demo", [Autopsy(ARRAY, ARRAY + 1, title="A long title that has to be broken", hints=["a"]), None]
)
def test_nothing_is_wider_than_a_narrow_page(new_page, show, demo):
    x, w, b, options = CASES["3-D"]
    right = conv(x, w, b, options)
    page = new_page(viewport={"width": 360, "height": 800})
    show(page, demo or Autopsy(right, right + 1, x=x, w=w, b=b, **options))
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_state_comes_back_in_a_saved_page(open_demo):
    x, w, b, options = CASES["2-D"]
    right = conv(x, w, b, options)
    view = Autopsy(right, right + 1, x=x, w=w, b=b, hints=["a", "b"], **options)
    view.cell, view.tap, view.hints_shown = [1, 2, 0, 1], 4, 1
    demo = open_demo(view)
    assert demo.words().startswith(f"Cell [1, 2, 0, 1]: product 4 of {w[0].size}")
    assert demo.root.locator(".hints li").count() == 1
    assert int(demo.root.locator("input[name=axis-1]").input_value()) == 2
