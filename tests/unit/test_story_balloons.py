import math
from itertools import pairwise

import numpy as np
import pytest
from wordy import mask_of, mask_of_boxes

from multiid.geometry import Box, Size
from multiid.story.aims import aims_at_edges, aims_at_face, aims_at_place, no_aims
from multiid.story.balloons import Form, Shape, TextLine, shape_around
from multiid.story.routes import Routes, crossed, find_routes
from multiid.story.seen import SeenFace
from multiid.story.tails import Curve, boxes_array, bubbles_along, half_base, tail_boxes, with_wedge

EM = 16.0
BASE = 6.0
SHORTEST = 2 * EM
SIZE = Size(600, 400)
FORMS: tuple[Form, ...] = ("rounded", "cloud", "burst", "box")
LINES = (TextLine(60, -32, -18), TextLine(80, -9, 5), TextLine(50, 14, 28))
MIDDLE = (300.0, 120.0)


def moved(shape: Shape, middle: tuple[float, float] = MIDDLE) -> tuple[tuple[float, float], ...]:
    return tuple((float(x + middle[0]), float(y + middle[1])) for x, y in shape.outline)


@pytest.mark.parametrize("form", FORMS)
def test_shapes_leave_room_around_every_line(form: Form) -> None:
    inside = mask_of(moved(shape_around(LINES, form, em=EM)), SIZE)
    least = math.inf
    ys, xs = np.nonzero(~inside)
    for line in LINES:
        for x in (-line.half, line.half):
            for y in (line.top, line.bottom):
                least = min(least, float(np.hypot(xs - MIDDLE[0] - x, ys - MIDDLE[1] - y).min()))
    print(f"{form}: {least / EM:.2f} ems from the nearest corner of a line to the outside")
    assert least > 0.3 * EM


@pytest.mark.parametrize("form", FORMS)
def test_shapes_are_not_larger_than_their_text_needs(form: Form) -> None:
    extent = shape_around(LINES, form, em=EM).extent
    print(f"{form}: {extent.width:.0f} x {extent.height:.0f} around 160 x 60")
    assert extent.width < 160 + 5.5 * EM
    assert extent.height < 60 + 5.5 * EM


def test_a_longer_line_in_the_middle_costs_less_than_at_the_top() -> None:
    lens = [TextLine(50, -30, -16), TextLine(80, -7, 7), TextLine(50, 16, 30)]
    wedge = [TextLine(80, -30, -16), TextLine(50, -7, 7), TextLine(50, 16, 30)]
    areas = [shape_around(lines, "rounded", em=EM).extent.area for lines in (lens, wedge)]
    assert areas[0] < 0.95 * areas[1]


def test_the_outline_of_a_burst_is_spiky_and_that_of_a_cloud_bumpy() -> None:
    burst, cloud, plain = (shape_around(LINES, form, em=EM) for form in ("burst", "cloud", "rounded"))
    for shape, most, least in ((burst, 1.0, 9), (cloud, 1.0, 7), (plain, 1.0, 0)):
        far = np.hypot(*(shape.outline / np.array(shape.core)).T)
        peaks = (far > np.roll(far, 1)) & (far >= np.roll(far, -1))
        print(f"{shape.form}: {peaks.sum()} peaks")
        assert peaks.sum() >= least * most
    assert len(burst.outline) % 2 == 0


def test_no_lines_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one line"):
        shape_around([], "box", em=EM)


@pytest.mark.parametrize("form", ["rounded", "burst"])
@pytest.mark.parametrize("tip", [(300, 320), (60, 200), (560, 300), (150, 20), (420, 330)])
def test_a_wedge_grows_out_of_the_outline_and_tapers_to_its_tip(form: Form, tip: tuple[float, float]) -> None:
    shape = shape_around(LINES, form, em=EM)
    curve = route_to(shape, tip)
    outline = with_wedge(shape, MIDDLE, curve, em=EM)
    body = mask_of(moved(shape), SIZE)
    whole = mask_of(tuple((float(x), float(y)) for x, y in outline), SIZE)
    lost = (body & ~whole).sum() / body.sum()
    tail = whole & ~body
    ys, xs = np.nonzero(tail)
    root, end = np.array(curve[0]), np.array(curve[2])
    along = ((np.stack([xs, ys], 1) - root) @ (end - root)) / ((end - root) ** 2).sum()
    quarters = [int(((along >= low) & (along < low + 0.25)).sum()) for low in (0.0, 0.25, 0.5, 0.75)]
    print(f"{form}: the body loses {lost:.3f}; pixels of the tail's quarters: {quarters}")
    assert lost < 0.04
    assert quarters == sorted(quarters, reverse=True)
    assert quarters[3] > 0
    assert np.hypot(xs - tip[0], ys - tip[1]).min() < 4
    assert np.abs(outline - np.array(tip)).sum(axis=1).min() < 1e-6


def route_to(shape: Shape, tip: tuple[float, float]) -> Curve:
    aims = aims_at_place((float(tip[0]), float(tip[1])))
    routes = find_routes(
        np.array([MIDDLE]), np.array([shape.rim]), aims, np.zeros((0, 4)), SIZE, em=EM, base=BASE, shortest=SHORTEST
    )
    assert routes.reaching[0]
    root, handle, end = ((float(x), float(y)) for x, y in routes.curves[0])
    return root, handle, end


def test_bubbles_shrink_on_their_way_and_end_at_the_tip() -> None:
    shape = shape_around(LINES, "cloud", em=EM)
    curve = route_to(shape, (420, 330))
    bubbles = bubbles_along(shape.outline + np.array(MIDDLE), curve, em=EM)
    radii = [bubble.radius for bubble in bubbles]
    assert len(bubbles) >= 3
    assert radii == sorted(radii, reverse=True)
    assert math.dist((bubbles[-1].x, bubbles[-1].y), curve[2]) <= bubbles[-1].radius + 1
    cloud = mask_of(moved(shape), SIZE)
    for first, second in pairwise(bubbles):
        assert math.dist((first.x, first.y), (second.x, second.y)) > first.radius + second.radius
    for bubble in bubbles:
        assert not (cloud & mask_of_boxes((bubble.box.expanded(-0.4),), SIZE)).any()


def test_tips_lie_outside_the_face_on_lines_to_the_mouth() -> None:
    face = SeenFace.of(Box(200, 100, 290, 220))
    aims = aims_at_face(face, SIZE, em=EM)
    for tip, incoming in zip(aims.tips, aims.incoming, strict=True):
        assert not face.box.left < tip[0] < face.box.right or not face.box.top < tip[1] < face.box.bottom
        way = (np.array(face.mouth) - tip) / math.dist(face.mouth, tip)
        assert way @ incoming == pytest.approx(-1)
    nearest = np.hypot(*(aims.tips - np.array(face.mouth)).T).min()
    assert nearest < 60


def test_no_tip_lies_outside_the_panel() -> None:
    cut = SeenFace.of(Box(-70, 300, 50, 460))
    tips = aims_at_face(cut, SIZE, em=EM).tips
    assert len(tips) > 0
    assert (tips >= 0).all()
    assert (tips <= np.array(SIZE)).all()
    hidden = SeenFace.of(Box(-200, -300, 900, 900))
    assert len(aims_at_face(hidden, SIZE, em=EM).tips) == 0


def test_tails_go_around_what_is_in_their_way() -> None:
    shape = shape_around(LINES, "rounded", em=EM)
    face = SeenFace.of(Box(265, 290, 335, 385))
    wall = Box(285, 205, 330, 225)
    blocked = [face.box, wall]
    straight = routes(shape, face, [face.box])
    around = routes(shape, face, blocked)
    assert straight.reaching.all()
    assert around.reaching.all()
    outline = with_wedge(shape, MIDDLE, tuple(map(tuple, around.curves[0])), em=EM)
    mask = mask_of(tuple((float(x), float(y)) for x, y in outline), SIZE)
    assert not (mask & mask_of_boxes(tuple(blocked), SIZE)).any()
    outline = with_wedge(shape, MIDDLE, tuple(map(tuple, straight.curves[0])), em=EM)
    mask = mask_of(tuple((float(x), float(y)) for x, y in outline), SIZE)
    assert (mask & mask_of_boxes((wall,), SIZE)).any()


def routes(shape: Shape, face: SeenFace, obstacles: list[Box]) -> Routes:
    aims = aims_at_face(face, SIZE, em=EM)
    return find_routes(
        np.array([MIDDLE]),
        np.array([shape.rim]),
        aims,
        boxes_array(obstacles),
        SIZE,
        em=EM,
        base=BASE,
        shortest=SHORTEST,
    )


def test_a_tail_with_no_way_is_short_and_shows_the_way() -> None:
    shape = shape_around(LINES, "rounded", em=EM)
    face = SeenFace.of(Box(265, 290, 335, 385))
    found = routes(shape, face, [face.box, Box(0, 200, 600, 260)])
    root, _, tip = found.curves[0]
    assert not found.reaching[0]
    assert 0.5 * EM < math.dist(root, tip) < 2 * EM
    assert tip[1] > root[1]


def test_a_balloon_walled_in_has_no_tail_at_all() -> None:
    shape = shape_around(LINES, "rounded", em=EM)
    walls = boxes_array([Box(100, 60, 500, 180)])
    found = find_routes(
        np.array([MIDDLE]), np.array([shape.rim]), no_aims((300, 400)), walls, SIZE, em=EM, base=BASE, shortest=SHORTEST
    )
    assert np.isinf(found.costs[0])


def test_those_outside_are_pointed_at_through_the_nearest_side() -> None:
    shape = shape_around(LINES, "rounded", em=EM)
    middles = np.array([(130.0, 120.0), (470.0, 120.0)])
    rims = np.repeat([shape.rim], 2, axis=0)
    found = find_routes(middles, rims, aims_at_edges(SIZE), np.zeros((0, 4)), SIZE, em=EM, base=BASE, shortest=SHORTEST)
    assert found.curves[0, 2, 0] == 0
    assert found.curves[1, 2, 0] == SIZE.width


@pytest.mark.parametrize(
    ("start", "end", "enters"),
    [
        ((0, 5), (20, 5), True),
        ((0, 5), (4, 5), False),
        ((12, 12), (20, 20), False),
        ((7, 7), (8, 8), True),
        ((5, 0), (5, 20), True),
        ((0, 10.5), (20, 10.5), False),
        ((3, 12), (12, 3), True),
        ((9, 12), (12, 9), False),
    ],
)
def test_lines_that_enter_a_box(start: tuple[float, float], end: tuple[float, float], enters: bool) -> None:
    box = np.array([[5.0, 4.0, 10.0, 10.0]]) if start != (5, 0) else np.array([[4.0, 4.0, 10.0, 10.0]])
    assert bool(crossed(np.array(start, float), np.array(end, float), box)[0]) == enters


def test_the_boxes_of_a_tail_hold_it() -> None:
    shape = shape_around(LINES, "rounded", em=EM)
    curve = route_to(shape, (500, 350))
    outline = with_wedge(shape, MIDDLE, curve, em=EM)
    tail = mask_of(tuple((float(x), float(y)) for x, y in outline), SIZE) & ~mask_of(moved(shape), SIZE)
    boxes = tail_boxes(np.array(curve), base=half_base("rounded", em=EM))
    held = np.zeros_like(tail)
    for left, top, right, bottom in boxes:
        held[max(int(top) - 1, 0) : int(bottom) + 2, max(int(left) - 1, 0) : int(right) + 2] = True
    assert tail.any()
    assert not (tail & ~held).any()
