"""Shared fixtures. The import hook checks every tensor shape and type annotation of the package at run time."""

import importlib.util
import os
import random
import sys
from pathlib import Path
from types import ModuleType

import hypothesis
import numpy as np
import pytest
from jaxtyping import install_import_hook

install_import_hook("multiid", "typecheck.check")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# No deadline: how long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("multiid", deadline=None, derandomize=True)
hypothesis.settings.load_profile("multiid")

ROOT = Path(__file__).resolve().parents[1]


def find_test_data() -> Path:
    """Where reference numbers, real photos and models are: MULTIID_TEST_DATA, or ../shared beside the checkout."""
    return Path(os.environ.get("MULTIID_TEST_DATA", ROOT.parent / "shared"))


def load_example(name: str) -> ModuleType:
    """One of the scripts in examples/, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for their own module
    spec.loader.exec_module(module)
    return module


def needs(*parts: str) -> Path:
    """A file or folder of the test data; skips the test, with the reason, where it is absent."""
    path = find_test_data().joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs test data: {path} is absent (set MULTIID_TEST_DATA)")
    return path


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same random numbers in every run and every order of tests."""
    import torch

    torch.set_num_threads(1)  # tests run side by side, one process per core
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
