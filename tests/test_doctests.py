"""The examples in the docstrings of the library's core run and print what they say."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import cnnlab

AREAS = ("backend", "data", "geometry", "inspection", "nn", "ops", "optim", "reference", "train")


def modules_of(area):
    package = importlib.import_module(f"cnnlab.{area}")
    return [package.__name__, *(m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))]


@pytest.mark.parametrize("name", [name for area in AREAS for name in modules_of(area)])
def test_examples_run(name):
    with cnnlab.device("cpu"):
        result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def public_functions(area):
    package = importlib.import_module(f"cnnlab.{area}")
    public = [getattr(package, name) for name in package.__all__]
    return [thing for thing in public if callable(thing) and not isinstance(thing, type | ModuleType)]


@pytest.mark.parametrize("area", ["ops", "reference"])
def test_every_public_function_has_an_example(area):
    functions = [f for f in public_functions(area) if f.__module__.startswith("cnnlab.")]
    assert functions
    assert not [f.__name__ for f in functions if ">>>" not in (f.__doc__ or "")]
