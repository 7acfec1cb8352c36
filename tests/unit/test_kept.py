"""Stamps of what is kept: the same for the same weights, wherever they lie."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from multiid.pipeline.kept import made_with
from multiid.pipeline.preset_record import Preset, Weights


@pytest.fixture
def preset(tmp_path: Path) -> Preset:
    folder = tmp_path / "here" / "base"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    return Preset("mine", "Mine", Weights(str(folder), "my own"))


def test_weights_count_by_what_is_in_them(preset: Preset, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    moved = replace(preset, base=Weights(str(tmp_path / "there" / "base"), "another licence"))
    assert made_with(moved) == made_with(preset)
    (tmp_path / "there" / "base" / "model.safetensors").write_bytes(b"Weights")
    assert made_with(moved) != made_with(preset)


def test_weights_of_the_hub_count_by_name_file_and_revision(preset: Preset) -> None:
    told = [
        made_with(replace(preset, base=weights))
        for weights in (
            Weights("owner/name", "any"),
            Weights("owner/other", "any"),
            Weights("owner/name", "any", file="model.safetensors"),
            Weights("owner/name", "any", revision="1" * 40),
        )
    ]
    assert all(one != other for index, one in enumerate(told) for other in told[:index])
