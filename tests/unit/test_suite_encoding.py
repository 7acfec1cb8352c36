"""Who measures what takes the picture itself, on the miniature and where a model cannot be had."""

from functools import partial

import PIL.Image
import pytest

from multiid import PRESETS
from multiid.evaluation.encoders import CLIPEncoder, DINOEncoder
from multiid.mini.figures.judges import PlaceJudge, train_place_judge
from multiid.prompts import Subject, bind
from multiid.suites import encoding
from multiid.suites.encoding import ENCODED, choose_encoders
from multiid.suites.miniature import MiniaturePeople
from multiid.suites.people import Group
from multiid.suites.suite import load_suite


@pytest.fixture(scope="module")
def places() -> PlaceJudge:
    return train_place_judge(scenes=150)


@pytest.fixture(scope="module")
def group() -> Group:
    suite = load_suite("groups")
    return MiniaturePeople(suite).group(suite.cases[2], 1)


def text_of(group: Group) -> str:
    subjects = [Subject(sitter.name, sitter.noun, sitter.phrase) for sitter in group.people]
    return bind(group.prompt, subjects, phrases=True).text


def test_the_miniature_is_read_by_its_own_networks(places: PlaceJudge, group: Group) -> None:
    encoders = choose_encoders(ENCODED, PRESETS["mini"], places=places)
    assert set(encoders.names) == {"clip_t", "clip_i"}
    assert all("miniature" in name for name in encoders.names.values())
    assert set(encoders.unmeasured) == {"dino"}
    assert group.truth is not None
    true, photos = group.truth().picture, [photo for sitter in group.people for photo in sitter.kept]
    shown = encoders.measure(true, text=text_of(group), photos=photos, truth=group.truth)
    empty = PIL.Image.new("RGB", true.size)
    nothing = encoders.measure(empty, text=text_of(group), photos=photos, truth=group.truth)
    print(f"true render {shown}, required at least 0.8 and 0.3; black {nothing}")
    assert shown["clip_t"] >= 0.8
    assert shown["clip_i"] >= 0.3
    assert nothing["clip_t"] <= 0.3
    assert nothing["clip_i"] != nothing["clip_i"]  # not a number
    assert "clip_t" not in encoders.measure(true.resize((64, 64)), text="", photos=photos, truth=group.truth)


def test_only_what_is_asked_for_is_measured() -> None:
    assert choose_encoders(["nearest", "clip_i"], PRESETS["mini"], places=None).names.keys() == {"clip_i"}
    none = choose_encoders(["clip_t"], PRESETS["mini"], places=None)
    assert (none.names, list(none.unmeasured)) == ({}, ["clip_t"])


def test_a_model_that_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "CLIPEncoder", partial(CLIPEncoder, "no-such-folder"))
    monkeypatch.setattr(encoding, "DINOEncoder", partial(DINOEncoder, "no-such-folder"))
    encoders = choose_encoders(ENCODED, PRESETS["sdxl"], places=None)
    assert not encoders.names
    assert all("no-such-folder" in encoders.unmeasured[metric] for metric in ENCODED)
