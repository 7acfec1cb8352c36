import numpy as np
import pytest
from figures import upright

from multiid.geometry import Point, Size
from multiid.poses.body import Body
from multiid.poses.silhouette import FACE_MARGIN, Silhouette, outline
from multiid.poses.skeleton import JOINTS, Skeleton

SIZE = Size(600, 800)
ARMS_AND_LEGS = tuple(joint for joint in JOINTS if joint.endswith(("elbow", "wrist", "knee", "ankle")))
LEGS = tuple(joint for joint in JOINTS if joint.endswith(("hip", "knee", "ankle")))
NOT_THE_FACE = tuple(joint for joint in JOINTS if not joint.endswith(("nose", "eye", "ear")))


def whole(silhouette: Silhouette) -> np.ndarray:
    return silhouette.body | silhouette.head


def run_of(row: np.ndarray, start: int) -> int:
    """How many pixels in a row are True around `start`."""
    assert row[start]
    left, right = start, start
    while left > 0 and row[left - 1]:
        left -= 1
    while right + 1 < len(row) and row[right + 1]:
        right += 1
    return right - left + 1


def test_every_seen_point_is_inside() -> None:
    skeleton = upright(SIZE, x=300, crown=40, stature=700)
    inside = whole(outline(skeleton, SIZE))
    for joint, point in zip(JOINTS, skeleton.points, strict=True):
        assert point is not None
        assert inside[int(point.y * SIZE.height), int(point.x * SIZE.width)], joint


def test_trunk_is_filled_and_the_background_is_not() -> None:
    inside = whole(outline(upright(SIZE, x=300, crown=40, stature=700), SIZE))
    assert inside[200:380, 270:330].all()
    assert not inside[:, :120].any()
    assert not inside[:, 480:].any()
    assert not inside[590:640, 300].any()  # between the shins
    share = inside.mean()
    print(f"a person of 700 x 800 pixels covers {share:.3f} of 600 x 800")
    assert 0.1 < share < 0.3


def test_wide_trunk_has_no_hole() -> None:
    skeleton = upright(SIZE, x=300, crown=40, stature=700, hidden=ARMS_AND_LEGS)
    points = list(skeleton.points)
    points[JOINTS.index("right_hip")], points[JOINTS.index("left_hip")] = Point(0.2, 0.6), Point(0.8, 0.6)
    body = outline(Skeleton(tuple(points)), SIZE).body
    assert body[430, 180:420].all()


def test_face_box_with_its_margin_and_hair_above() -> None:
    skeleton = upright(SIZE, x=300, crown=40, stature=700)
    head = outline(skeleton, SIZE).head
    face = skeleton.face_box(SIZE)
    assert face is not None
    left, top, right, bottom = (round(corner) for corner in face.corners)
    assert head[top:bottom, left:right].all()
    wide = face.expanded(FACE_MARGIN)
    ys, xs = np.nonzero(head)
    assert xs.min() == pytest.approx(wide.left, abs=2)
    assert xs.max() == pytest.approx(wide.right, abs=2)
    assert ys.max() == pytest.approx(wide.bottom, abs=2)
    assert ys.min() < wide.top - 5
    assert ys.min() < 40  # the crown


def test_neck_joins_head_and_trunk() -> None:
    import cv2

    inside = whole(outline(upright(SIZE, x=300, crown=40, stature=700), SIZE))
    parts, _ = cv2.connectedComponents(inside.astype(np.uint8))
    assert parts == 2  # the background and one person
    assert inside[60:300, 300].all()


def test_tilted_head_is_drawn_along_the_neck() -> None:
    skeleton = upright(SIZE, x=300, crown=40, stature=700)
    lying = skeleton.moved(lambda p: Point(p.y * SIZE.height / SIZE.width, p.x * SIZE.width / SIZE.height))
    ys, xs = np.nonzero(outline(lying, SIZE).head)
    assert np.ptp(xs) > 1.2 * np.ptp(ys)


def test_childs_limbs_are_thinner_beside_an_adult_with_as_large_a_head() -> None:
    adult = outline(upright(SIZE, x=300, crown=40, stature=700), SIZE)
    child = outline(upright(SIZE, x=300, crown=340, stature=400, head=1.6), SIZE)
    adult_shin, child_shin = run_of(adult.body[640], 262), run_of(child.body[340 + 343], 278)
    print(f"shins: adult {adult_shin} px, child {child_shin} px")
    assert child_shin < 0.65 * adult_shin
    head_widths = [np.ptp(np.nonzero(s.head)[1]) for s in (adult, child)]
    assert head_widths[1] > 0.85 * head_widths[0]


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_outline_grows_with_the_canvas(scale: float) -> None:
    skeleton = upright(SIZE, x=300, crown=40, stature=700)
    shares = [
        whole(outline(skeleton, size)).mean()
        for size in (SIZE, Size(int(SIZE.width * scale), int(SIZE.height * scale)))
    ]
    assert shares[1] == pytest.approx(shares[0], rel=0.03)


def test_mirrored_person_has_the_mirrored_outline() -> None:
    skeleton = upright(SIZE, x=250, crown=40, stature=700, hidden=("left_knee", "left_wrist"))
    mirrored = skeleton.moved(lambda p: Point(1 - p.x, p.y))
    here, there = whole(outline(skeleton, SIZE)), whole(outline(mirrored, SIZE))[:, ::-1]
    assert (here != there).mean() < 0.005


def test_selfie_without_hips_owns_the_trunk_down_to_the_edge() -> None:
    skeleton = upright(SIZE, x=300, crown=100, stature=1800, hidden=LEGS)
    inside = whole(outline(skeleton, SIZE))
    assert inside[-1, 150:450].all()


def test_hidden_hips_are_put_a_torso_below_the_neck() -> None:
    seen = upright(SIZE, x=300, crown=40, stature=700, hidden=ARMS_AND_LEGS)
    hidden = upright(SIZE, x=300, crown=40, stature=700, hidden=(*LEGS, *ARMS_AND_LEGS))
    bottoms = [int(np.nonzero(outline(s, SIZE).body)[0].max()) for s in (seen, hidden)]
    print(f"trunk ends at {bottoms[0]} with hips, at {bottoms[1]} without")
    assert bottoms[1] == pytest.approx(bottoms[0], abs=0.04 * 700)


def test_trunk_without_hips_follows_the_bodys_axis() -> None:
    skeleton = upright(SIZE, x=300, crown=40, stature=700, hidden=(*LEGS, *ARMS_AND_LEGS))
    lying = skeleton.moved(lambda p: Point(p.y * SIZE.height / SIZE.width, p.x * SIZE.width / SIZE.height))
    ys, xs = np.nonzero(outline(lying, SIZE).body)
    assert np.ptp(xs) > 1.2 * np.ptp(ys)
    assert xs.max() > 0.6 * 600


def test_legs_cut_by_the_edge_reach_it_but_hidden_ones_are_not_made_up() -> None:
    legs = tuple(joint for joint in LEGS if not joint.endswith("hip"))
    cut = outline(upright(SIZE, x=300, crown=40, stature=1300, hidden=legs), SIZE)
    assert cut.body[-1, int(300 - 0.055 * 1300)]
    behind_table = outline(upright(SIZE, x=300, crown=40, stature=700, hidden=legs), SIZE)
    assert not behind_table.body[550:].any()


@pytest.mark.parametrize(
    "hidden",
    [("neck",), ("right_shoulder",), ("left_shoulder",), ("right_shoulder", "left_shoulder"), ("left_hip",),
     ("right_hip",), ("nose", "right_eye", "left_eye", "right_ear", "left_ear"), ("right_ear", "right_eye")],
)  # fmt: skip
def test_one_missing_point_changes_little(hidden: tuple[str, ...]) -> None:
    full = outline(upright(SIZE, x=300, crown=40, stature=700), SIZE)
    part = outline(upright(SIZE, x=300, crown=40, stature=700, hidden=hidden), SIZE)
    trunk = slice(170, 420)
    same = (full.body[trunk] & part.body[trunk]).sum() / (full.body[trunk] | part.body[trunk]).sum()
    print(f"without {' and '.join(hidden)} the trunk agrees to {same:.3f}")
    assert same > 0.85


def test_face_alone_has_a_body_beneath() -> None:
    silhouette = outline(upright(SIZE, x=300, crown=40, stature=700, hidden=NOT_THE_FACE), SIZE)
    assert silhouette.head.any()
    assert silhouette.body[200:350, 300].all()


def test_arm_alone_is_drawn_and_nothing_else() -> None:
    rest = tuple(joint for joint in JOINTS if joint not in ("left_shoulder", "left_elbow", "left_wrist"))
    skeleton = upright(SIZE, x=300, crown=40, stature=700, hidden=rest)
    silhouette = outline(skeleton, SIZE)
    assert silhouette.head_centre is None
    assert silhouette.spine is None
    assert not silhouette.head.any()
    assert silhouette.body[40 + 260, 300 + 85]
    assert silhouette.body.mean() < 0.05


def test_head_seen_from_behind_is_part_of_its_person() -> None:
    seen = {}
    for turn in (0.0, 180.0):
        body = Body(height=0.85, feet=Point(0.5, 0.95), turn=turn, head_turn=turn)
        seen[turn] = outline(body.skeleton(SIZE), SIZE)
    front, back = seen[0.0], seen[180.0]
    same = (whole(front) & whole(back)).sum() / (whole(front) | whole(back)).sum()
    heads = (front.head & back.head).sum() / (front.head | back.head).sum()
    print(f"from behind the outline agrees to {same:.3f}, required 0.9, the head to {heads:.3f}, required 0.75")
    assert same > 0.9
    assert heads > 0.75
    assert back.head_centre == pytest.approx(front.head_centre, abs=12)


def test_unseen_person_has_no_outline() -> None:
    silhouette = outline(Skeleton((None,) * 18), SIZE)
    assert not whole(silhouette).any()
    assert silhouette.spine is None


def test_hands_and_feet_reach_beyond_wrist_and_ankle() -> None:
    body = outline(upright(SIZE, x=300, crown=40, stature=700), SIZE).body
    assert body[40 + 361 + 50, 300 - 98]
    assert body[40 + 672 + 30, 300 - 38]


@pytest.mark.parametrize("size", [Size(1, 1), Size(3, 70), Size(640, 9)])
def test_any_canvas(size: Size) -> None:
    silhouette = outline(upright(size, x=size.width / 2, crown=0, stature=size.height), size)
    assert silhouette.body.shape == (size.height, size.width)
    assert whole(silhouette).any()
