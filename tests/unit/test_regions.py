from collections.abc import Sequence
from itertools import cycle

import numpy as np
import PIL.Image
import pytest
import torch
from figures import upright
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf import shelf_pose

from multiid.errors import RegionError
from multiid.geometry import Box, Size
from multiid.poses.silhouette import outline
from multiid.poses.skeleton import Place, Pose, Skeleton
from multiid.poses.templates import template_names
from multiid.regions import Claim, Region, build_regions

SIZE = Size(600, 400)
OTHER_SHAPES = (Size(1024, 1024), Size(640, 1536), Size(1537, 511))
NOWHERE = Place(Skeleton((None,) * 18))


def standing(x: float, *, depth: float = 0.0, crown: float = 30.0, stature: float = 350.0) -> Place:
    return Place(upright(SIZE, x=x, crown=crown, stature=stature), depth=depth)


def claims_of(places: Sequence[Place]) -> list[Claim]:
    return [Claim(index, place) for index, place in enumerate(places)]


def divided(*places: Place, size: Size = SIZE) -> np.ndarray:
    return build_regions(claims_of(places), size, people=len(places)).numpy()


def build_or_refuse(claims: list[Claim], size: Size, *, soft_edge: float = 0.0) -> tuple[torch.Tensor | None, str]:
    try:
        return build_regions(claims, size, people=len(claims), soft_edge=soft_edge), ""
    except RegionError as error:
        return None, str(error)


def boxes(*given_boxes: Region, size: Size = SIZE) -> np.ndarray:
    claims = [Claim(index, region=box) for index, box in enumerate(given_boxes)]
    return build_regions(claims, size, people=len(claims)).numpy()


def face_centre(place: Place, size: Size) -> tuple[int, int]:
    """Or of the head, where it is seen from behind."""
    box = place.skeleton.head_box(size)
    assert box is not None
    x, y = box.centre
    return int(y), int(x)


def test_result_is_hard_disjoint_float32_in_picture_size() -> None:
    regions = build_regions(claims_of([standing(150), standing(230), standing(400)]), SIZE, people=3)
    assert regions.shape == (3, 400, 600)
    assert regions.dtype == torch.float32
    assert regions.device.type == "cpu"
    assert set(regions.unique().tolist()) == {0.0, 1.0}
    assert regions.sum(dim=0).max() == 1


@pytest.mark.parametrize(("name", "other"), list(zip(template_names(), cycle(OTHER_SHAPES), strict=False)))
def test_templates_on_any_canvas(name: str, other: Size) -> None:
    """On its own, a small one, and one of the other shapes: every template on all of these takes long."""
    for size in (None, Size(160, 96), other):
        pose = shelf_pose(name) if size is None else shelf_pose(name).fitted(size)
        regions = divided(*pose.places, size=pose.size)
        assert regions.sum(axis=0).max() == 1
        for index, place in enumerate(pose.places):
            assert regions[(index, *face_centre(place, pose.size))] == 1, f"place {index} does not own its own face"


def test_letterboxed_people_keep_their_shape() -> None:
    pose = Pose(SIZE, (standing(200), standing(400, depth=1)))
    wide = pose.fitted(Size(1000, 400))
    there = divided(*wide.places, size=wide.size)
    assert (there[:, :, 200:800] != divided(*pose.places)).mean() < 0.002
    assert not there[:, :, :200].any()


def test_person_in_front_owns_the_overlap() -> None:
    alone = divided(standing(300))[0]
    regions = divided(standing(240, depth=1.0), standing(300, depth=0.5))
    body = slice(120, None)  # below the faces
    assert (regions[1, body] == alone[body]).all()
    swapped = divided(standing(240, depth=0.5), standing(300, depth=1.0))
    assert swapped[1, body].sum() < 0.9 * alone[body].sum()


def test_order_of_claims_does_not_matter() -> None:
    places = [standing(240), standing(270, stature=330), standing(330, depth=1)]
    claims = claims_of(places)
    forward = build_regions(claims, SIZE, people=3)
    backward = build_regions(claims[::-1], SIZE, people=3)
    assert torch.equal(forward, backward)


def test_face_behind_beats_body_in_front() -> None:
    front = standing(300, depth=0.0, crown=-60, stature=450)
    back = standing(300, depth=5.0, crown=60, stature=300)
    regions = divided(front, back)
    assert regions[(1, *face_centre(back, SIZE))] == 1
    assert regions[0, 250, 300] == 1  # below the face the body in front covers the one behind


def test_face_in_front_beats_face_behind() -> None:
    front, back = standing(300, depth=0.0), standing(315, depth=1.0)
    regions = divided(front, back)
    assert regions[0][outline(front.skeleton, SIZE).head].all()
    assert 0 < regions[1][outline(back.skeleton, SIZE).head].mean() < 1


def test_people_of_equal_depth_and_size_part_midway() -> None:
    regions = divided(standing(280), standing(320))
    left, right = regions[0], regions[1][:, ::-1]
    assert (left != right).mean() < 0.005
    assert not regions[0][:, 302:].any()
    assert not regions[1][:, :298].any()
    assert left.sum() > 1000


def test_child_before_an_adult_at_equal_depth_keeps_face_and_trunk() -> None:
    adult, child = standing(300, crown=10, stature=380), standing(340, crown=190, stature=200)
    regions = divided(adult, child)
    assert regions[(1, *face_centre(child, SIZE))] == 1
    assert regions[1].sum() > 0.5 * divided(child)[0].sum()
    assert regions[0].sum() > 0.7 * divided(adult)[0].sum()


def test_extra_keeps_pixels_but_gets_no_mask() -> None:
    claims = [Claim(None, standing(300)), Claim(0, standing(330, depth=1))]
    regions = build_regions(claims, SIZE, people=1)
    assert regions.shape[0] == 1
    assert regions[0, 200, 300] == 0
    assert regions[0].sum() < 0.8 * divided(standing(330))[0].sum()


def test_extra_without_a_pixel_is_no_error() -> None:
    regions = build_regions([Claim(0, standing(300)), Claim(None, NOWHERE)], SIZE, people=1)
    assert regions.any()


def test_a_lone_person_without_place_has_the_whole_picture() -> None:
    assert build_regions([Claim(0)], Size(7, 5), people=1).eq(1).all()


def test_nobody_at_all() -> None:
    assert build_regions([], Size(7, 5), people=0).shape == (0, 5, 7)


def test_box_owns_the_pixels_whose_middle_it_covers() -> None:
    region = boxes(Box(1.4, 0.6, 3.6, 2.5), size=Size(5, 4))[0]
    expected = np.zeros((4, 5))
    expected[1:2, 1:4] = 1
    assert (region == expected).all()


def test_overlapping_boxes_part_midway() -> None:
    regions = boxes(Box(0, 0, 300, 400), Box(200, 0, 500, 400))
    assert (regions[0] == boxes(Box(0, 0, 250, 400))[0]).all()
    assert (regions[1] == boxes(Box(250, 0, 500, 400))[0]).all()


def test_box_about_the_same_middle_as_a_larger_one_keeps_its_own() -> None:
    regions = boxes(Box(100, 50, 500, 350), Box(250, 150, 350, 250))
    assert regions[1].sum() == 100 * 100
    assert regions[0].sum() == 400 * 300 - 100 * 100


def test_box_behind_a_person_and_a_box_before_one() -> None:
    person = standing(300, depth=1.0)
    in_front = build_regions([Claim(0, person), Claim(1, region=Box(300, 0, 600, 400))], SIZE, people=2)
    assert in_front[0, 200, 310] == 0
    assert in_front[0, 60, 305] == 1  # but the face stays
    behind = build_regions(
        [Claim(0, person), Claim(1, place=standing(500, depth=2.0), region=Box(300, 0, 600, 400))], SIZE, people=2
    )
    assert behind[0, 200, 310] == 1


def test_region_stands_in_for_the_places_outline_and_keeps_its_face() -> None:
    place, box = standing(300, depth=1.0), Box(295, 0, 600, 300)  # cuts the face
    alone = build_regions([Claim(0, place, box)], SIZE, people=1)[0].numpy()
    assert (alone == boxes(box)[0]).all()
    regions = build_regions([Claim(0, place, box), Claim(1, region=Box(0, 0, 600, 400))], SIZE, people=2)
    assert regions[(0, *face_centre(place, SIZE))] == 1
    assert regions[0, 200, 500] == 0


PAINTED = np.zeros((40, 60), np.bool_)
PAINTED[10:30, 6:26] = True


@pytest.mark.parametrize(
    "mask",
    [
        PAINTED,
        PAINTED.astype(np.uint8) * 255,
        PAINTED.astype(np.int64) * 200,
        PAINTED.astype(np.float64),
        PAINTED.astype(np.float16) * 0.75,
        PIL.Image.fromarray(PAINTED),
        PIL.Image.fromarray(PAINTED.astype(np.uint8) * 255),
        PIL.Image.fromarray(PAINTED.astype(np.uint8) * 255).convert("RGB"),
        PIL.Image.fromarray(PAINTED.astype(np.uint8) * 255).convert("P"),
        PIL.Image.merge("RGBA", [PIL.Image.new("L", (60, 40), 255)] * 3 + [PIL.Image.fromarray(PAINTED).convert("L")]),
        PIL.Image.merge("LA", [PIL.Image.fromarray(PAINTED).convert("L"), PIL.Image.new("L", (60, 40), 255)]),
    ],
    ids=["bool", "uint8", "int64", "float64", "float16", "1", "L", "RGB", "P", "RGBA", "LA"],
)
def test_painted_masks_of_every_kind(mask: Region) -> None:
    assert (boxes(mask, size=Size(60, 40))[0] == PAINTED).all()


@pytest.mark.parametrize("scale", [0.5, 3.0, 8.55])
def test_painted_mask_is_resized(scale: float) -> None:
    size = Size(round(60 * scale), round(40 * scale))
    share = boxes(PAINTED, size=size)[0].mean()
    print(f"at {size} the mask covers {share:.4f}, {PAINTED.mean():.4f} as painted")
    assert share == pytest.approx(PAINTED.mean(), rel=0.03)


def test_soft_edges_of_zero_are_hard() -> None:
    claims = claims_of([standing(280), standing(320)])
    hard = build_regions(claims, SIZE, people=2)
    assert torch.equal(build_regions(claims, SIZE, people=2, soft_edge=0.0), hard)


def test_soft_edge_is_a_straight_fall_over_its_width() -> None:
    region = build_regions([Claim(0, region=Box(0, 0, 300, 400))], SIZE, people=1, soft_edge=0.1)[0].numpy()
    row = region[200]
    assert (row[:279] == 1).all()
    assert (row[321:] == 0).all()
    assert np.diff(row[279:321]) == pytest.approx(-1 / 41, abs=1e-4)
    assert row[299] + row[300] == pytest.approx(1, abs=1e-4)  # as far above as below a half
    assert (region[0] == row).all()  # the picture's own border is no edge


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_random_boxes_and_soft_edges_never_exceed_one(data: st.DataObject) -> None:
    size = Size(data.draw(st.integers(1, 70)), data.draw(st.integers(1, 70)))
    soft_edge = data.draw(st.floats(0, 1))
    claims: list[Claim] = []
    for index in range(data.draw(st.integers(1, 5))):
        left, top = data.draw(st.integers(0, size.width - 1)), data.draw(st.integers(0, size.height - 1))
        right = data.draw(st.integers(left + 1, size.width))
        bottom = data.draw(st.integers(top + 1, size.height))
        claims.append(Claim(index, region=Box(left, top, right, bottom)))
    hard, refusal = build_or_refuse(claims, size)
    if hard is None:
        assert "cover it all" in refusal
        return
    asked = np.zeros((size.height, size.width), np.bool_)
    for claim, mask in zip(claims, hard.numpy(), strict=True):
        assert isinstance(claim.region, Box)
        left, top, right, bottom = map(int, claim.region.corners)
        inside = np.zeros_like(asked)
        inside[top:bottom, left:right] = True
        assert not mask[~inside].any()
        asked |= inside
    assert (hard.sum(dim=0).numpy() == asked).all()  # one owner wherever anybody asked, none elsewhere
    soft = build_regions(claims, size, people=len(claims), soft_edge=soft_edge)
    assert soft.min() >= 0
    assert soft.sum(dim=0).max() <= 1


@settings(max_examples=25, deadline=None)
@given(
    people=st.lists(
        st.tuples(st.floats(-50, 650), st.floats(-100, 300), st.floats(5, 900), st.sampled_from([0.0, 1.0])),
        min_size=1, max_size=4,
    ),
    soft_edge=st.sampled_from([0.0, 0.02, 0.5]),
)  # fmt: skip
def test_random_people_never_share_a_pixel(people: list[tuple[float, float, float, float]], soft_edge: float) -> None:
    places = [standing(x, crown=crown, stature=stature, depth=depth) for x, crown, stature, depth in people]
    regions, refusal = build_or_refuse(claims_of(places), SIZE, soft_edge=soft_edge)
    if regions is None:
        assert "cover it all" in refusal or "inside the picture" in refusal
        return
    assert regions.sum(dim=0).max() <= 1


FIRST = Claim(0, region=Box(0, 0, 300, 400))


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ([Claim(0, region=Box(500, 0, 601, 400), name="ada")], r"people\[0\] \(ada\) inside .* 600x400 .*601"),
        ([Claim(0, region=Box(-1, 0, 50, 50))], r"people\[0\] inside"),
        ([Claim(None, region=Box(0, 0, 50, 500))], "an extra inside"),
        ([Claim(0, region=Box(1.1, 1.1, 1.4, 1.4))], "at least one pixel"),
        ([Claim(0, region=np.zeros((400, 600)), name="ada")], r"at least one pixel for people\[0\] \(ada\)"),
        ([Claim(0, region=(PAINTED * 1))], "at least one pixel .*255"),
        ([Claim(0, region=np.ones((600, 400)))], r"600x400, for people\[0\], but got 400x600"),
        ([Claim(0, region=PIL.Image.new("L", (500, 500), 255))], "600x400, .* but got 500x500"),
        ([Claim(0, region=np.ones((400, 600, 3)))], r"\(height, width\) .* \(400, 600, 3\)"),
        ([Claim(0, region=np.ones((0, 600)))], r"\(0, 600\)"),
        ([Claim(0, region=np.full((400, 600), 1.5))], "float64 from 1.5 to 1.5"),
        ([Claim(0, region=np.full((400, 600), np.nan))], "from nan"),
        ([Claim(0, region=np.full((400, 600), -1))], "int64 from -1 to -1"),
        ([Claim(0, region=np.full((400, 600), "white"))], "but got <U5"),
        ([Claim(0, region=PIL.Image.new("I;16", (600, 400)))], "mode I;16"),
        ([FIRST, Claim(1, name="isaac")], r"people\[1\] \(isaac\), who is not alone, .* template"),
        ([FIRST, Claim(None)], "an extra, who is not alone"),
        ([Claim(0, NOWHERE, name="ada")], r"people\[0\] \(ada\) inside the picture, but no pixel"),
        ([FIRST, Claim(1, region=Box(0, 0, 300, 400), name="isaac")], r"people\[1\] \(isaac\), but those in front"),
        ([FIRST, FIRST], "one claim for each of 2 people"),
        ([FIRST, Claim(2, region=Box(0, 0, 300, 400))], "one claim for each of 2 people"),
    ],
)
def test_impossible_regions_are_named_in_one_line(claims: list[Claim], message: str) -> None:
    people = sum(claim.person is not None for claim in claims)
    with pytest.raises(RegionError, match=message) as caught:
        build_regions(claims, SIZE, people=people)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("soft_edge", [-0.1, 1.5, float("nan")])
def test_soft_edge_out_of_range(soft_edge: float) -> None:
    with pytest.raises(RegionError, match="from 0 to 1"):
        build_regions([FIRST], SIZE, people=1, soft_edge=soft_edge)


def test_inputs_are_left_alone() -> None:
    mask = PAINTED.copy()
    boxes(mask, size=Size(60, 40))
    assert (mask == PAINTED).all()


@pytest.mark.parametrize("hidden", [(), ("right_hip", "left_hip")])
def test_people_on_tiny_canvases(hidden: tuple[str, ...]) -> None:
    for size in (Size(1, 1), Size(2, 3), Size(9, 100)):
        place = Place(upright(size, x=size.width / 2, crown=0, stature=size.height, hidden=hidden))
        assert divided(place, size=size).any()


def test_canvas_beyond_is_cut_off() -> None:
    far = standing(590)
    assert far.skeleton["left_wrist"] is not None
    assert far.skeleton["left_wrist"].x > 1
    assert divided(far)[0][:, -1].any()
