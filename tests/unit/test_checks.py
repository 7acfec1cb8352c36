from dataclasses import replace

from multiid.geometry import Point, Size
from multiid.poses.body import Body
from multiid.poses.checks import find_faults
from multiid.poses.skeleton import JOINTS, Place, Pose, Skeleton

SIZE = Size(1216, 832)


def person(x: float, y: float = 0.3) -> Place:
    return Place(Body(height=0.9, face=Point(x, y)).skeleton(SIZE))


def with_point(place: Place, joint: str, point: Point | None) -> Place:
    points = list(place.skeleton.points)
    points[JOINTS.index(joint)] = point
    return replace(place, skeleton=Skeleton(tuple(points)))


def faults(*places: Place) -> list[str]:
    return find_faults(Pose(SIZE, places))


def test_a_good_pose_has_no_faults():
    assert faults(person(0.2), person(0.5, 0.5), person(0.8)) == []
    assert faults() == []


def test_every_stance_age_and_turn_is_plausible():
    for age in ("adult", "child", "elder"):
        for stance in ("standing", "sitting"):
            for turn in range(-180, 181, 30):
                head_turn = turn / 2 if abs(turn) <= 90 else turn
                body = Body(height=0.6, face=Point(0.5, 0.3), stance=stance, turn=float(turn), head_turn=head_turn)
                assert faults(Place(body.skeleton(SIZE, age=age))) == [], (age, stance, turn)


def test_a_head_must_be_seen():
    headless = Place(Skeleton((None, Point(0.5, 0.5), *[None] * 16)))
    assert faults(person(0.2), headless) == ["places.1: expected a visible head, but its points are missing"]


def test_a_head_must_be_inside_the_canvas():
    (fault,) = faults(person(0.5, 0.03))
    assert fault.startswith("places.0: expected the face inside the canvas of 1216x832, but its box is (")


def from_behind(x: float, y: float = 0.3, **options: float) -> Place:
    body = Body(**{"height": 0.9, "face": Point(x, y), "turn": 180.0, "head_turn": 180.0, **options})  # type: ignore[arg-type]
    return Place(body.skeleton(SIZE))


def test_a_head_seen_from_behind_is_a_head_and_may_be_cut_off():
    assert faults(person(0.2), from_behind(0.5), person(0.8)) == []
    cut = from_behind(0.02, 0.03)
    box = cut.skeleton.head_box(SIZE)
    assert box is not None
    assert not box.inside(SIZE)
    assert faults(cut, person(0.5)) == []
    assert faults(person(0.5), from_behind(0.53)) == [
        "places.1: expected heads apart, but this one overlaps the head of places.0"
    ]
    assert faults(from_behind(0.5), person(0.2)) == [
        "places.1: expected places from left to right, but it is left of places.0"
    ]


def test_extras_come_last_and_from_left_to_right():
    one, other = (replace(person(x), extra=True) for x in (0.1, 0.3))
    assert faults(person(0.5), person(0.8), one, other) == []
    assert faults(one, person(0.5)) == ["places.1: expected extras after all others, but places.0 is one"]
    assert faults(person(0.5), other, one) == [
        "places.2: expected places from left to right, but it is left of places.1"
    ]


def test_faces_must_be_apart():
    assert faults(person(0.5), person(0.52)) == [
        "places.1: expected faces apart, but this one overlaps the face of places.0"
    ]


def test_places_must_run_from_left_to_right():
    assert faults(person(0.2), person(0.8), person(0.5)) == [
        "places.2: expected places from left to right, but it is left of places.1"
    ]


def test_a_limb_must_not_be_longer_than_the_face_allows():
    (fault,) = faults(with_point(person(0.5), "left_wrist", Point(0.95, 0.95)))
    assert fault.startswith("places.0: expected left_elbow to left_wrist of at most 2.6 face widths, but it is ")


def test_shoulders_and_hips_must_be_even():
    (fault,) = faults(with_point(person(0.5), "right_shoulder", Point(0.499, 0.397)))
    assert fault.startswith("places.0: expected neck to shoulder about as long on both sides")
    even = person(0.5)
    neck = even.skeleton["neck"]
    assert neck is not None
    uneven = with_point(even, "left_hip", Point(neck.x + 0.02, neck.y + 0.1))
    assert any("neck to hip about as long on both sides" in fault for fault in faults(uneven))


def test_unseen_points_are_no_fault():
    place = person(0.5)
    for joint in JOINTS[2:14]:
        place = with_point(place, joint, None)
    assert faults(place) == []
