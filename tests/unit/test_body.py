import math

import numpy as np
import pytest

from multiid.geometry import Point, Size
from multiid.poses.anatomy import HEAD, PROPORTIONS, Age, Limb, reach, rotation
from multiid.poses.body import Body
from multiid.poses.skeleton import JOINTS, Skeleton

SQUARE = Size(1024, 1024)
SIDES = ("right", "left")


def whole(**options: object) -> Body:
    """A person who stands wholly inside the canvas."""
    return Body(**{"height": 0.9, "feet": Point(0.5, 0.95), **options})  # type: ignore[arg-type]


def at(skeleton: Skeleton, joint: str) -> Point:
    point = skeleton[joint]
    assert point is not None, joint
    return point


def distance(skeleton: Skeleton, a: str, b: str, size: Size = SQUARE) -> float:
    """In canvas heights."""
    p, q = at(skeleton, a), at(skeleton, b)
    return math.hypot((p.x - q.x) * size.aspect, p.y - q.y)


def test_a_standing_person_is_seen_whole_and_symmetric():
    skeleton = whole().skeleton(SQUARE)
    assert all(point is not None for point in skeleton.points)
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear"):
        right, left = at(skeleton, f"right_{joint}"), at(skeleton, f"left_{joint}")
        assert right.x < 0.5 < left.x, "the person's right is at the left of the picture"
        assert right.x + left.x == pytest.approx(1.0)
        assert right.y == pytest.approx(left.y)
    heights = [at(skeleton, f"right_{joint}").y for joint in ("eye", "shoulder", "hip", "knee", "ankle")]
    assert heights == sorted(heights)


@pytest.mark.parametrize("size", [SQUARE, Size(1344, 768), Size(768, 1344)])
def test_the_anchor_is_where_it_was_put_and_the_scale_is_canvas_heights(size: Size):
    face = Body(height=0.9, face=Point(0.4, 0.2), turn=30.0, head_turn=20.0).skeleton(size)
    assert at(face, "nose") == pytest.approx((0.4, 0.2))
    hips = Body(height=0.9, hips=Point(0.4, 0.5), turn=30.0).skeleton(size)
    assert (at(hips, "right_hip").x + at(hips, "left_hip").x) / 2 == pytest.approx(0.4, abs=0.002)
    assert (at(hips, "right_hip").y + at(hips, "left_hip").y) / 2 == pytest.approx(0.5, abs=0.002)
    feet = whole().skeleton(size)
    assert at(feet, "right_ankle").y == pytest.approx(0.95)
    upright = PROPORTIONS["adult"]
    assert distance(feet, "right_eye", "right_ear", size) < upright.head * 0.9
    assert at(feet, "right_ankle").y - at(feet, "neck").y == pytest.approx(
        0.9 * (upright.shoulders - upright.ankles), rel=0.01
    )
    assert distance(feet, "right_shoulder", "left_shoulder", size) == pytest.approx(0.9 * upright.shoulder_width)


def test_children_have_larger_heads_and_shorter_legs():
    def shares(age: Age) -> tuple[float, float]:
        skeleton = whole().skeleton(SQUARE, age=age)
        return (
            distance(skeleton, "right_ear", "left_ear") / 0.9,
            (distance(skeleton, "left_hip", "left_knee") + distance(skeleton, "left_knee", "left_ankle")) / 0.9,
        )

    (adult_head, adult_leg), (child_head, child_leg), (elder_head, _) = map(shares, ("adult", "child", "elder"))
    assert child_head > 1.15 * adult_head
    assert child_leg < 0.95 * adult_leg
    assert adult_head < elder_head < child_head


def test_what_is_outside_the_canvas_is_unseen():
    close = Body(height=2.6, face=Point(0.5, 0.4)).skeleton(SQUARE)
    assert close["nose"] is not None
    assert close["left_shoulder"] is not None
    assert all(close[f"{side}_{joint}"] is None for side in SIDES for joint in ("hip", "knee", "ankle"))
    at_the_edge = Body(height=1.6, face=Point(0.05, 0.3)).skeleton(SQUARE)
    assert at_the_edge["right_shoulder"] is None
    assert at_the_edge["left_shoulder"] is not None


def test_no_wrist_without_its_elbow():
    """The elbow is beyond the edge, the wrist would be back inside."""
    akimbo = Limb(out=40.0, bend=100.0, twist=90.0)
    inside = Body(height=1.2, face=Point(0.5, 0.3), right_arm=akimbo).skeleton(SQUARE)
    assert at(inside, "right_wrist").x > at(inside, "right_elbow").x + 0.05
    outside = Body(height=1.2, face=Point(0.2, 0.3), right_arm=akimbo).skeleton(SQUARE)
    assert at(outside, "right_shoulder").x - (at(inside, "right_shoulder").x - at(inside, "right_wrist").x) > 0
    assert outside["right_elbow"] is None
    assert outside["right_wrist"] is None


@pytest.mark.parametrize(
    ("turn", "unseen"),
    [
        (0, set()),
        (15, set()),
        (30, {"left_ear"}),
        (-30, {"right_ear"}),
        (75, {"left_ear", "left_eye"}),
        (-75, {"right_ear", "right_eye"}),
    ],
)
def test_a_turned_head_hides_its_far_side(turn: int, unseen: set[str]):
    """Towards the right of the picture is towards the person's left, whose far ear goes first."""
    skeleton = whole(head_turn=float(turn)).skeleton(SQUARE)
    assert {joint for joint in JOINTS if skeleton[joint] is None} == unseen
    assert (at(skeleton, "nose").x - at(skeleton, "neck").x) * turn >= 0


@pytest.mark.parametrize(
    ("turn", "seen"),
    [
        (100, {"right_eye", "right_ear"}),
        (-100, {"left_eye", "left_ear"}),
        (140, {"right_ear"}),
        (-140, {"left_ear"}),
        (170, {"right_ear", "left_ear"}),
        (180, {"right_ear", "left_ear"}),
        (-180, {"right_ear", "left_ear"}),
    ],
)
def test_from_behind_ears_are_what_is_seen_of_a_head(turn: int, seen: set[str]):
    """Beyond the profile the near eye stays a while, as in a lost profile; nobody looks through a head."""
    skeleton = whole(turn=float(turn), head_turn=float(turn)).skeleton(SQUARE)
    assert {joint for joint in HEAD if skeleton[joint] is not None} == seen
    assert all(skeleton[joint] is not None for joint in JOINTS if joint not in HEAD), "the rest is seen as ever"


@pytest.mark.parametrize("turn", range(0, 181, 20))
def test_turning_by_half_a_circle_exchanges_left_and_right(turn: int):
    """From behind the picture of a symmetric person is the mirrored one, but for perspective."""
    straight = Limb()
    options = {"feet": None, "hips": Point(0.5, 0.5), "right_arm": straight, "left_arm": straight}
    here = whole(turn=float(turn), head_turn=float(turn), **options).skeleton(SQUARE)
    back = turn - 180.0
    there = whole(turn=back, head_turn=back, **options).skeleton(SQUARE)
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        for side, other in (("right", "left"), ("left", "right")):
            one, mirrored = at(here, f"{side}_{joint}"), at(there, f"{side}_{joint}")
            assert one.x - 0.5 == pytest.approx(0.5 - mirrored.x, abs=0.012)
            assert one.y == pytest.approx(at(there, f"{other}_{joint}").y, abs=0.02)
    if turn < 80:
        assert at(here, "right_shoulder").x < at(here, "left_shoulder").x
        assert at(there, "right_shoulder").x > at(there, "left_shoulder").x


@pytest.mark.parametrize("turn", range(-180, 181, 15))
def test_limbs_stay_connected_and_as_long_whichever_way_somebody_faces(turn: int):
    """Joints move by little from one turn to the next, and no bone is longer in the picture than it is."""
    body, near = PROPORTIONS["adult"], 1.06  # perspective
    skeleton = whole(turn=float(turn), head_turn=float(turn)).skeleton(SQUARE)
    for side in SIDES:
        for start, end, length in (
            ("shoulder", "elbow", body.upper_arm), ("elbow", "wrist", body.forearm),
            ("hip", "knee", body.hips - body.knees), ("knee", "ankle", body.knees - body.ankles),
        ):  # fmt: skip
            seen = distance(skeleton, f"{side}_{start}", f"{side}_{end}")
            assert seen < 0.9 * length * near
    turned = (
        whole(turn=float(turn) - 5, head_turn=float(turn) - 5) if turn > -180 else whole(turn=175.0, head_turn=175.0)
    )
    for joint in JOINTS:
        one, other = skeleton[joint], turned.skeleton(SQUARE)[joint]
        assert one is None or other is None or math.dist(one, other) < 0.03, joint


def test_from_behind_a_hand_lies_where_it_was_told_to_and_elbows_hang():
    body = whole(height=1.3, feet=None, face=Point(0.5, 0.3), turn=180.0, head_turn=180.0, right_hand=Point(0.75, 0.55))
    skeleton = body.skeleton(SQUARE)
    assert at(skeleton, "right_wrist") == pytest.approx(Point(0.75, 0.55))
    assert at(skeleton, "right_elbow").y > at(skeleton, "right_shoulder").y
    front = whole(height=1.3, feet=None, face=Point(0.5, 0.3), left_hand=Point(0.75, 0.55)).skeleton(SQUARE)
    assert at(skeleton, "right_elbow").x == pytest.approx(at(front, "left_elbow").x, abs=0.02)
    outside = at(skeleton, "right_elbow").x - at(front, "left_elbow").x
    print(f"the elbow is {outside:+.4f} farther out than from the front, being nearer to us; required 0")
    assert outside > 0


def test_somebody_seen_from_behind_can_look_back():
    skeleton = whole(turn=150.0, head_turn=40.0).skeleton(SQUARE)
    assert skeleton["nose"] is not None
    assert at(skeleton, "right_shoulder").x > at(skeleton, "left_shoulder").x


def test_signs_of_turn_lean_tilt_nod_and_bow():
    straight = whole().skeleton(SQUARE)
    assert at(whole(lean=10.0).skeleton(SQUARE), "neck").x > at(straight, "neck").x
    tilted = whole(head_tilt=15.0).skeleton(SQUARE)
    assert at(tilted, "left_eye").y > at(tilted, "right_eye").y
    assert at(tilted, "nose").x > at(straight, "nose").x
    assert at(whole(head_nod=15.0).skeleton(SQUARE), "nose").y > at(straight, "nose").y
    assert at(whole(bow=30.0).skeleton(SQUARE), "neck").y > at(straight, "neck").y
    turned = whole(turn=60.0).skeleton(SQUARE)
    assert distance(turned, "right_shoulder", "left_shoulder") < 0.6 * distance(
        straight, "right_shoulder", "left_shoulder"
    )
    assert at(turned, "nose").x == pytest.approx(at(turned, "neck").x, abs=0.01), "the face still looks at the camera"


def test_nearer_parts_are_drawn_larger():
    """The shoulder that is turned to the camera is farther from the neck in the picture."""
    turned = whole(turn=60.0).skeleton(SQUARE)
    assert distance(turned, "neck", "right_shoulder") > 1.02 * distance(turned, "neck", "left_shoulder")


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("knee", [False, True])
def test_limbs_keep_their_length_and_bend_by_the_angle_asked_for(side: int, knee: bool):
    for out in (-60, 0, 45, 170):
        for forward in (-60, 0, 80, 180):
            for twist in (-90, 0, 30, 120):
                limb = Limb(out=float(out), forward=float(forward), bend=70.0, twist=float(twist))
                upper, lower = limb.directions(side=side, knee=knee)
                mirrored, _ = limb.directions(side=-side, knee=knee)
                assert np.linalg.norm(upper) == pytest.approx(1)
                assert np.linalg.norm(lower) == pytest.approx(1)
                assert upper @ lower == pytest.approx(math.cos(math.radians(70)))
                assert upper * [-1, 1, 1] == pytest.approx(mirrored)


def test_limb_directions_are_the_ones_described():
    def left(knee: bool = False, **angles: float) -> tuple[list[float], list[float]]:
        upper, lower = Limb(**angles).directions(side=1, knee=knee)
        return upper.round(6).tolist(), lower.round(6).tolist()

    assert left() == ([0, -1, 0], [0, -1, 0])
    assert left(out=90.0)[0] == [1, 0, 0], "the left arm goes out to the right of the picture"
    assert left(forward=90.0)[0] == [0, 0, 1]
    assert left(bend=90.0) == ([0, -1, 0], [0, 0, 1]), "an elbow bends forward"
    assert left(bend=90.0, twist=90.0)[1] == [-1, 0, 0], "and, twisted, across the body"
    assert left(knee=True, bend=90.0)[1] == [0, 0, -1], "a knee bends backward"


@pytest.mark.parametrize("age", ["adult", "child", "elder"])
@pytest.mark.parametrize("side", [-1, 1])
def test_reaching_ends_where_asked_with_bones_of_the_right_length(age: Age, side: int):
    body = PROPORTIONS[age]
    for offset in ([0.2, 0.1, 0.0], [-0.2, -0.2, 0.05], [0.0, -0.25, 0.0], [0.05, 0.0, 0.0], [0.0, 0.0, 0.2]):
        upper, lower = reach(np.array(offset), body, side=side)
        assert np.linalg.norm(upper) == pytest.approx(1)
        assert np.linalg.norm(lower) == pytest.approx(1)
        assert body.upper_arm * upper + body.forearm * lower == pytest.approx(offset)


@pytest.mark.parametrize("side", [-1, 1])
def test_reaching_is_the_same_from_behind_turned_by_half_a_circle(side: int):
    around = rotation(turn=180.0)
    for offset in ([0.2, 0.1, 0.0], [-0.2, -0.2, 0.05], [0.0, -0.25, 0.0]):
        front = reach(np.array(offset), PROPORTIONS["adult"], side=side)
        back = reach(around @ offset, PROPORTIONS["adult"], side=side, facing=-1)
        for one, other in zip(front, back, strict=True):
            assert around @ one == pytest.approx(other)


@pytest.mark.parametrize("size", [SQUARE, Size(1344, 768)])
@pytest.mark.parametrize("turn", [-40, 0, 40])
def test_a_hand_lies_where_it_was_told_to(size: Size, turn: int):
    target = Point(0.5 + 0.3 / size.aspect, 0.5)
    body = Body(height=1.3, face=Point(0.5, 0.3), turn=float(turn), left_hand=target)
    skeleton = body.skeleton(size)
    assert at(skeleton, "left_wrist") == pytest.approx(target)
    assert at(skeleton, "left_elbow").y > at(skeleton, "left_shoulder").y, "elbows hang down"


def test_a_hand_beyond_reach_is_refused():
    with pytest.raises(ValueError, match=r"left_hand: expected a place 0\.034 to 0\.326 statures .* but got one 0\.6"):
        Body(height=1.0, face=Point(0.5, 0.3), left_hand=Point(0.6, 1.1)).skeleton(SQUARE)


def test_sitting_folds_the_legs():
    standing, sitting = whole().skeleton(SQUARE), whole(stance="sitting").skeleton(SQUARE)

    def from_hip_to_ankle(skeleton: Skeleton) -> float:
        return at(skeleton, "left_ankle").y - at(skeleton, "left_hip").y

    assert from_hip_to_ankle(sitting) < 0.75 * from_hip_to_ankle(standing)
    straight_leg = Body(height=0.9, hips=Point(0.5, 0.5), stance="sitting", left_leg=Limb()).skeleton(SQUARE)
    assert distance(straight_leg, "left_hip", "left_ankle") > 0.9 * distance(standing, "left_hip", "left_ankle")


@pytest.mark.parametrize(
    ("hidden", "unseen"),
    [
        (("left_hand",), {"left_wrist"}),
        (("right_arm",), {"right_elbow", "right_wrist"}),
        (("legs",), {"right_knee", "right_ankle", "left_knee", "left_ankle"}),
        (("hips",), {f"{side}_{joint}" for side in SIDES for joint in ("hip", "knee", "ankle")}),
    ],
)
def test_hidden_parts_are_unseen(hidden: tuple[str, ...], unseen: set[str]):
    skeleton = whole(hidden=hidden).skeleton(SQUARE)
    assert {joint for joint in JOINTS if skeleton[joint] is None} == unseen


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"feet": None}, "exactly one of face, hips and feet"),
        ({"face": Point(0.5, 0.5)}, "exactly one of face, hips and feet"),
        ({"height": 0.0}, "height: expected 0.05 to 10, but got 0"),
        ({"turn": 181.0}, "turn: expected -180 to 180, but got 181"),
        ({"lean": 50.0}, "lean: expected -45 to 45"),
        ({"bow": -40.0}, "bow: expected -30 to 60"),
        ({"head_turn": -181.0}, "head_turn: expected -180 to 180"),
        (
            {"turn": 180.0},
            "head_turn: expected at most 120 degrees from turn, 180, but got 0; whoever is seen from behind",
        ),
        ({"turn": -110.0, "head_turn": 110.0}, "head_turn: expected at most 120 degrees from turn, -110, but got 110"),
        ({"head_tilt": 50.0}, "head_tilt: expected -45 to 45"),
        ({"head_nod": math.nan}, "head_nod: expected -40 to 40, but got nan"),
    ],
)
def test_impossible_bodies_are_refused(options: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        whole(**options)


@pytest.mark.parametrize("angle", ["out", "forward", "bend", "twist"])
def test_impossible_joints_are_refused(angle: str):
    with pytest.raises(ValueError, match=f"{angle}: expected .* but got 181"):
        Limb(**{angle: 181.0})


def test_rotations_turn_tilt_and_nod():
    front, up = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    assert rotation(turn=90.0) @ front == pytest.approx([1, 0, 0])
    assert rotation(tilt=90.0) @ up == pytest.approx([1, 0, 0])
    assert rotation(nod=90.0) @ front == pytest.approx([0, -1, 0])
    matrix = rotation(turn=20.0, tilt=-30.0, nod=40.0)
    assert matrix @ matrix.T == pytest.approx(np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1)
