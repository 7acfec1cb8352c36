"""What holds for any boxes, poses, people and prompts, tried on many that nobody thought of."""

import math
import operator
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from multiid import Box, Point, Pose, PromptError, RegionError, Size, Skeleton
from multiid.mini.vocabulary import build_tokenizer
from multiid.poses.body import Body
from multiid.poses.checks import find_faults
from multiid.poses.draw import draw_control_image
from multiid.poses.skeleton import JOINTS, Place
from multiid.prompts import CLIP_WINDOW, SHARED, Subject, bind, plan_tokens
from multiid.regions import Claim, build_regions

# The type checker of the tests draws which items of a list it looks at.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

WORDS = "a woman man old in the red coat tea garden with and"
NEAR = 1e-9  # of numbers up to a few thousand
modest = settings(max_examples=50)
Found = TypeVar("Found")

sizes = st.builds(Size, st.integers(8, 4096), st.integers(8, 4096))
small_sizes = st.builds(Size, st.integers(8, 96), st.integers(8, 96))
corners = st.floats(-5000, 5000, allow_nan=False)
lengths = st.floats(0.5, 5000)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    left, top = draw(corners), draw(corners)
    return Box(left, top, left + draw(lengths), top + draw(lengths))


points = st.builds(Point, st.floats(-4, 5), st.floats(-4, 5))
inner_points = st.builds(Point, st.floats(0, 1), st.floats(0, 1))


def skeletons(of: st.SearchStrategy[Point]) -> st.SearchStrategy[Skeleton]:
    return st.builds(Skeleton, st.tuples(*[st.none() | of] * len(JOINTS)))


def poses(of: st.SearchStrategy[Point], size: st.SearchStrategy[Size] = sizes) -> st.SearchStrategy[Pose]:
    places = st.builds(Place, skeletons(of), st.sampled_from([0.0, 1.0, 2.5]), st.sampled_from(["adult", "child"]))
    return st.builds(Pose, size, st.lists(places, min_size=1, max_size=3).map(tuple))


def found_or_refused(work: Callable[[], Found], kind: type[Exception]) -> tuple[Found | None, str]:
    """What comes of it, or what is said in one line."""
    try:
        return work(), ""
    except kind as error:
        said = str(error)
    assert "\n" not in said
    return None, said


# Boxes


@modest
@given(left=corners, top=corners, right=corners, bottom=corners)
def test_a_box_has_an_area_or_there_is_none(left: float, top: float, right: float, bottom: float) -> None:
    if right > left and bottom > top:
        box = Box(left, top, right, bottom)
        assert box.width > 0
        assert box.height > 0
        x, y = box.centre
        assert left <= x <= right
        assert top <= y <= bottom
    else:
        with pytest.raises(ValueError, match="Expected a box with right > left"):
            Box(left, top, right, bottom)


@pytest.mark.parametrize("place", range(4))
def test_no_box_has_a_corner_that_is_no_number(place: int) -> None:
    numbers = [0.0, 0.0, 1.0, 1.0]
    numbers[place] = math.nan
    with pytest.raises(ValueError, match="Expected a box"):
        Box(*numbers)


@modest
@given(box=boxes(), margin=st.floats(0, 3))
def test_a_margin_grows_a_box_about_its_centre(box: Box, margin: float) -> None:
    grown = box.expanded(margin)
    assert grown.centre == pytest.approx(box.centre, abs=1e-6)
    assert grown.width == pytest.approx(box.width * (1 + margin), abs=1e-6)
    assert grown.height == pytest.approx(box.height * (1 + margin), abs=1e-6)
    assert grown.area >= box.area * (1 - NEAR)
    assert grown.left <= box.left
    assert grown.bottom >= box.bottom


@modest
@given(one=boxes(), other=boxes())
def test_boxes_overlap_where_they_share_an_area(one: Box, other: Box) -> None:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    assert one.overlaps(other) == (width > 0 and height > 0)
    assert other.overlaps(one) == one.overlaps(other)
    assert one.overlaps(one)


@modest
@given(data=st.data(), size=small_sizes)
def test_a_box_inside_has_all_its_pixels_on_the_canvas(data: st.DataObject, size: Size) -> None:
    left, top = data.draw(st.integers(-9, size.width)), data.draw(st.integers(-9, size.height))
    box = Box(left, top, left + data.draw(st.integers(1, 99)), top + data.draw(st.integers(1, 99)))
    around = np.zeros((size.height + 250, size.width + 250), bool)
    around[50 : 50 + size.height, 50 : 50 + size.width] = True
    pixels = around[50 + top : 50 + int(box.bottom), 50 + left : 50 + int(box.right)]
    assert box.inside(size) == bool(pixels.all())
    assert Box(0, 0, *size).inside(size)


@modest
@given(size=sizes)
def test_a_size_is_what_it_says(size: Size) -> None:
    assert str(size) == f"{size[0]}x{size[1]}"
    assert size.aspect * size.height == pytest.approx(size.width)


# Skeletons and poses


@modest
@given(pose=poses(points), size=sizes)
def test_fitting_scales_all_lengths_alike_about_the_centre(pose: Pose, size: Size) -> None:
    fitted = pose.fitted(size)
    scale = min(size.width / pose.size.width, size.height / pose.size.height)
    assert fitted.size == size
    for before, after in zip(pose.places, fitted.places, strict=True):
        assert (after.depth, after.role) == (before.depth, before.role)
        for point, moved in zip(before.skeleton.points, after.skeleton.points, strict=True):
            assert (moved is None) == (point is None)
            if point is not None and moved is not None:
                x, y = (point.x - 0.5) * pose.size.width * scale, (point.y - 0.5) * pose.size.height * scale
                assert (moved.x - 0.5) * size.width == pytest.approx(x, abs=1e-6)
                assert (moved.y - 0.5) * size.height == pytest.approx(y, abs=1e-6)


@modest
@given(pose=poses(inner_points), size=sizes)
def test_what_was_on_the_canvas_stays_on_it(pose: Pose, size: Size) -> None:
    for place in pose.fitted(size).places:
        for point in place.skeleton.points:
            assert point is None or (-NEAR <= point.x <= 1 + NEAR and -NEAR <= point.y <= 1 + NEAR)


@modest
@given(skeleton=skeletons(points), size=sizes)
def test_a_mirrored_skeleton_has_a_mirrored_face(skeleton: Skeleton, size: Size) -> None:
    """Right and left are the person's own, so they change places too."""
    turned = {"right": "left", "left": "right"}
    names = ["_".join(turned.get(part, part) for part in joint.split("_")) for joint in JOINTS]
    mirrored = Skeleton(tuple(skeleton[name] for name in names)).moved(lambda point: Point(1 - point.x, point.y))
    face, other = skeleton.face_box(size), mirrored.face_box(size)
    assert (face is None) == (other is None)
    if face is not None and other is not None:
        assert other.corners == pytest.approx(
            (size.width - face.right, face.top, size.width - face.left, face.bottom), abs=1e-6
        )


@settings(max_examples=25)
@given(pose=poses(points, small_sizes))
def test_any_pose_can_be_drawn_and_judged(pose: Pose) -> None:
    picture = draw_control_image(pose, limb_width=2)
    assert picture.size == tuple(pose.size)
    for fault in find_faults(pose):
        assert "\n" not in fault
        assert not fault.endswith(".")


@modest
@given(
    height=st.floats(0.05, 10), place=points, anchor=st.sampled_from(["face", "hips", "feet"]), size=sizes,
    angles=st.tuples(
        *(st.floats(-limit, limit) for limit in (180, 45, 30, 119, 45, 40)),
    ),
    hand=st.none() | points, sitting=st.booleans(),
)  # fmt: skip
def test_a_body_gives_points_on_the_canvas_or_says_what_it_cannot_reach(
    height: float,
    place: Point,
    anchor: str,
    size: Size,
    angles: tuple[float, ...],
    hand: Point | None,
    sitting: bool,
) -> None:
    names = ("turn", "lean", "bow", "head_turn", "head_tilt", "head_nod")
    turn, lean, bow, twist, *head = angles
    angles = (turn, lean, bow, math.remainder(turn + twist, 360), *head)
    body = Body(
        height=height,
        stance="sitting" if sitting else "standing",
        right_hand=hand,
        **{anchor: place},
        **dict(zip(names, angles, strict=True)),
    )
    skeleton, said = found_or_refused(lambda: body.skeleton(size), ValueError)
    if skeleton is None:
        assert hand is not None
        assert said.startswith("right_hand: ")
        return
    for point in skeleton.points:
        assert point is None or (0 <= point.x < 1 and 0 <= point.y < 1)


# Regions


@st.composite
def claims(draw: st.DrawFn, size: Size) -> list[Claim]:
    """People in places, boxes and painted masks, and extras, in any order."""
    found: list[Claim] = []
    people = draw(st.integers(1, 4))
    for person in [*range(people), *[None] * draw(st.integers(0, 2))]:
        kind = draw(st.sampled_from(["box", "mask", "place", "box in a place"]))
        place = region = None
        if "place" in kind or person is None:
            place = Place(draw(skeletons(points)), draw(st.sampled_from([0.0, 1.0])))
        if "box" in kind:
            left, top = draw(st.integers(0, size.width - 1)), draw(st.integers(0, size.height - 1))
            region = Box(left, top, draw(st.integers(left + 1, size.width)), draw(st.integers(top + 1, size.height)))
        elif kind == "mask":
            rows, columns = np.indices((size.height, size.width))
            step = draw(st.integers(2, 9))
            region = (rows * draw(st.integers(0, 5)) + columns * draw(st.integers(0, 5))) % step < step // 2
        found.append(Claim(person, place, region))
    return draw(st.permutations(found))


@settings(max_examples=40)
@given(data=st.data(), size=small_sizes, soft_edge=st.sampled_from([0.0, 0.05, 0.5, 1.0]))
def test_no_pixel_has_two_owners_and_none_lies_outside_what_was_asked(
    data: st.DataObject, size: Size, soft_edge: float
) -> None:
    found = data.draw(claims(size))
    people = sum(claim.person is not None for claim in found)
    hard, _ = found_or_refused(lambda: build_regions(found, size, people=people), RegionError)
    if hard is None:
        return
    assert hard.shape == (people, size.height, size.width)
    assert set(hard.unique().tolist()) <= {0.0, 1.0}
    assert hard.sum(dim=0).max() <= 1
    assert hard.flatten(1).any(dim=1).all()
    for claim in found:
        if claim.person is not None and isinstance(claim.region, np.ndarray):
            assert not hard[claim.person][torch.from_numpy(~claim.region)].any()
        if claim.person is not None and isinstance(claim.region, Box):
            left, top, right, bottom = map(int, claim.region.corners)
            outside = torch.ones(size.height, size.width, dtype=torch.bool)
            outside[top:bottom, left:right] = False
            assert not hard[claim.person][outside].any()
    soft = build_regions(found, size, people=people, soft_edge=soft_edge)
    assert soft.min() >= 0
    assert soft.sum(dim=0).max() <= 1


# Prompts

plain_text = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}"), max_size=30)
names_of_people = st.lists(
    st.text(st.characters(categories=["L", "N"], include_characters="-_"), min_size=1, max_size=8),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip
nouns = st.sampled_from(["woman", "old man", "girl", "elf"])


@st.composite
def bindings(draw: st.DrawFn) -> tuple[list[Subject], list[str | int]]:
    """People, and a prompt in pieces: texts, braces, and people by index."""
    people = [Subject(name, draw(nouns), draw(plain_text)) for name in draw(names_of_people)]
    piece = plain_text | st.sampled_from(["{{", "}}"]) | st.integers(0, len(people) - 1)
    return people, draw(st.lists(piece, max_size=8))


def written(people: list[Subject], pieces: list[str | int]) -> str:
    return "".join(piece if isinstance(piece, str) else f"{{{people[piece].name}}}" for piece in pieces)


@modest
@given(binding=bindings(), phrases=st.booleans())
def test_a_bound_prompt_is_the_prompt_with_nouns_for_names(
    binding: tuple[list[Subject], list[str | int]], phrases: bool
) -> None:
    people, pieces = binding
    # Three braces in a row can be read in more than one way.
    braces = [piece in ("{{", "}}") or isinstance(piece, int) for piece in pieces if piece != ""]
    assume(not any(map(operator.and_, braces, braces[1:])))
    bound = bind(written(people, pieces), people, phrases=phrases)
    expected, told = "", set[int]()
    for piece in pieces:
        if isinstance(piece, str):
            expected += piece[0] if piece in ("{{", "}}") else piece
            continue
        phrase = people[piece].phrase.strip() if phrases and piece not in told else ""
        told.add(piece)
        expected += people[piece].noun + (f" {phrase}" if phrase else "")
    missing = set(range(len(people))) - {piece for piece in pieces if isinstance(piece, int)}
    if not missing:
        assert bound.text == expected
    assert {mention.person for mention in bound.mentions} == set(range(len(people)))
    for mention in bound.mentions:
        assert bound.text[mention.start : mention.noun_end] == people[mention.person].noun
        assert mention.noun_end <= mention.end <= len(bound.text)
    starts = [mention.start for mention in bound.mentions]
    assert starts == sorted(starts)
    assert all(one.end <= other.start for one, other in pairwise(bound.mentions))


@modest
@given(prompt=st.text(st.characters(exclude_categories=["Cs"]), max_size=40), people=names_of_people)
def test_any_text_is_bound_or_refused_in_one_line(prompt: str, people: list[str]) -> None:
    subjects = [Subject(name, "woman") for name in people]
    bound, said = found_or_refused(lambda: bind(prompt, subjects), PromptError)
    if bound is None:
        assert set(prompt) & set("{}")
        assert said
        return
    for mention in bound.mentions:
        assert bound.text[mention.start : mention.end] == "woman"


@modest
@given(binding=bindings(), stacks=st.lists(st.integers(1, 12), min_size=4, max_size=4))
def test_every_plan_has_the_window_s_length_and_owners_for_its_tokens(
    binding: tuple[list[Subject], list[str | int]], stacks: list[int]
) -> None:
    people, _ = binding
    tokenizer = build_tokenizer(WORDS.split())
    bound = bind("tea in a garden", people, phrases=True)
    expand = dict(enumerate(stacks[: len(people)]))
    plan = plan_tokens(bound, tokenizer, expand=expand)
    plain = plan_tokens(bound, tokenizer)
    assert len(plan.ids) == len(plan.owners) == len(plan.identity) == CLIP_WINDOW
    assert plan.ids[0] == tokenizer.bos_token_id
    assert plan.ids[plan.content.stop] == tokenizer.eos_token_id
    assert set(plain.identity) == {SHARED}
    for person, tokens in expand.items():
        positions = plan.identity_positions(person)
        assert len(positions) == tokens or (plan.cut and len(positions) < tokens)
        assert all(plan.owners[position] == person for position in positions)
    if not plan.cut:
        extra = sum(tokens - 1 for tokens in expand.values())
        assert len(plan.content) == len(plain.content) + extra
