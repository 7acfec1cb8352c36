import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from shelf import shelf_pose, shelf_template

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

# What there is at least of each kind, as docs/templates.md has them.
KINDS = {
    "portrait": 9, "couple": 6, "family": 12, "friends": 12, "class": 1, "team": 4, "wedding": 2, "party": 1,
    "concert": 2, "panel": 21,
}  # fmt: skip
# The least face height in pixels that keeps an identity, by how many people share the picture.
LEAST_FACE = {1: 200, 2: 140, 3: 115, 5: 95, 8: 85, 12: 75}
LEAST_OF_FULL_LENGTH = 60

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
    """Of those whose face is seen, without extras."""
    pose = shelf_pose(name)
    boxes = [place.skeleton.face_box(pose.size) for place in pose.places if not place.extra]
    return [box for box in boxes if box is not None]


def head_boxes(name: str) -> list[Box]:
    """Of everybody, seen from behind too, and extras."""
    pose = shelf_pose(name)
    boxes = [place.skeleton.head_box(pose.size) for place in pose.places]
    return [box for box in boxes if box is not None]


def kinds_and_tags() -> tuple[set[str], set[str]]:
    """The tags that docs/templates.md lists: those that say the kind, and the others."""
    text = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| (?:Kind|Tag) \|.*\n\|---\|---\|\n((?:\|.*\n)+)", text, flags=re.MULTILINE)
    kinds, tags = (set(re.findall(r"`([a-z-]+)`", table)) for table in tables)
    return kinds, tags


def test_the_library_holds_what_is_promised():
    kinds = Counter(template.tags[0] for template in map(shelf_template, NAMES))
    print(len(NAMES), kinds)
    assert len(NAMES) >= 48
    assert kinds >= Counter(KINDS)
    assert sorted(path.stem for path in LIBRARY.glob("*.json")) == NAMES


def test_there_are_families_of_3_to_8_a_class_and_a_team():
    people: dict[str, set[int]] = {kind: set() for kind in KINDS}
    for template in map(shelf_template, NAMES):
        people[template.tags[0]].add(template.people)
    assert people["family"] >= set(range(2, 9))
    assert people["friends"] >= set(range(3, 7))
    assert people["class"] >= {12}
    assert people["team"] >= {5, 6, 8, 11}
    assert people["portrait"] == {1}
    assert people["couple"] == {2}


@pytest.mark.parametrize("name", NAMES)
def test_tags_come_from_the_list_in_the_documentation(name: str):
    template = shelf_template(name)
    assert template.tags[0] in kinds_and_tags()[0]
    assert template.tags[0] in (*name.split("-"), "panel"), "a panel's name says what happens in it"
    assert set(template.tags[1:]) <= kinds_and_tags()[0] | kinds_and_tags()[1]
    assert len(set(template.tags)) == len(template.tags)


def test_every_listed_tag_is_some_templates():
    kinds, tags = kinds_and_tags()
    assert kinds | tags == {tag for template in map(shelf_template, NAMES) for tag in template.tags}
    assert not kinds & tags


@pytest.mark.parametrize("name", NAMES)
def test_tags_say_what_is_to_be_seen(name: str):
    template = shelf_template(name)
    people = [place for place in template.places if not place.extra]
    roles = [place.role for place in people]
    kind, tags = template.tags[0], set(template.tags)
    assert kind != "family" or "child" in roles
    assert kind != "class" or (roles.count("adult"), set(roles)) == (1, {"adult", "child"})
    assert "generations" not in tags or {"elder", "child"} <= set(roles)
    assert ("child" in tags) == (set(roles) == {"child"})
    if "full-length" in tags:
        skeletons = [place.skeleton(template.size) for place in people]
        assert all(skeleton["right_ankle"] or skeleton["left_ankle"] for skeleton in skeletons)
    if "rows" in tags:
        tops: dict[float, list[float]] = {}
        for place, box in zip(people, face_boxes(name), strict=True):
            tops.setdefault(place.depth, []).append(box.top)
        rows = [sum(row) / len(row) for _, row in sorted(tops.items())]
        assert len(rows) > 1
        assert rows == sorted(rows, reverse=True), "who is farther back is higher in the picture"


@pytest.mark.parametrize("name", NAMES)
def test_library_templates_are_complete_and_without_fault(name: str):
    template = shelf_template(name)
    assert template.name == name
    assert template.description
    assert template.tags
    assert len(head_boxes(name)) == len(template.places)
    assert len(face_boxes(name)) == template.people or "from-behind" in template.tags
    assert find_faults(template.pose()) == []


@pytest.mark.parametrize("name", NAMES)
def test_library_faces_are_large_enough_to_know_somebody(name: str):
    boxes = face_boxes(name)
    template = shelf_template(name)
    least = next(LEAST_FACE[people] for people in sorted(LEAST_FACE) if people >= template.people)
    least = LEAST_OF_FULL_LENGTH if "full-length" in template.tags else least
    smallest = min((box.height for box in boxes), default=least)
    print(f"{name}: smallest face {smallest:.0f} px, required {least}")
    assert smallest >= least


@pytest.mark.parametrize("name", NAMES)
def test_no_limb_crosses_somebody_elses_face(name: str):
    pose = shelf_pose(name)
    boxes = head_boxes(name)
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
def test_children_are_smaller_than_grown_ups(name: str):
    bodies = [(place.role, place.body.height) for place in shelf_template(name).places if place.body]
    children = [height for role, height in bodies if role == "child"]
    others = [height for role, height in bodies if role != "child"]
    if children and others:
        share = max(children) / min(others)
        print(f"{name}: the tallest child has {share:.2f} of the smallest grown-up's height, allowed 0.9")
        assert share <= 0.9


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_preview_shows_the_template_as_it_is(name: str):
    path = LIBRARY / "previews" / f"{name}.png"
    assert path.is_file(), "make it with: multiid templates preview -o pose_templates/previews"
    assert path.stat().st_size < 30_000
    with Image.open(path) as image:
        assert max(image.size) == 512
        committed = np.asarray(image.convert("RGB"), dtype=float)
    drawn = np.asarray(draw_preview(shelf_pose(name)).convert("RGB"), dtype=float)
    assert committed.shape == drawn.shape
    difference = np.abs(committed - drawn).mean()
    print(f"{name}: preview differs by {difference:.3f} of 255 on average, allowed 0.5")
    assert difference < 0.5


def test_every_preview_belongs_to_a_template():
    assert sorted(path.stem for path in (LIBRARY / "previews").iterdir()) == NAMES


def test_templates_for_names_the_nearest_fit_first():
    for wanted in (5, 7, 12):
        people = [shelf_template(name).people for name in templates_for(wanted)]
        fitting = [count for count in people if count >= wanted]
        assert fitting[0] == wanted
        assert fitting == sorted(fitting)
        assert people[: len(fitting)] == fitting, "where somebody must take an extra's place comes last"
    assert templates_for(100) == []
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
    for name in NAMES[::4]:  # some of each kind; all of them take long
        template = shelf_template(name)
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
    with pytest.raises(TemplateError, match=f"no template 'zzz'; known are {NAMES[0]}, "):
        load_template("zzz")


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path):
    path = write(tmp_path, "\ufeff" + json.dumps(minimal()))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert load_template(path).name == "mine"


def test_an_absent_or_unreadable_file_is_named(tmp_path: Path):
    with pytest.raises(TemplateError, match=r"nowhere\.json: expected a template, but it cannot be read: No such file"):
        load_template(tmp_path / "nowhere.json")
    (tmp_path / "folder.json").mkdir()
    for name in ("a\0b.json", "\ud800.json"):
        with pytest.raises(TemplateError, match="expected a template, but it cannot be read: "):
            shelf_template(name)
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
        ({"places": [{"body": {**BODY, "turn": 200}}]}, "places.0.body: turn: expected -180 to 180, but got 200."),
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
        (
            {"name": "My one"},
            "name: expected small letters, digits and hyphens, such as our-picnic, but got 'My one'.",
        ),
        ({"name": "mine\n"}, "name: expected small letters, digits and hyphens, such as our-picnic, but got 'mine '."),
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
