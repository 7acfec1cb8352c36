"""Templates for comic panels: people seen from behind, extras, and what is promised of them."""

import json
from pathlib import Path

import pytest
from shelf import shelf_template

from multiid.errors import TemplateError
from multiid.geometry import Point
from multiid.poses.templates import Template, load_template, template_names, template_schema, templates_for

PANELS = [name for name in template_names() if shelf_template(name).tags[0] == "panel"]
PROMISED = (
    "talking", "from-behind", "close-up", "reaction", "running", "walking", "hugging", "seated", "pointing", "crowd",
    "shrugging", "celebration", "crouching", "arguing", "confrontation",
)  # fmt: skip


def crowd(**changes: object) -> dict[str, object]:
    """Two people and an extra, with changes to the last place."""
    places: list[dict[str, object]] = [
        {"body": {"face": [x, 0.3], "height": 1.0}, "extra": extra}
        for x, extra in ((0.4, False), (0.8, False), (0.2, True))
    ]
    places[-1] |= changes
    return {"name": "mine", "title": "Mine", "size": [1024, 768], "places": places}


def load(folder: Path, document: object) -> Template:
    path = folder / "mine.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_template(path)


def test_panels_show_what_comics_need():
    assert len(PANELS) >= 14
    tags = {tag for name in PANELS for tag in shelf_template(name).tags}
    assert set(PROMISED) <= tags
    assert {"over-the-shoulder", "back-to-back"} <= set(PANELS)


@pytest.mark.parametrize("name", PANELS)
def test_crowds_have_extras_behind_and_nothing_else_has(name: str):
    template = shelf_template(name)
    extras = [place for place in template.places if place.extra]
    people = [place for place in template.places if not place.extra]
    assert ("crowd" in template.tags) == bool(extras)
    assert not extras or min(place.depth for place in extras) > max(place.depth for place in people)
    assert template.people == len(people) >= 1
    if extras:
        assert f"places {len(people)} to {len(template.places) - 1}" in template.description


def test_over_the_shoulder_shows_one_from_behind_before_another_who_faces_us():
    template = shelf_template("over-the-shoulder")
    near, far = template.pose().places
    box = near.skeleton.head_box(template.size)
    assert near.depth < far.depth
    assert near.skeleton.face_box(template.size) is None
    assert box is not None
    face = far.skeleton.face_box(template.size)
    assert face is not None
    assert face.inside(template.size)
    assert box.width > face.width
    assert near.skeleton["left_shoulder"] is None, "cut by the edge"


def test_a_close_up_is_mostly_face():
    template = shelf_template("close-up")
    face = template.pose().places[0].skeleton.face_box(template.size)
    assert face is not None
    print(f"the face is {face.height / template.size.height:.2f} of the panel's height, required 0.4")
    assert face.height > 0.4 * template.size.height


def test_extras_are_read_written_and_taken_from_poses(tmp_path: Path):
    template = load(tmp_path, crowd())
    assert template.people == 2
    assert [place.extra for place in template.pose().places] == [False, False, True]
    (tmp_path / "mine.json").write_text(template.to_json(), encoding="utf-8")
    assert load_template(tmp_path / "mine.json") == template
    assert [place.extra for place in Template.of(template.pose(), name="mine", title="Mine").places][-1]
    assert "extra" not in template.to_json().split('"places"')[1].split("},")[0], "what is as by default is left out"


def test_extras_stand_after_all_others_from_left_to_right(tmp_path: Path):
    document = crowd()
    document["places"] = [*document["places"][2:], *document["places"][:2]]  # type: ignore[index]
    with pytest.raises(TemplateError, match=r"places\.1: expected extras after all others, but places\.0 is one\.$"):
        load(tmp_path, document)
    with pytest.raises(TemplateError, match=r"places\.2: expected places from left to right"):
        load(tmp_path, crowd(extra=False))


def test_extras_places_are_not_to_spare_and_are_taken_last():
    assert templates_for(2).index("crowd-two") < templates_for(2).index("family-three")
    assert templates_for(3).index("crowd-three") < templates_for(3).index("family-four")
    for people in (4, 8):
        names = templates_for(people)
        without = [name for name in names if shelf_template(name).people >= people]
        assert "crowd-two" in names
        assert names[: len(without)] == without, "whoever needs no extra's place comes first"
    assert "crowd-two" not in templates_for(9)
    needing = [name for name in templates_for(7) if shelf_template(name).people < 7]
    assert needing == ["crowd-three", "crowd-two"], "where fewest people must be extras first"


def test_the_schema_describes_extras():
    entry = template_schema()["$defs"]["TemplatePlace"]["properties"]["extra"]
    assert entry["default"] is False
    assert "stranger" in entry["description"]


def test_a_back_of_the_head_is_no_face(tmp_path: Path):
    body = {"face": [0.2, 0.3], "height": 1.0, "turn": 180, "head_turn": 180}
    template = load(tmp_path, crowd(body=body))
    (*_, extra) = template.pose().places
    assert extra.skeleton.face_box(template.size) is None
    assert extra.skeleton["neck"] is not None
    assert template.places[-1].body is not None
    assert template.places[-1].body.face == Point(0.2, 0.3)
    with pytest.raises(TemplateError, match=r"places\.2\.body: head_turn: expected at most 120 degrees from turn, 180"):
        load(tmp_path, crowd(body={**body, "head_turn": 0}))
