import json
import math
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figures import upright
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from multiid.errors import Cancelled, NoPersonError
from multiid.geometry import Point, Size
from multiid.poses.checks import find_faults
from multiid.poses.extract import ExtractedPose, extract_pose
from multiid.poses.plausible import plausible
from multiid.poses.skeleton import FACE_POINTS, HAND_POINTS, JOINTS, Place, Pose, Skeleton
from multiid.poses.templates import Template, load_template

PHOTO = Size(900, 600)


@dataclass
class Album:
    """A reader who knows the people of its photos: another backend than OpenPose."""

    people: list[Skeleton]
    details: bool = False
    detailed: list[Skeleton] = field(default_factory=list)

    @property
    def reads_details(self) -> bool:
        return self.details

    def bodies(self, image: Image.Image) -> list[Skeleton]:
        assert image.size
        return self.people

    def with_details(self, image: Image.Image, skeleton: Skeleton) -> Skeleton:
        assert image.size
        self.detailed.append(skeleton)
        nose = skeleton["nose"]
        return replace(skeleton, right_hand=(nose,) * HAND_POINTS, face=(nose, None) * (FACE_POINTS // 2))


def read(*people: Skeleton, size: Size = PHOTO, **options: object) -> ExtractedPose:
    return extract_pose(Image.new("RGB", size), Album(list(people)), **options)  # type: ignore[arg-type]


def person(x: float, crown: float = 60.0, stature: float = 500.0, **changes: object) -> Skeleton:
    return upright(PHOTO, x=x, crown=crown, stature=stature, **changes)  # type: ignore[arg-type]


def noses(found: ExtractedPose) -> list[float]:
    """Where the noses are across the photo, in its pixels."""
    scale = found.photo.width / PHOTO.width
    points = [place.skeleton["nose"] for place in found.pose.places]
    return [round((point.x * found.pose.size.width - found.photo.left) / scale) for point in points if point]


def without(skeleton: Skeleton, *joints: str) -> Skeleton:
    points = (None if joint in joints else point for joint, point in zip(JOINTS, skeleton.points, strict=True))
    return Skeleton(tuple(points))


def with_point(skeleton: Skeleton, joint: str, x: float, y: float) -> Skeleton:
    points = list(skeleton.points)
    points[JOINTS.index(joint)] = Point(x / PHOTO.width, y / PHOTO.height)
    return Skeleton(tuple(points))


def test_people_come_from_left_to_right_on_a_canvas_of_the_photos_shape():
    found = read(person(600), person(200), person(400))
    assert noses(found) == pytest.approx([200, 400, 600], abs=1)
    assert found.pose.size == Size(1280, 832)
    assert found.photo.width / found.photo.height == pytest.approx(PHOTO.aspect)
    assert found.photo.inside(found.pose.size)
    assert found.notes == ()


def test_nothing_is_distorted():
    found = read(person(300))
    points = [point for point in found.pose.places[0].skeleton.points if point is not None]
    before = [point for point in person(300).points if point is not None]
    scale = found.photo.width / PHOTO.width
    for (a, b), (c, d) in zip(pairwise(points), pairwise(before), strict=True):
        x, y = (a.x - b.x) * found.pose.size.width, (a.y - b.y) * found.pose.size.height
        assert x == pytest.approx((c.x - d.x) * PHOTO.width * scale, abs=0.2)
        assert y == pytest.approx((c.y - d.y) * PHOTO.height * scale, abs=0.2)


def test_who_is_larger_is_nearer_and_of_equals_who_is_lower():
    small = person(150, crown=100, stature=250)
    back, front = person(400, crown=20, stature=500), person(700, crown=130, stature=500)
    far, behind, nearest = (place.depth for place in read(small, back, front).pose.places)
    assert nearest == 0.0
    assert 0.0 < behind < 0.5
    assert 1.0 <= far < 1.5, "half as wide is twice as far away"


def test_strangers_far_away_and_backs_of_heads_are_left_out_and_said():
    distant = person(100, crown=200, stature=90)
    turned = without(person(800), "nose", "right_eye", "left_eye", "right_ear", "left_ear")
    found = read(distant, person(400), turned)
    assert noses(found) == pytest.approx([400], abs=1)
    assert found.notes == (
        "Left out: 1 with a face smaller than 0.04 of the photo's shorter side.",
        "Left out: 1 with no face to be seen.",
    )
    assert len(read(distant, person(400), smallest=0.01).pose.places) == 2


def test_of_two_overlapping_faces_the_larger_stays():
    found = read(person(400), person(420, stature=560))
    assert noses(found) == pytest.approx([420], abs=1)
    assert found.notes == ("Left out: 1 with a face that overlaps a larger one.",)


def test_a_face_at_the_edge_widens_the_canvas():
    found = read(person(450, crown=-25))
    (place,) = found.pose.places
    face = place.skeleton.face_box(found.pose.size)
    assert face is not None
    assert face.inside(found.pose.size)
    assert found.photo.top > 0
    assert "beyond the photo" in found.notes[0]


def test_a_limb_of_somebody_else_is_left_out_with_what_hangs_on_it():
    strange = with_point(person(200), "right_elbow", 800, 500)
    found = read(strange)
    skeleton = found.pose.places[0].skeleton
    lost = [joint for joint in JOINTS if skeleton[joint] is None]
    assert lost == ["right_elbow", "right_wrist"]
    assert found.notes == ("Left out: 2 point(s) of limbs that are too long or too uneven for one body.",)


def test_what_is_plausible_stays_as_it_is():
    assert plausible(person(300), PHOTO) == person(300)


def test_of_uneven_sides_the_longer_goes():
    uneven = with_point(person(300), "left_shoulder", 390, 160)
    assert find_faults(Pose(PHOTO, (Place(uneven),)))
    cleaned = plausible(uneven, PHOTO)
    assert cleaned["left_shoulder"] is None
    assert cleaned["right_shoulder"] == uneven["right_shoulder"]


def test_a_hand_goes_with_its_wrist():
    strange = with_point(person(200), "right_wrist", 800, 500)
    hand = (Point(0.5, 0.5),) * HAND_POINTS
    cleaned = plausible(replace(strange, right_hand=hand, left_hand=hand), PHOTO)
    assert cleaned["right_wrist"] is None
    assert cleaned.right_hand is None
    assert cleaned.left_hand == hand


def test_hands_and_faces_are_read_of_those_who_stay_and_move_with_them():
    album = Album([person(600), person(100, crown=200, stature=90), person(200)], details=True)
    steps: list[tuple[int, int]] = []
    found = extract_pose(Image.new("RGB", PHOTO), album, progress=lambda *step: steps.append(step))
    assert len(album.detailed) == 2
    assert steps == [(0, 2), (1, 2), (2, 2)]
    for place in found.pose.places:
        assert place.skeleton.right_hand == (place.skeleton["nose"],) * HAND_POINTS
        assert place.skeleton.face is not None
        assert place.skeleton.face[:2] == (place.skeleton["nose"], None)
        assert place.skeleton.left_hand is None


def test_progress_can_stop_the_work():
    album = Album([person(600), person(200)], details=True)

    def stop(done: int, _total: int) -> None:
        if done == 1:
            raise Cancelled("Enough.")

    with pytest.raises(Cancelled):
        extract_pose(Image.new("RGB", PHOTO), album, progress=stop)
    assert len(album.detailed) == 1


def test_nobody_is_a_clear_error():
    with pytest.raises(NoPersonError, match="nobody was found in it"):
        read()
    with pytest.raises(NoPersonError, match=r"nobody in the photo can be kept: 2 with a face smaller than 0\.5 of"):
        read(person(300), person(600), smallest=0.5)


def test_faces_straight_above_each_other_are_still_in_order():
    found = read(person(300, crown=20, stature=280), person(300, crown=310, stature=280))
    assert find_faults(found.pose) == []
    upper, lower = (place.skeleton["nose"] for place in found.pose.places)
    assert upper is not None
    assert lower is not None
    assert upper.y < lower.y
    assert 0 < lower.x - upper.x < 0.001


def test_the_backdrop_is_the_photo_where_the_canvas_shows_it():
    image = Image.new("RGB", PHOTO, "white")
    image.paste("red", (440, 290, 460, 310))
    found = extract_pose(image, Album([person(450, crown=-25)]))
    canvas = np.asarray(found.backdrop(image)).astype(int)
    assert canvas.shape == (found.pose.size.height, found.pose.size.width, 3)
    red = np.argwhere((canvas == (255, 0, 0)).all(axis=2))
    x, y = found.photo.centre
    assert red.mean(axis=0) == pytest.approx((y, x), abs=1.5)
    assert not canvas[: math.floor(found.photo.top) - 1].any()


ACROSS, DOWN = st.integers(0, PHOTO.width - 1), st.integers(0, PHOTO.height - 1)
ANYTHING = st.tuples(*[st.none() | st.tuples(ACROSS, DOWN)] * len(JOINTS))
ALMOST = st.tuples(ACROSS, st.integers(-20, 500), st.integers(90, 900), st.sampled_from(JOINTS), ACROSS, DOWN)


def skeleton_of(drawn: tuple[Any, ...]) -> Skeleton:
    """Points anywhere, or an upright person with one point anywhere; nothing outside the photo, as readers have it."""
    if len(drawn) == len(JOINTS):
        return Skeleton(tuple(at and Point(at[0] / PHOTO.width, at[1] / PHOTO.height) for at in drawn))
    x, crown, stature, joint, across, down = drawn
    points = with_point(person(x, crown, stature), joint, across, down).points
    return Skeleton(tuple(p if p is not None and 0 <= p.x < 1 and 0 <= p.y < 1 else None for p in points))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(st.one_of(ANYTHING, ALMOST), max_size=6))
def test_whatever_is_read_makes_a_template_that_loads(people: list[tuple[Any, ...]], tmp_path: Path):
    try:
        found = read(*map(skeleton_of, people), smallest=0.0)
    except NoPersonError:
        return
    path = tmp_path / "t.json"
    path.write_text(Template.of(found.pose, name="t", title="T").to_json(), encoding="utf-8")
    assert load_template(path).pose() == found.pose
    assert min(place.depth for place in found.pose.places) == 0.0


def test_a_template_of_a_pose_keeps_all_of_it(tmp_path: Path):
    found = extract_pose(Image.new("RGB", PHOTO), Album([person(600), person(200)], details=True))
    template = Template.of(found.pose, name="party", title="Two people", tags=("photo",))
    text = template.to_json()
    (tmp_path / "party.json").write_text(text, encoding="utf-8")
    assert load_template(tmp_path / "party.json") == template
    assert template.pose() == found.pose
    assert max(map(len, text.splitlines())) <= 120
    assert set(json.loads(text)["places"][0]) >= {"keypoints", "right_hand_keypoints", "face_keypoints"}
