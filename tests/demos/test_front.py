"""What all demos share: the colors of the figures, and inputs that are checked."""

import re
from typing import ClassVar

import numpy as np
import pytest
from matplotlib import colormaps

from cnnlab.demos.inputs import nested, numbers
from cnnlab.demos.pack import pack
from cnnlab.demos.widget import joined
from cnnlab.viz.style import PALETTES, SEQUENTIAL, SIGNED


def test_colors_are_those_of_the_figures():
    css = joined("front/base.css")
    names = {"--surface": "page", "--ink": "ink", "--muted": "muted", "--vermilion": "highlight"}
    for variable, attribute in names.items():
        light, dark = re.search(rf"{variable}: light-dark\((#\w+), (#\w+)\)", css).groups()
        assert (light, dark) == (getattr(PALETTES["light"], attribute), getattr(PALETTES["dark"], attribute))
    for variable, place in {"--blue": 0, "--vermilion": 1, "--green": 2}.items():
        light, dark = re.search(rf"{variable}: light-dark\((#\w+), (#\w+)\)", css).groups()
        assert (light, dark) == (PALETTES["light"].lines[place], PALETTES["dark"].lines[place])


@pytest.mark.parametrize(("name", "theirs"), [("CIVIDIS", "cividis"), ("PUOR", "PuOr")])
def test_color_maps_are_matplotlibs(name, theirs):
    table = re.search(rf"const {name} = stops\((.*?)\);", joined("front/color.js"), re.S)[1]
    stops = re.findall(r"\b[0-9a-f]{6}\b", table)
    assert len(stops) == 21
    places = np.round(np.arange(len(stops)) * 255 / (len(stops) - 1)).astype(int)
    expected = np.round(colormaps[theirs](places)[:, :3] * 255)
    got = [[int(stop[i : i + 2], 16) for i in (0, 2, 4)] for stop in stops]
    np.testing.assert_allclose(got, expected, atol=1)


def test_the_maps_are_those_of_the_figures():
    assert (SEQUENTIAL, SIGNED) == ("cividis", "PuOr")


@pytest.mark.parametrize("values", [[[True, False]], [[1, 0]], np.ones((1, 2), np.float16), np.ones((4, 1))[::2].T])
def test_real_numbers_of_any_kind_become_the_asked_dtype(values):
    got = numbers(values, "x", ndim=2, dtype=np.float64)
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, np.asarray(values, np.float64))


def test_several_ranks_may_be_allowed():
    assert numbers([1.0, 2.0], "x", ndim=(1, 2)).shape == (2,)
    with pytest.raises(ValueError, match=r"x has shape \(\): expected 1 or 2 axes"):
        numbers(3.0, "x", ndim=(1, 2))


def test_an_array_on_a_gpu_is_refused_with_the_way_to_bring_it():
    class OnGpu:
        __cuda_array_interface__: ClassVar = {}

    with pytest.raises(TypeError, match=r"x lies on a GPU: pass cnnlab.to_numpy\(x\)"):
        numbers(OnGpu(), "x", ndim=1)


def test_nested_lists_keep_every_bit():
    x = np.random.default_rng(0).standard_normal((2, 3))
    np.testing.assert_array_equal(np.array(nested(x)), x)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int32", "uint8"])
def test_packing_names_its_dtype_and_shape(dtype):
    sent = pack(np.arange(6).reshape(2, 3), dtype)
    assert (sent["dtype"], sent["shape"]) == (dtype, [2, 3])
