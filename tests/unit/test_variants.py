"""Whatever is done to a template of the library leaves a pose without faults, whoever is in it in proportion."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf import shelf_pose, shelf_template

from multiid import Framing, Point, Pose, Size, Skeleton, Template, TemplateError, template_names
from multiid.poses.body import Body, Limb
from multiid.poses.checks import find_faults
from multiid.poses.skeleton import FACE_POINTS, HAND_POINTS, JOINTS, Place
from multiid.poses.template_variants import vary_template
from multiid.poses.variants import mirrored, on_canvas, reframed, reordered, without

# The type checker of the tests draws which items of a list it looks at.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

NAMES = template_names()
UPPER = [joint for joint in JOINTS if not joint.endswith(("hip", "knee", "ankle"))]
ROUNDED = 2e-5  # of the canvas: what a template's numbers are rounded to, on both sides
some = settings(max_examples=30, deadline=None)
few = settings(max_examples=20, deadline=None)  # templates are read and checked anew

names = st.sampled_from(NAMES)
sizes = st.builds(Size, *[st.integers(64, 192).map(lambda side: side * 8)] * 2)
framings: st.SearchStrategy[Framing] = st.sampled_from(["wide", "full", "medium", "close-up"])


def people(pose: Pose) -> list[int]:
    return [index for index, place in enumerate(pose.places) if not place.extra]


def head_sizes(pose: Pose, places: Sequence[int]) -> list[float]:
    boxes = [pose.places[index].skeleton.head_box(pose.size) for index in places]
    return [math.nan if box is None else box.width for box in boxes]


def pixels(skeleton: Skeleton, size: Size) -> dict[str, tuple[float, float]]:
    seen = zip(JOINTS, skeleton.points, strict=True)
    return {joint: (point.x * size.width, point.y * size.height) for joint, point in seen if point is not None}


def check_valid(pose: Pose) -> None:
    """No fault, every point on the canvas, and people before extras, each from left to right."""
    assert find_faults(pose) == []
    for place in pose.places:
        details = (place.skeleton.right_hand, place.skeleton.left_hand, place.skeleton.face)
        for point in (*place.skeleton.points, *(point for part in details for point in part or ())):
            assert point is None or (0 <= point.x <= 1 and 0 <= point.y <= 1)


def check_same(one: Pose, other: Pose, *, within: float = 1e-12) -> None:
    assert one.size == other.size
    for a, b in zip(one.places, other.places, strict=True):
        assert (a.depth, a.role, a.extra) == (b.depth, b.role, b.extra)
        for p, q in zip(a.skeleton.points, b.skeleton.points, strict=True):
            assert (p is None) == (q is None)
            assert p is None or q is None or p == pytest.approx(q, abs=within)


# Poses


@pytest.mark.parametrize("name", NAMES)
def test_mirrored_twice_is_the_pose_again(name: str) -> None:
    pose = shelf_pose(name)
    mirror = mirrored(pose)
    check_valid(mirror)
    last = people(pose)[-1]
    assert mirror.places[0].role == pose.places[last].role
    ours, theirs = pose.places[last].skeleton["left_shoulder"], mirror.places[0].skeleton["right_shoulder"]
    assert (ours is None) == (theirs is None)
    assert ours is None or theirs is None or (theirs.x, theirs.y) == pytest.approx((1 - ours.x, ours.y))
    check_same(mirrored(mirror), pose)


def test_hands_and_faces_are_mirrored_point_by_point() -> None:
    """Each point of the face where its counterpart of iBUG 300-W stood; hands finger by finger."""
    size = Size(512, 512)
    body = Body(face=Point(0.3, 0.3), height=1.5).skeleton(size)
    face = [Point(0.1, index / 100) for index in range(FACE_POINTS)]
    hand = tuple(Point(0.2, index / 100) for index in range(HAND_POINTS))
    pose = Pose(size, (Place(replace(body, right_hand=hand, face=tuple(face))),))
    skeleton = mirrored(pose).places[0].skeleton
    assert skeleton.right_hand is None
    assert skeleton.left_hand == tuple(Point(0.8, point.y) for point in hand)
    assert skeleton.face is not None
    counterparts = {0: 16, 8: 8, 17: 26, 21: 22, 30: 30, 31: 35, 36: 45, 39: 42, 40: 47, 48: 54, 51: 51, 55: 59}
    counterparts |= {57: 57, 60: 64, 62: 62, 65: 67, 66: 66, 68: 69}
    for one, other in counterparts.items():
        assert skeleton.face[one] == Point(0.9, face[other].y)
        assert skeleton.face[other] == Point(0.9, face[one].y)
    again = mirrored(mirrored(pose))
    check_same(again, pose)
    assert [point and point.y for point in again.places[0].skeleton.face or ()] == [point.y for point in face]


@some
@given(data=st.data(), name=names)
def test_people_change_places_sideways_alone(data: st.DataObject, name: str) -> None:
    pose = shelf_pose(name)
    order = data.draw(st.permutations(people(pose)))
    new = reordered(pose, order)
    check_valid(new)
    assert [place.role for place in new.places[: len(order)]] == [pose.places[index].role for index in order]
    assert head_sizes(new, range(len(order))) == pytest.approx(head_sizes(pose, order))
    assert new.places[len(order) :] == pose.places[len(order) :]
    for index, place in zip(order, new.places, strict=False):
        before, after = (pixels(one, pose.size) for one in (pose.places[index].skeleton, place.skeleton))
        shifts = [after[joint][0] - before[joint][0] for joint in after]
        assert shifts == pytest.approx([shifts[0]] * len(shifts))
        assert all(after[joint][1] == pytest.approx(before[joint][1]) for joint in after)


def test_heads_that_have_no_room_side_by_side_are_refused() -> None:
    """One head beside two that are one above the other: between them it would need a wider canvas."""
    size = Size(512, 640)
    spots = ((0.22, 0.281), (0.24, 0.836), (0.75, 0.56))
    pose = Pose(size, tuple(Place(Body(face=Point(*spot), height=3.5).skeleton(size)) for spot in spots))
    assert find_faults(pose) == []
    with pytest.raises(TemplateError, match="order: expected heads that have room side by side"):
        reordered(pose, [0, 2, 1])
    check_valid(reordered(pose, [2, 0, 1]))


def test_heads_make_room_for_each_other() -> None:
    """A large head comes to stand where a small one stood, next to another: it stands a little aside."""
    size = Size(1024, 1024)
    bodies = [Body(face=Point(x, 0.3), height=h) for x, h in ((0.2, 0.7), (0.29, 0.7), (0.6, 3.0))]
    pose = Pose(size, tuple(Place(body.skeleton(size)) for body in bodies))
    new = reordered(pose, [0, 2, 1])
    check_valid(new)
    spots = [place.skeleton.head_box(size) for place in new.places]
    assert all(box is not None for box in spots)
    assert head_sizes(new, range(3)) == pytest.approx(head_sizes(pose, [0, 2, 1]))


def test_the_same_order_changes_nothing() -> None:
    pose = shelf_pose("team-eight")
    assert reordered(pose, range(8)) == pose


@pytest.mark.parametrize("order", [(), (0,), (0, 0), (0, 2), (0, 1, 2)])
def test_an_order_names_everybody_once(order: tuple[int, ...]) -> None:
    with pytest.raises(TemplateError, match="expected each of the places 0, 1 once, but got"):
        reordered(shelf_pose("couple-selfie"), order)


@some
@given(data=st.data(), name=names.filter(lambda name: len(shelf_template(name).places) > 1))
def test_one_is_removed_and_nobody_moves(data: st.DataObject, name: str) -> None:
    pose = shelf_pose(name)
    gone = data.draw(st.integers(0, len(pose.places) - 1))
    new = without(pose, gone)
    check_valid(new)
    assert new.places == pose.places[:gone] + pose.places[gone + 1 :]


def test_somebody_must_be_there_and_somebody_must_remain() -> None:
    with pytest.raises(TemplateError, match="place: expected 0 to 1, but got 2"):
        without(shelf_pose("couple-selfie"), 2)
    with pytest.raises(TemplateError, match="Expected at least one place to remain"):
        without(shelf_pose("single-portrait"), 0)


@some
@given(name=names, size=sizes)
def test_another_canvas_keeps_faces_and_all_above_the_hips(name: str, size: Size) -> None:
    pose = shelf_pose(name)
    new = on_canvas(pose, size)
    check_valid(new)
    assert new.size == size
    everybody = range(len(pose.places))
    grown = [a / b for a, b in zip(head_sizes(new, everybody), head_sizes(pose, everybody), strict=True)]
    assert grown == pytest.approx([grown[0]] * len(grown))
    plain = pose.fitted(size)
    assert min(head_sizes(new, everybody)) >= min(head_sizes(plain, everybody)) * (1 - 1e-9)
    for before, after in zip(pose.places, new.places, strict=True):
        assert all(after.skeleton[joint] is not None for joint in UPPER if before.skeleton[joint] is not None)


def test_a_canvas_is_cut_down_where_there_is_room() -> None:
    """A standing couple on a wide canvas loses its legs, not its size."""
    pose, size = shelf_pose("couple-standing"), Size(1216, 832)
    width, plain = head_sizes(on_canvas(pose, size), [0])[0], head_sizes(pose.fitted(size), [0])[0]
    print(f"heads are {width:.0f} px wide, letterboxed {plain:.0f} px; required 1.05 times as wide")
    assert width > 1.05 * plain


@pytest.mark.parametrize("name", NAMES)
def test_a_canvas_of_the_same_aspect_changes_nothing(name: str) -> None:
    pose = shelf_pose(name)
    assert on_canvas(pose, pose.size) == pose
    half = Size(pose.size.width // 2, pose.size.height // 2)
    check_same(on_canvas(pose, half), replace(pose, size=half))


@some
@given(data=st.data(), name=names, size=sizes, framing=framings)
def test_a_framing_shows_whom_it_is_asked_for(data: st.DataObject, name: str, size: Size, framing: Framing) -> None:
    pose = shelf_pose(name)
    everybody = range(len(pose.places))
    asked = data.draw(st.none() | st.lists(st.sampled_from(everybody), unique=True, max_size=4))
    framed = reframed(pose, size=size, framing=framing, places=asked)
    check_valid(framed.pose)
    assert framed.pose.size == size
    assert set(asked or everybody) <= set(framed.kept)
    assert list(framed.kept) == sorted(framed.kept)
    assert len(framed.kept) == len(framed.pose.places)
    before, after = head_sizes(pose, framed.kept), head_sizes(framed.pose, range(len(framed.kept)))
    grown = [a / b for a, b in zip(after, before, strict=True)]
    assert grown == pytest.approx([grown[0]] * len(grown))
    for index, place in zip(framed.kept, framed.pose.places, strict=True):
        old = pose.places[index]
        assert (place.role, place.depth, place.extra) == (old.role, old.depth, old.extra)


@pytest.mark.parametrize("name", ["portrait-full-length", "family-four", "walking-two"])
def test_the_nearer_the_framing_the_larger_the_heads(name: str) -> None:
    pose, size = shelf_pose(name), Size(832, 1216)
    widths = [
        head_sizes(reframed(pose, size=size, framing=framing, places=[0]).pose, [0])[0]
        for framing in ("wide", "full", "medium", "close-up")
    ]
    print(f"{name}: the first head is {', '.join(f'{width:.0f}' for width in widths)} px wide")
    assert widths[1] < widths[2] < widths[3]


def test_framings_end_where_they_say() -> None:
    pose, size = shelf_pose("portrait-full-length"), Size(1024, 1024)
    seen = {
        framing: reframed(pose, size=size, framing=framing).pose.places[0].skeleton
        for framing in ("full", "medium", "close-up")
    }
    assert seen["full"]["right_ankle"] is not None
    assert seen["medium"]["right_hip"] is not None
    assert seen["medium"]["right_knee"] is None
    assert seen["medium"]["right_ankle"] is None
    assert seen["close-up"]["right_shoulder"] is not None
    assert seen["close-up"]["right_hip"] is None


def test_who_is_out_of_the_frame_is_left_out() -> None:
    pose = shelf_pose("team-eight")
    framed = reframed(pose, size=Size(1024, 1024), framing="close-up", places=[0])
    assert framed.kept[0] == 0
    assert 7 not in framed.kept
    assert len(framed.pose.places) < 8


def test_what_hangs_on_a_joint_goes_with_it() -> None:
    """A wrist within the frame on an elbow outside is not seen, as OpenPose would not; nor is its hand."""
    size = Size(1000, 1000)
    body = Body(face=Point(0.5, 0.3), height=1.2, left_arm=Limb(out=85.0)).skeleton(size)
    points = list(body.points)
    wrist = JOINTS.index("left_wrist")
    points[wrist] = Point(0.5, 0.45)
    pose = Pose(size, (Place(replace(body, points=tuple(points), left_hand=(Point(0.5, 0.45),) * HAND_POINTS)),))
    near = reframed(pose, size=Size(512, 512), framing="close-up").pose.places[0].skeleton
    assert near["left_shoulder"] is not None
    assert near["left_elbow"] is None
    assert near["left_wrist"] is None
    assert near.left_hand is None


def test_places_that_are_not_there_are_refused() -> None:
    with pytest.raises(TemplateError, match="place: expected 0 to 1, but got 5"):
        reframed(shelf_pose("couple-selfie"), size=Size(512, 512), framing="full", places=[5])


# Templates


@few
@given(data=st.data(), name=names, mirror=st.booleans(), size=st.none() | sizes, framing=framings)
def test_templates_become_templates(
    data: st.DataObject, name: str, mirror: bool, size: Size | None, framing: Framing
) -> None:
    """Any of it together; bodies stay bodies, and what is written is read again."""
    old = shelf_template(name)
    removable = len(old.places) > 1
    remove = data.draw(st.lists(st.integers(0, len(old.places) - 1), max_size=1)) if removable else []
    new = vary_template(old, name="new", remove=remove, mirror=mirror, size=size, framing=framing)
    check_valid(new.pose())
    assert new.name == "new"
    assert new.size == (size or old.size)
    assert [place.body is None for place in new.places] == [False] * len(new.places)
    assert Template.model_validate_json(new.to_json()) == new


@pytest.mark.parametrize("name", NAMES[::4])  # poses are mirrored above, all of them; templates take long
def test_a_template_mirrored_twice_is_the_same_to_the_last_digit(name: str) -> None:
    once = vary_template(shelf_template(name), mirror=True)
    check_same(once.pose(), mirrored(shelf_pose(name)), within=ROUNDED)
    assert vary_template(once, mirror=True).places == shelf_template(name).places


@few
@given(name=names, size=sizes, framing=st.sampled_from(["wide", "medium", "close-up"]))
def test_bodies_do_what_points_do(name: str, size: Size, framing: Framing) -> None:
    """Where a point is seen both ways it is at the same place; bodies know more of what was out of sight."""
    by_points = reframed(shelf_pose(name), size=size, framing=framing).pose
    by_bodies = vary_template(shelf_template(name), size=size, framing=framing).pose()
    for one, other in zip(by_points.places, by_bodies.places, strict=True):
        for joint in JOINTS:
            p, q = one.skeleton[joint], other.skeleton[joint]
            if p is not None and q is not None:
                assert q == pytest.approx(p, abs=1e-3)


@few
@given(name=names, size=sizes)
def test_from_head_to_toe_bodies_show_what_was_below_the_edge(name: str, size: Size) -> None:
    """Points end where the canvas ends; bodies go on, unless something hides them."""
    old = shelf_template(name)
    new = vary_template(old, size=size, framing="full").pose()
    check_valid(new)
    for place, seen in zip(old.places, new.places, strict=True):
        legs = [] if place.body is None or {"legs", "hips"} & set(place.body.hidden) else ["right_ankle", "left_ankle"]
        assert all(seen.skeleton[joint] is not None for joint in legs)


def test_feet_have_room_beneath_them() -> None:
    """A portrait from the waist up, whose ankles are two canvases down."""
    old, size = shelf_template("single-portrait"), Size(832, 1216)
    (place,) = vary_template(old, size=size, framing="full").pose().places
    box = place.skeleton.face_box(size)
    assert box is not None
    lowest = max(y for _, y in pixels(place.skeleton, size).values())
    print(f"{(size.height - lowest) / box.height:.2f} face heights are below the ankles, required 0.3")
    assert size.height - lowest > 0.3 * box.height
    assert box.top > 0.3 * box.height


def test_points_are_varied_too() -> None:
    """Templates from photos have no bodies."""
    old = Template.of(shelf_pose("family-three"), name="mine", title="Mine")
    new = vary_template(old, remove=[1], order=[1, 0], mirror=True, size=Size(832, 1216), framing="medium")
    check_valid(new.pose())
    assert [place.body for place in new.places] == [None, None]
    assert new.description == "mine, without place 1, in the order 1, 0, mirrored, medium on 832x1216."
    assert new.title == "2 people, from mine", "the old one spoke of three"
    assert vary_template(old, mirror=True).title == old.title
    alone = vary_template(shelf_template("team-eight"), framing="close-up", places=[0], remove=[1])
    assert alone.title == "2 people, from team-eight"
    check_same(vary_template(vary_template(old, mirror=True), mirror=True).pose(), old.pose(), within=ROUNDED)


def test_nothing_asked_for_is_a_copy_under_another_name() -> None:
    old = shelf_template("family-three")
    assert vary_template(old, name="mine") == old.model_copy(update={"name": "mine"})


def test_what_cannot_be_a_template_is_refused() -> None:
    old = shelf_template("family-three")
    with pytest.raises(TemplateError, match="size: expected width and height in multiples of 8, but got 1001x832"):
        vary_template(old, size=Size(1001, 832))
    with pytest.raises(TemplateError, match="name: expected small letters, digits and hyphens, such as our-picnic"):
        vary_template(old, name="Our Picnic")
    with pytest.raises(TemplateError, match="remove: expected at least one place to remain, but all 3 would go"):
        vary_template(old, remove=[0, 1, 2])
    with pytest.raises(TemplateError, match="place: expected 0 to 2, but got 3"):
        vary_template(old, remove=[0, 1, 3])
