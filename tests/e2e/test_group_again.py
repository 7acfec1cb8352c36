"""Six people of a real group photo, in a template with six places: the whole way from photo to picture."""

import importlib.util
import itertools
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from conftest import ROOT, needs
from PIL import Image


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def group_photo() -> Path:
    spec = importlib.util.find_spec("insightface")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the group photo in the package insightface")
    return Path(spec.submodule_search_locations[0]) / "data" / "images" / "t1.jpg"


def test_six_people_stand_in_six_disjoint_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTIID_MODELS_DIR", str(needs("models")))
    picture = example("group_again").group_again(group_photo(), "friends-six", preset="tiny", width=608, height=352)
    regions = picture.stage.regions
    assert picture.names == tuple(f"friend{i}" for i in range(1, 7))
    assert regions.shape == (6, 352, 608)
    for a, b in itertools.combinations(range(6), 2):
        assert (regions[a] * regions[b]).max() == 0
    shares = [round(region.mean().item(), 3) for region in regions]
    print(f"each person's share of the picture: {shares}, at least 0.02")
    assert min(shares) > 0.02
    # Each face's middle lies in its own person's region.
    assert picture.stage.pose is not None
    for person, place in enumerate(picture.stage.pose.places):
        box = place.skeleton.face_box(picture.stage.size)
        assert box is not None
        x, y = map(int, box.centre)
        assert regions[person, y, x] == 1
    sheet = np.asarray(picture.explain())
    assert Image.fromarray(sheet).width > 2 * 608
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 1000
    assert torch.isfinite(regions).all()
