import math
from dataclasses import replace

import numpy as np
import pytest

from multiid.geometry import Point, Size
from multiid.poses.anatomy import PROPORTIONS
from multiid.poses.body import Age, Body
from multiid.poses.silhouette import outline
from multiid.poses.skeleton import FACE_POINTS, HAND_POINTS, JOINTS, LIMBS, Place, Pose, Skeleton

CANVAS = Size(1000, 1000)


def with_points(**points: tuple[float, float]) -> Skeleton:
    return Skeleton(tuple(Point(*points[joint]) if joint in points else None for joint in JOINTS))


def test_openpose_order():
    assert len(JOINTS) == 18
    assert JOINTS[:5] == ("nose", "neck", "right_shoulder", "right_elbow", "right_wrist")
    assert JOINTS[-4:] == ("right_eye", "left_eye", "right_ear", "left_ear")
    assert len(LIMBS) == 17
    assert {joint for limb in LIMBS for joint in limb} == set(JOINTS)


def test_a_skeleton_has_18_points():
    with pytest.raises(ValueError, match="Expected 18 points in OpenPose order, but got 2"):
        Skeleton((None, None))


@pytest.mark.parametrize(
    ("part", "points"), [("right_hand", HAND_POINTS), ("left_hand", HAND_POINTS), ("face", FACE_POINTS)]
)
def test_hands_and_faces_have_their_points(part: str, points: int):
    body = (None,) * len(JOINTS)
    assert getattr(Skeleton(body, **{part: (None,) * points}), part) == (None,) * points
    name = part.replace("_", " ")
    with pytest.raises(ValueError, match=f"Expected {points} points of the {name} in OpenPose order, but got 20"):
        Skeleton(body, **{part: (None,) * 20})


def test_hands_and_faces_move_with_the_body():
    hand = (Point(0.25, 0.5), *[None] * (HAND_POINTS - 1))
    face = (*[None] * (FACE_POINTS - 1), Point(0.5, 0.25))
    skeleton = replace(with_points(nose=(0.25, 0.25)), right_hand=hand, face=face)
    pose = Pose(Size(512, 512), (Place(skeleton),)).fitted(Size(1024, 512))
    fitted = pose.places[0].skeleton
    assert fitted.right_hand == (Point(0.375, 0.5), *[None] * (HAND_POINTS - 1))
    assert fitted.face == (*[None] * (FACE_POINTS - 1), Point(0.5, 0.25))
    assert fitted.left_hand is None


def test_hands_and_faces_change_nothing_else():
    """They are drawn; face box and silhouette are the body's alone."""
    plain = with_points(nose=(0.5, 0.3), neck=(0.5, 0.4), right_ear=(0.45, 0.3), left_ear=(0.55, 0.3))
    corner = Point(0.01, 0.01)
    full = replace(plain, right_hand=(corner,) * HAND_POINTS, left_hand=(corner,) * HAND_POINTS)
    full = replace(full, face=(corner,) * FACE_POINTS)
    assert full.face_box(CANVAS) == plain.face_box(CANVAS)
    ours, theirs = outline(full, CANVAS), outline(plain, CANVAS)
    assert np.array_equal(ours.body, theirs.body)
    assert np.array_equal(ours.head, theirs.head)


def test_points_are_found_by_name_and_moved():
    skeleton = with_points(neck=(0.25, 0.5))
    assert skeleton["neck"] == Point(0.25, 0.5)
    assert skeleton["nose"] is None
    moved = skeleton.moved(lambda point: Point(point.x * 2, point.y + 0.1))
    assert moved["neck"] == Point(0.5, 0.6)
    assert moved["nose"] is None


def test_face_box_of_a_frontal_head():
    head = with_points(
        right_ear=(0.45, 0.5), left_ear=(0.55, 0.5), right_eye=(0.48, 0.49), left_eye=(0.52, 0.49), nose=(0.5, 0.52)
    )
    box = head.face_box(CANVAS)
    assert box is not None
    assert box.width == pytest.approx(100)
    assert box.height == pytest.approx(135)
    assert box.centre == pytest.approx((500, 500))


def test_face_box_needs_a_head_and_a_scale():
    assert with_points(neck=(0.5, 0.5), right_shoulder=(0.4, 0.5)).face_box(CANVAS) is None
    assert with_points(nose=(0.5, 0.5)).face_box(CANVAS) is None
    assert with_points(nose=(0.5, 0.4), neck=(0.5, 0.5)).face_box(CANVAS) is not None


@pytest.mark.parametrize(
    ("age", "size"), [("adult", Size(1344, 768)), ("child", Size(1000, 1000)), ("elder", Size(640, 1536))]
)
def test_face_box_keeps_its_size_however_the_head_is_held(age: Age, size: Size):
    """The face's width is a head's width, within a tenth, for every turn, tilt and nod."""
    true_width = PROPORTIONS[age].head * 0.8 * size.height
    worst = 1.0
    for turn in range(-90, 91, 15):
        for tilt in (-30, 0, 30):
            for nod in (-25, 0, 25):
                body = Body(
                    height=0.8,
                    face=Point(0.5, 0.3),
                    head_turn=float(turn),
                    head_tilt=float(tilt),
                    head_nod=float(nod),
                )
                box = body.skeleton(size, age=age).face_box(size)
                assert box is not None
                ratio = box.width / true_width
                worst = max(worst, ratio, 1 / ratio)
                assert box.left <= 0.5 * size.width <= box.right
                assert box.top <= 0.3 * size.height <= box.bottom
    print(f"{age} on {size}: face width off by a factor of {worst:.3f}, allowed 1.10")
    assert worst < 1.10


@pytest.mark.parametrize("age", ["adult", "child", "elder"])
def test_head_box_is_as_large_from_behind_and_no_face_is_seen(age: Age):
    """Within a seventh of a head's width, and about the middle of the skull, for every turn beyond the profile."""
    size = Size(1000, 1000)
    true_width = PROPORTIONS[age].head * 800
    worst, farthest = 1.0, 0.0
    for turn in (*range(95, 181, 5), *range(-180, -94, 5)):
        body = Body(height=0.8, feet=Point(0.5, 0.95), turn=float(turn), head_turn=float(turn))
        skeleton = body.skeleton(size, age=age)
        assert skeleton.face_box(size) is None
        box = skeleton.head_box(size)
        assert box is not None
        worst = max(worst, box.width / true_width, true_width / box.width)
        neck = skeleton["neck"]
        assert neck is not None
        farthest = max(farthest, abs(box.centre[0] - 1000 * neck.x) / true_width)
        assert box.height == pytest.approx(1.35 * box.width)
    print(
        f"{age}: head off by a factor of {worst:.3f}, allowed 1.15; {farthest:.2f} widths beside the neck, allowed 0.2"
    )
    assert worst < 1.15
    assert farthest < 0.2


def test_head_box_is_the_face_box_of_whoever_faces_us():
    for turn in range(-90, 91, 15):
        skeleton = Body(height=0.8, face=Point(0.5, 0.3), turn=float(turn), head_turn=float(turn)).skeleton(CANVAS)
        assert skeleton.face_box(CANVAS) is not None
        assert skeleton.head_box(CANVAS) == skeleton.face_box(CANVAS)


def test_head_box_needs_a_point_of_the_head_and_a_scale():
    assert with_points(neck=(0.5, 0.5), right_shoulder=(0.4, 0.5), left_shoulder=(0.6, 0.5)).head_box(CANVAS) is None
    assert with_points(right_ear=(0.5, 0.5)).head_box(CANVAS) is None
    ear = with_points(right_ear=(0.55, 0.35), neck=(0.5, 0.5))
    box = ear.head_box(CANVAS)
    assert box is not None
    assert box.centre == pytest.approx((506, 350), abs=8), "the skull is on the neck's side of the ear"


def test_fitting_letterboxes_without_distortion():
    square = with_points(nose=(0.25, 0.25), neck=(0.75, 0.75))
    pose = Pose(Size(512, 512), (Place(square, depth=2.0, role="child"),))
    fitted = pose.fitted(Size(1024, 512))
    assert fitted.size == Size(1024, 512)
    nose, neck = fitted.places[0].skeleton["nose"], fitted.places[0].skeleton["neck"]
    assert nose == pytest.approx((0.375, 0.25))
    assert neck == pytest.approx((0.625, 0.75))
    assert (fitted.places[0].depth, fitted.places[0].role) == (2.0, "child")


@pytest.mark.parametrize("size", [Size(1344, 768), Size(768, 1344), Size(256, 256), Size(2048, 1024)])
def test_fitting_scales_all_lengths_alike(size: Size):
    pose = Pose(Size(832, 1216), (Place(with_points(nose=(0.1, 0.2), neck=(0.4, 0.2), right_hip=(0.1, 0.9))),))
    scale = min(size.width / 832, size.height / 1216)
    fitted = pose.fitted(size)
    before, after = pose.places[0].skeleton, fitted.places[0].skeleton

    def length(skeleton: Skeleton, end: str, canvas: Size) -> float:
        a, b = skeleton["nose"], skeleton[end]
        assert a is not None
        assert b is not None
        return math.hypot((a.x - b.x) * canvas.width, (a.y - b.y) * canvas.height)

    for end in ("neck", "right_hip"):
        assert length(after, end, size) == pytest.approx(length(before, end, pose.size) * scale)
