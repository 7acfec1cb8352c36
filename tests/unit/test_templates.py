import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from multiid.errors import TemplateError
from multiid.geometry import Box, Point, Size
from multiid.poses import templates
from multiid.poses.checks import find_faults
from multiid.poses.preview import draw_preview
from multiid.poses.skeleton import LIMBS, Place, Pose, Skeleton
from multiid.poses.templates import Template, load_template, template_names, template_schema, templates_for

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "pose_templates"
NAMES = template_names()

PEOPLE = {
    "single-portrait": 1,
    "couple-standing": 2,
    "couple-selfie": 2,
    "family-three": 3,
    "family-four": 4,
    "family-five": 5,
    "friends-six": 6,
    "team-eight": 8,
}
# The least face height in pixels that keeps an identity, by how many people share the picture.
LEAST_FACE = {1: 220, 2: 160, 3: 120, 4: 105, 5: 100, 6: 110, 8: 90}

KEYPOINTS = [
    [0.5, 0.3], [0.5, 0.45], [0.4, 0.45], [0.38, 0.6], [0.38, 0.72], [0.6, 0.45], [0.62, 0.6], [0.62, 0.72],
    [0.45, 0.75], None, None, [0.55, 0.75], None, None, [0.48, 0.27], [0.52, 0.27], [0.45, 0.28], [0.55, 0.28],
]  # fmt: skip


def minimal(**changes: Any) -> dict[str, Any]:
    """A valid template, with changes."""
    return {
        "name": "mine",
        "title": "Mine",
        "size": [512, 512],
        "places": [{"body": {"face": [0.5, 0.3], "height": 1.5}}],
        **changes,
    }


def write(folder: Path, document: object, name: str = "mine.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def refused(folder: Path, document: object) -> str:
    """What is said of the document after the file's name; always one line."""
    path = write(folder, document)
    with pytest.raises(TemplateError) as caught:
        load_template(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def face_boxes(name: str) -> list[Box]:
    pose = load_template(name).pose()
    boxes = [place.skeleton.face_box(pose.size) for place in pose.places]
    return [box for box in boxes if box is not None]


def test_the_library_holds_the_promised_templates():
    assert {name: len(load_template(name).places) for name in NAMES}.items() >= PEOPLE.items()
    assert sorted(path.stem for path in LIBRARY.glob("*.json")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_library_templates_are_complete_and_without_fault(name: str):
    template = load_template(name)
    assert template.name == name
    assert template.description
    assert template.tags
    assert len(face_boxes(name)) == len(template.places)
    assert find_faults(template.pose()) == []


@pytest.mark.parametrize("name", NAMES)
def test_library_faces_are_large_enough_to_know_somebody(name: str):
    boxes = face_boxes(name)
    least = next(LEAST_FACE[people] for people in sorted(LEAST_FACE) if people >= len(boxes))
    smallest = min(box.height for box in boxes)
    print(f"{name}: smallest face {smallest:.0f} px, required {least}")
    assert smallest >= least


@pytest.mark.parametrize("name", NAMES)
def test_no_limb_crosses_somebody_elses_face(name: str):
    pose = load_template(name).pose()
    boxes = face_boxes(name)
    for owner, place in enumerate(pose.places):
        for start, end in LIMBS:
            a, b = place.skeleton[start], place.skeleton[end]
            if a is None or b is None:
                continue
            for share in np.linspace(0, 1, 60):
                x = (a.x + (b.x - a.x) * share) * pose.size.width
                y = (a.y + (b.y - a.y) * share) * pose.size.height
                for other, box in enumerate(boxes):
                    inside = box.left < x < box.right and box.top < y < box.bottom
                    assert other == owner or not inside, f"{start}-{end} of {owner} crosses the face of {other}"


@pytest.mark.parametrize("name", NAMES)
def test_children_are_lower_and_the_front_row_is_in_front(name: str):
    template = load_template(name)
    tops = dict(enumerate(box.top for box in face_boxes(name)))
    roles = [place.role for place in template.places]
    if "child" in roles:
        children = [tops[index] for index, role in enumerate(roles) if role == "child"]
        assert min(children) > max(tops[index] for index, role in enumerate(roles) if role != "child")
    if name == "team-eight":
        back = [tops[index] for index, place in enumerate(template.places) if place.depth > 0]
        front = [tops[index] for index, place in enumerate(template.places) if place.depth == 0]
        assert len(back) == len(front) == 4
        assert max(back) < min(front)


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_preview_shows_the_template_as_it_is(name: str):
    path = LIBRARY / "previews" / f"{name}.png"
    assert path.is_file(), "make it with: multiid templates preview -o pose_templates/previews"
    assert path.stat().st_size < 30_000
    with Image.open(path) as image:
        assert max(image.size) == 512
        committed = np.asarray(image.convert("RGB"), dtype=float)
    drawn = np.asarray(draw_preview(load_template(name).pose()).convert("RGB"), dtype=float)
    assert committed.shape == drawn.shape
    difference = np.abs(committed - drawn).mean()
    print(f"{name}: preview differs by {difference:.3f} of 255 on average, allowed 0.5")
    assert difference < 0.5


def test_every_preview_belongs_to_a_template():
    assert sorted(path.stem for path in (LIBRARY / "previews").iterdir()) == NAMES


def test_templates_for_names_the_nearest_fit_first():
    assert templates_for(5)[:3] == ["family-five", "friends-six", "team-eight"]
    assert templates_for(7) == ["team-eight"]
    assert templates_for(9) == []
    assert templates_for(1)[0] == "single-portrait"
    assert set(templates_for(1)) == set(NAMES)


def test_a_file_loads_from_its_path(tmp_path: Path):
    template = load_template(write(tmp_path, minimal()))
    assert template.size == Size(512, 512)
    pose = template.pose()
    assert pose.places[0].skeleton["nose"] == pytest.approx((0.5, 0.3))
    assert (pose.places[0].role, pose.places[0].depth) == ("adult", 0.0)
    assert load_template(str(write(tmp_path, minimal(), "other.json"))) == template


def test_the_example_in_the_documentation_loads(tmp_path: Path):
    (example,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "templates.md").read_text("utf-8"), flags=re.DOTALL)
    assert [place.role for place in load_template(write(tmp_path, example)).places] == ["adult", "child"]


def test_keypoints_are_taken_as_they_are(tmp_path: Path):
    place = {"keypoints": KEYPOINTS, "depth": 2, "role": "elder"}
    pose = load_template(write(tmp_path, minimal(places=[place]))).pose()
    assert pose.places[0].skeleton["nose"] == Point(0.5, 0.3)
    assert pose.places[0].skeleton["right_knee"] is None
    assert (pose.places[0].role, pose.places[0].depth) == ("elder", 2.0)


def test_hands_and_faces_stand_beside_keypoints(tmp_path: Path):
    hand, face = [[0.4, 0.7]] * 20 + [None], [None] + [[0.5, 0.3]] * 69
    place = {"keypoints": KEYPOINTS, "right_hand_keypoints": hand, "face_keypoints": face}
    skeleton = load_template(write(tmp_path, minimal(places=[place]))).pose().places[0].skeleton
    assert skeleton.right_hand == (*[Point(0.4, 0.7)] * 20, None)
    assert skeleton.face == (None, *[Point(0.5, 0.3)] * 69)
    assert skeleton.left_hand is None


def test_a_template_is_written_as_it_is_read(tmp_path: Path):
    for name in NAMES:
        template = load_template(name)
        assert load_template(write(tmp_path, template.to_json())) == template
        taken = Template.of(template.pose(), name=name, title=template.title)
        assert load_template(write(tmp_path, taken.to_json())).pose() == template.pose()


@pytest.mark.parametrize(
    ("pose", "message"),
    [
        (Pose(Size(512, 500), ()), "size: expected width and height in multiples of 8, but got 512x500"),
        (Pose(Size(512, 512), ()), "places: expected at least 1 value, but got 0"),
        (
            Pose(Size(512, 512), (Place(Skeleton((Point(1.5, 0.5), *[None] * 17))),)),
            "keypoints.0: expected x and y from 0 to 1",
        ),
    ],
    ids=["size", "nobody", "outside"],
)
def test_what_is_no_template_cannot_become_one(pose: Pose, message: str):
    with pytest.raises(TemplateError, match=re.escape(message)):
        Template.of(pose, name="mine", title="Mine")


def test_the_role_decides_a_bodys_proportions(tmp_path: Path):
    body = {"face": [0.5, 0.3], "height": 0.9}
    boxes = {}
    for role in ("adult", "child"):
        template = load_template(write(tmp_path, minimal(places=[{"role": role, "body": body}])))
        boxes[role] = template.pose().places[0].skeleton.face_box(template.size)
    assert boxes["child"].width > 1.15 * boxes["adult"].width


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(TemplateError, match="no template 'family-fife'; did you mean 'family-five'"):
        load_template("family-fife")
    with pytest.raises(TemplateError, match="no template 'zzz'; known are couple-selfie, "):
        load_template("zzz")


def test_an_absent_or_unreadable_file_is_named(tmp_path: Path):
    with pytest.raises(TemplateError, match=r"nowhere\.json: expected a template, but it cannot be read: No such file"):
        load_template(tmp_path / "nowhere.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(TemplateError, match="cannot be read: Is a directory"):
        load_template(tmp_path / "folder.json")


BODY = {"face": [0.5, 0.3], "height": 1.5}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tilte": "Mine"}, "tilte: unknown key; did you mean 'title'?"),
        ({"places": [{"body": {**BODY, "heigth": 1}}]}, "places.0.body.heigth: unknown key; did you mean 'height'?"),
        ({"places": [{"boddy": BODY}]}, "places.0.boddy: unknown key; did you mean 'body'?"),
        (
            {"places": [{"body": {**BODY, "left_arm": {"bent": 3}}}]},
            "places.0.body.left_arm.bent: unknown key; did you mean 'bend'?",
        ),
        ({"places": [{"body": {"face": [0.5, 0.3]}}]}, "places.0.body.height: expected a value, but it is missing."),
        ({"places": []}, "places: expected at least 1 value, but got 0."),
        ({"places": [{}]}, "places.0: expected exactly one of body and keypoints."),
        ({"places": [{"body": BODY, "keypoints": KEYPOINTS}]}, "places.0: expected exactly one of body and keypoints."),
        ({"places": [{"keypoints": KEYPOINTS[:17]}]}, "places.0.keypoints: expected at least 18 values, but got 17."),
        (
            {"places": [{"keypoints": [[1.5, 0.3], *KEYPOINTS[1:]]}]},
            "places.0: keypoints.0: expected x and y from 0 to 1, or null for a point outside the canvas, "
            "but got [1.5, 0.3].",
        ),
        (
            {"places": [{"keypoints": KEYPOINTS, "left_hand_keypoints": [None] * 20}]},
            "places.0.left_hand_keypoints: expected at least 21 values, but got 20.",
        ),
        (
            {"places": [{"keypoints": KEYPOINTS, "face_keypoints": [*[None] * 69, [0.5, -1]]}]},
            "places.0: face_keypoints.69: expected x and y from 0 to 1, or null for a point outside the canvas, "
            "but got [0.5, -1].",
        ),
        (
            {"places": [{"body": BODY, "face_keypoints": [None] * 70}]},
            "places.0: face_keypoints: expected it beside keypoints only, but got it beside body.",
        ),
        (
            {"places": [{"role": "dog", "body": BODY}]},
            "places.0.role: expected 'adult', 'child' or 'elder', but got 'dog'.",
        ),
        (
            {"places": [{"body": {**BODY, "height": "tall"}}]},
            "places.0.body.height: expected a valid number, but got 'tall'.",
        ),
        ({"places": [{"body": {**BODY, "turn": 100}}]}, "places.0.body: turn: expected -90 to 90, but got 100."),
        (
            {"places": [{"body": {**BODY, "feet": [0.5, 0.9]}}]},
            "places.0.body: expected exactly one of face, hips and feet, to say where the person stands.",
        ),
        ({"places": [{"body": BODY, "depth": -1}]}, "places.0.depth: expected greater than or equal to 0, but got -1."),
        (
            {"size": [1000, 1001]},
            "size: expected width and height in multiples of 8, but got 1000x1001; the nearest is 1000x1000.",
        ),
        ({"size": [0, 512]}, "size: expected width and height in multiples of 8, but got 0x512; the nearest is 8x512."),
        ({"size": [512]}, "size.1: expected a value, but it is missing."),
        ({"title": ""}, "title: expected at least 1 character, but got ''."),
        ({"name": "My one"}, "name: expected a text that matches ^[a-z0-9]+(-[a-z0-9]+)*$, but got 'My one'."),
        ({"size": "big"}, "size: expected an array or an object, but got 'big'."),
    ],
)
def test_what_breaks_the_format_is_one_clear_line(tmp_path: Path, changes: dict[str, Any], message: str):
    assert refused(tmp_path, minimal(**changes)) == message


def test_what_is_no_template_at_all(tmp_path: Path):
    assert refused(tmp_path, '{"name": ').startswith("expected JSON, but got EOF")
    assert refused(tmp_path, "[]").startswith("expected keys and values, but got []")
    assert refused(tmp_path, '{"name": "x", "name2": 1}') == "name2: unknown key; did you mean 'name'? (and 3 more)."
    (tmp_path / "mine.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(TemplateError, match="expected JSON"):
        load_template(tmp_path / "mine.json")


def test_poses_with_faults_are_refused(tmp_path: Path):
    apart, close = ({"body": {"face": [x, 0.3], "height": 1.0}} for x in (0.2, 0.24))
    assert refused(tmp_path, minimal(places=[apart, close])) == (
        "places.1: expected faces apart, but this one overlaps the face of places.0."
    )
    right = {"body": {"face": [0.8, 0.3], "height": 1.0}}
    assert refused(tmp_path, minimal(places=[right, apart])).startswith("places.1: expected places from left to right")
    cut = {"body": {"face": [0.5, 0.02], "height": 1.0}}
    assert refused(tmp_path, minimal(places=[cut])).startswith("places.0: expected the face inside the canvas")


def test_a_hand_out_of_reach_is_one_clear_line(tmp_path: Path):
    message = refused(tmp_path, minimal(places=[{"body": {**BODY, "left_hand": [0.5, 1.9]}}]))
    assert message.startswith("places.0.body: left_hand: expected a place 0.034 to 0.326 statures from the shoulder")


def test_the_schema_describes_the_format():
    schema = template_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"name", "title", "size", "places"}
    body = schema["$defs"]["Body"]
    assert body["additionalProperties"] is False
    described = [name for name, entry in body["properties"].items() if "description" in entry]
    assert {"height", "face", "turn", "hidden", "left_hand"} <= set(described)
    json.dumps(schema)


def test_the_package_library_comes_before_the_checkouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A wheel holds the library inside the package; an editable install finds it beside src."""
    installed = tmp_path / "site-packages" / "multiid"
    (installed / "poses").mkdir(parents=True)
    library = installed / "pose_templates"
    library.mkdir()
    write(library, minimal(name="only-one"), "only-one.json")
    monkeypatch.setattr(templates, "__file__", str(installed / "poses" / "templates.py"))
    assert template_names() == ["only-one"]
    assert load_template("only-one").name == "only-one"
    (library / "only-one.json").unlink()
    library.rmdir()
    with pytest.raises(TemplateError, match="pose_templates beside the package, but it is missing: reinstall"):
        template_names()


def test_templates_are_frozen():
    template = load_template("single-portrait")
    with pytest.raises(ValueError, match="frozen"):
        template.name = "other"  # type: ignore[misc]
    assert Template.model_validate_json(template.model_dump_json()) == template
