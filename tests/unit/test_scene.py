"""Scenes in Python: what a field may hold is checked when the scene is made, not in the middle of a picture."""

from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch

from multiid import Box, Identity, Lora, Person, Pose, Scene, SceneError, Size

NAN, INFINITE = float("nan"), float("inf")


@pytest.fixture(autouse=True)
def no_type_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of tests nothing but the scene's own checks stands between a user and a wrong type."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def person(name: str = "ada") -> Identity:
    return Identity(name, "woman", torch.ones(1, 1, 8), encoder="e" * 64)


@pytest.mark.parametrize("key", ["merge_step", "steps", "images", "seed", "width", "height"])
@pytest.mark.parametrize("value", [2.0, NAN, "2", True, np.int64(2)])
def test_whole_numbers_are_whole_numbers(key: str, value: Any) -> None:
    with pytest.raises(SceneError, match=f"^{key}: expected a whole number, but got"):
        Scene("tea", **{key: value})


@pytest.mark.parametrize("key", ["style_strength", "guidance", "control_scale", "control_end", "soft_edge"])
def test_numbers_are_finite_and_no_booleans(key: str) -> None:
    for value in (NAN, INFINITE, -INFINITE):
        with pytest.raises(SceneError, match=f"^{key}: expected .*, but got {value}.$"):
            Scene("tea", **{key: value})
    for value in (True, "1"):
        with pytest.raises(SceneError, match=f"^{key}: expected a number, but got {value!r}.$"):
            Scene("tea", **{key: value})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prompt": None}, "prompt: expected a text, but got None."),
        ({"prompt": b"tea"}, "prompt: expected a text, but got b'tea'."),
        ({"images": None}, "images: expected a whole number, but got None."),
        ({"control_identity": 1}, "control_identity: expected True or False, but got 1."),
        ({"negative_prompt": 3}, "negative_prompt: expected a text, but got 3."),
        ({"scheduler": "dpm"}, "scheduler: expected the name of a sampler, but got 'dpm'; did you mean 'dpm\\+\\+"),
        ({"layout": "stacked"}, 'layout: expected one of stack, inline, auto, but got "stacked".'),
        ({"template": "couple-selfie", "pose": Pose(Size(64, 64), ())}, "pose: expected either a template or a pose"),
        ({"merge_step": 1, "style_strength": 20}, "merge_step: expected either merge_step or style_strength"),
        ({"width": 512}, "width and height: expected both or neither, but got one."),
        ({"people": "ada"}, "people: expected each to be a Person or an Identity, but got str."),
        ({"people": person()}, "people: expected a list, but got Identity."),
        ({"people": [person(), None]}, "people: expected each to be a Person or an Identity, but got NoneType."),
        ({"people": [person(), Person(person())]}, "people: expected every name once, but ada came twice."),
    ],
)
def test_what_cannot_be_made_is_said(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SceneError, match=f"^{said}"):
        Scene(**{"prompt": "tea"} | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strength": -0.1}, "ada's strength: expected at least 0, but got -0.1."),
        ({"strength": 10.1}, "ada's strength: expected at most 10, but got 10.1."),
        ({"strength": NAN}, "ada's strength: expected at least 0, but got nan."),
        ({"strength": True}, "ada's strength: expected a number, but got True."),
        ({"strength": None}, "ada's strength: expected a number, but got None."),
        ({"place": -1}, "ada's place: expected at least 0, but got -1."),
        ({"place": 1.0}, "ada's place: expected a whole number, but got 1.0."),
        ({"phrase": None}, "ada's phrase: expected a text, but got None."),
        ({"region": (0, 0, 8, 8)}, "ada's region: expected a Box, or a mask as picture or array, but got tuple."),
        ({"identity": "ada"}, "identity: expected an Identity, but got str."),
        ({"anchor": "lead.png"}, "ada's anchor: expected an Anchor, but got str."),
        ({"consistency": -1.0}, "ada's consistency: expected at least 0, but got -1.0."),
    ],
)
def test_people_are_checked_by_name(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SceneError) as caught:
        Person(**{"identity": person()} | changes)
    assert str(caught.value) == said


def test_loras_are_checked() -> None:
    for weight, limit in ((-11, "at least -10"), (11, "at most 10")):
        with pytest.raises(SceneError, match=f"^loras.weight: expected {limit}, but got {weight}.$"):
            Lora("owner/film", weight)
    with pytest.raises(SceneError, match=r"^loras\.source: expected a text, but got None"):
        Lora(None)  # type: ignore[arg-type]


def test_identities_stand_for_people() -> None:
    ada, isaac = person(), person("isaac")
    scene = Scene("tea", people=[ada, Person(isaac, place=1)])
    assert [type(one) for one in scene.cast] == [Person, Person]
    assert scene.cast[0].identity is ada
    assert scene.cast[1].place == 1


def test_whole_numbers_do_where_numbers_are_asked_for() -> None:
    scene = Scene("tea", people=[Person(person(), strength=1, region=Box(0, 0, 8, 8))], guidance=3, control_end=1)
    assert scene.guidance == 3
