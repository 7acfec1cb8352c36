import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from shelf import shelf_pose

from multiid.geometry import Point, Size
from multiid.poses.body import Body
from multiid.poses.draw import PLACE_COLOURS, draw_control_image, limb_width_for, place_colour
from multiid.poses.skeleton import FACE_POINTS, HAND_POINTS, JOINTS, Place, Points, Pose, Skeleton
from multiid.poses.templates import template_names

Reference = Callable[[np.ndarray, Skeleton], np.ndarray]

SIZES = [Size(512, 512), Size(1024, 1024), Size(1344, 768), Size(64, 200), Size(333, 127)]


@pytest.fixture(scope="module")
def reference() -> Reference:
    """controlnet_aux's drawing of one skeleton on a canvas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports warn of much that is not ours
        from controlnet_aux.open_pose.body import Keypoint
        from controlnet_aux.open_pose.util import draw_bodypose

    def draw(canvas: np.ndarray, skeleton: Skeleton) -> np.ndarray:
        keypoints = [None if point is None else Keypoint(point.x, point.y) for point in skeleton.points]
        return draw_bodypose(canvas, keypoints)

    return draw


@pytest.fixture(scope="module")
def full_reference() -> Reference:
    """controlnet_aux's drawing of one skeleton with hands and face on a canvas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from controlnet_aux.open_pose import PoseResult, draw_poses
        from controlnet_aux.open_pose.body import BodyResult, Keypoint

    def keypoints(points: Points | None, unseen: Any) -> Any:
        return points and [unseen if point is None else Keypoint(point.x, point.y) for point in points]

    def draw(canvas: np.ndarray, skeleton: Skeleton) -> np.ndarray:
        # It says -1 pixel of a point of a hand or a face that it does not see.
        gone = Keypoint(-1 / canvas.shape[1], -1 / canvas.shape[0])
        parts = (keypoints(part, gone) for part in (skeleton.left_hand, skeleton.right_hand, skeleton.face))
        result = PoseResult(BodyResult(keypoints(skeleton.points, None), 1.0, 18), *parts)
        return draw_poses([result], *canvas.shape[:2])

    return draw


def random_points(count: int, missing: float) -> Points:
    """Points anywhere, some a little outside the canvas, a share of them missing."""
    return tuple(
        None if random.random() < missing else Point(random.uniform(-0.1, 1.1), random.uniform(-0.1, 1.1))
        for _ in range(count)
    )


def random_skeleton(missing: float) -> Skeleton:
    return Skeleton(random_points(len(JOINTS), missing))


def standing(x: float, **place: object) -> Place:
    return Place(Body(height=0.9, feet=Point(x, 0.95)).skeleton(Size(256, 256)), **place)  # type: ignore[arg-type]


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.3, 0.8])
def test_random_skeletons_equal_controlnet_aux_in_every_pixel(reference: Reference, size: Size, missing: float):
    for _ in range(30):
        skeleton = random_skeleton(missing)
        ours = pixels(draw_control_image(Pose(size, (Place(skeleton),))))
        theirs = reference(np.zeros((size.height, size.width, 3), np.uint8), skeleton)
        assert np.array_equal(ours, theirs), f"{np.sum(ours != theirs)} values differ for {skeleton}"


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.3, 0.8])
def test_random_hands_and_faces_equal_controlnet_aux_in_every_pixel(
    full_reference: Reference, size: Size, missing: float
):
    for parts in range(8):
        hands_and_face = [
            random_points(count, missing) if parts >> index & 1 else None
            for index, count in enumerate((HAND_POINTS, HAND_POINTS, FACE_POINTS))
        ]
        skeleton = Skeleton(random_points(len(JOINTS), missing), *hands_and_face)
        ours = pixels(draw_control_image(Pose(size, (Place(skeleton),))))
        theirs = full_reference(np.zeros((size.height, size.width, 3), np.uint8), skeleton)
        assert np.array_equal(ours, theirs), f"{np.sum(ours != theirs)} values differ for {skeleton}"


def test_points_of_hands_in_the_first_row_or_column_are_unseen(full_reference: Reference):
    """controlnet_aux says 0 for what it does not find."""
    size = Size(100, 100)
    edges = (Point(0.0, 0.5), Point(0.005, 0.5), Point(0.5, 0.009), Point(0.01, 0.01))
    hand = (*edges, *[Point(0.5, 0.5)] * (HAND_POINTS - len(edges)))
    face = (*edges, *[None] * (FACE_POINTS - len(edges)))
    for part in ({"left_hand": hand}, {"face": face}):
        skeleton = Skeleton((None,) * len(JOINTS), **part)
        ours = pixels(draw_control_image(Pose(size, (Place(skeleton),))))
        assert ours.any()
        assert np.array_equal(ours, full_reference(np.zeros((100, 100, 3), np.uint8), skeleton))


def test_fingers_and_faces_grow_with_the_limbs():
    hand = tuple(Point(0.1 + 0.04 * index, 0.2 if index % 2 else 0.6) for index in range(HAND_POINTS))
    for part in ({"right_hand": hand}, {"face": (*hand, *[None] * (FACE_POINTS - HAND_POINTS))}):
        pose = Pose(Size(512, 512), (Place(Skeleton((None,) * len(JOINTS), **part)),))
        inked = [int(pixels(draw_control_image(pose, limb_width=width)).any(axis=2).sum()) for width in (1, 4, 12)]
        assert inked[0] * 2 < inked[1] < inked[2] / 2


@pytest.mark.parametrize("name", template_names())
def test_templates_equal_controlnet_aux_in_every_pixel(reference: Reference, name: str):
    pose = shelf_pose(name)
    canvas = np.zeros((pose.size.height, pose.size.width, 3), np.uint8)
    for place in sorted(pose.places, key=lambda place: -place.depth):
        canvas = reference(canvas, place.skeleton)
    assert np.array_equal(pixels(draw_control_image(pose)), canvas)


def test_coincident_points_and_whole_numbers(reference: Reference):
    size = Size(200, 100)
    skeleton = Skeleton(tuple(Point(0.5, 0.5) if index % 2 else Point(0.25, 0.5) for index in range(18)))
    ours = pixels(draw_control_image(Pose(size, (Place(skeleton),))))
    assert np.array_equal(ours, reference(np.zeros((100, 200, 3), np.uint8), skeleton))


def test_a_pose_without_points_is_black():
    image = draw_control_image(Pose(Size(96, 64), (Place(Skeleton((None,) * 18)),)), face_markers=True)
    assert image.size == (96, 64)
    assert image.mode == "RGB"
    assert not pixels(image).any()


def test_wider_limbs_cover_more_and_joints_follow_them():
    pose = Pose(Size(512, 512), (standing(0.5),))
    inked = [int((pixels(draw_control_image(pose, limb_width=width)) > 0).any(axis=2).sum()) for width in (4, 8, 12)]
    assert inked[0] * 1.8 < inked[1] < inked[2] / 1.3
    thin_joints = pixels(draw_control_image(pose, limb_width=12, joint_radius=2))
    thick_joints = pixels(draw_control_image(pose, limb_width=12))
    nose_red = np.array([255, 0, 0])
    assert (thin_joints == nose_red).all(axis=2).sum() < (thick_joints == nose_red).all(axis=2).sum() / 10


@pytest.mark.parametrize("options", [{"limb_width": 0}, {"joint_radius": 0}])
def test_widths_below_one_are_refused(options: dict[str, int]):
    with pytest.raises(ValueError, match="of at least 1, but got"):
        draw_control_image(Pose(Size(64, 64), ()), **options)


def test_the_share_of_limbs_scales_with_the_picture():
    assert limb_width_for(Size(512, 512), 4 / 512) == 4
    assert limb_width_for(Size(1024, 1024), 4 / 512) == 8
    assert limb_width_for(Size(1024, 1024), 0.0117) == 12
    assert limb_width_for(Size(1344, 768), 0.0117) == 12
    assert limb_width_for(Size(64, 64), 0.0001) == 1


def test_nearer_people_are_drawn_over_farther_ones_whatever_their_order():
    near, far = standing(0.5), standing(0.52, depth=3.0)
    size = Size(256, 256)
    both = pixels(draw_control_image(Pose(size, (near, far))))
    assert np.array_equal(both, pixels(draw_control_image(Pose(size, (far, near)))))
    alone = pixels(draw_control_image(Pose(size, (near,))))
    inked = alone.any(axis=2)
    assert np.array_equal(both[inked], alone[inked])
    assert both.any(axis=2).sum() > inked.sum()


def test_a_size_letterboxes_the_pose():
    pose = Pose(Size(256, 256), (standing(0.5),))
    wide = draw_control_image(pose, size=Size(512, 256))
    assert wide.size == (512, 256)
    assert np.array_equal(pixels(wide), pixels(draw_control_image(pose.fitted(Size(512, 256)))))
    assert not pixels(wide)[:, :128].any()


def test_face_markers_fill_each_face_in_its_places_colour():
    size = Size(512, 256)
    pose = Pose(size, tuple(Place(standing(x).skeleton, depth=depth) for x, depth in ((0.2, 1.0), (0.5, 0.0))))
    marked, plain = (pixels(draw_control_image(pose, face_markers=on)) for on in (True, False))
    for index, place in enumerate(pose.places):
        box = place.skeleton.face_box(size)
        assert box is not None
        left, top, right, bottom = (round(value) for value in box.corners)
        face = marked[top:bottom, left:right]
        covered = (face == place_colour(index)).all(axis=2).mean()
        assert covered > 0.35
        assert not (plain == place_colour(index)).all(axis=2).any()
    nose = pose.places[0].skeleton["nose"]
    assert nose is not None
    assert marked[int(nose.y * 256), int(nose.x * 512)].tolist() == [255, 0, 0], "the skeleton stays on top"


def test_place_colours_are_distinct_and_repeat():
    assert len(set(PLACE_COLOURS)) == len(PLACE_COLOURS) == 16
    assert place_colour(16) == place_colour(0)
    colours = np.array(PLACE_COLOURS, dtype=float)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)[~np.eye(16, dtype=bool)]
    print(f"closest two place colours: {apart.min():.0f} apart, required 50")
    assert apart.min() > 50
