"""The control image: skeletons in OpenPose's colours on black, as OpenPose ControlNets were trained on."""

import colorsys
import math

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from multiid.geometry import Size
from multiid.poses.skeleton import HAND_POINTS, LIMBS, Points, Pose, Skeleton

__all__ = ["PLACE_COLOURS", "draw_control_image", "limb_width_for", "place_colour"]

Colour = tuple[int, int, int]
Canvas = UInt8[np.ndarray, "height width 3"]

_JOINT_COLOURS: tuple[Colour, ...] = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
"""OpenPose's colours of the 18 points; each limb has its index's colour at 60 % brightness."""

_HAND_BONES = tuple(
    (0 if point % 4 == 1 else point - 1, point)  # each finger begins at the wrist
    for point in range(1, HAND_POINTS)
)
_HAND_DOT: Colour = (0, 0, 255)
_FACE_DOT: Colour = (255, 255, 255)

PLACE_COLOURS: tuple[Colour, ...] = (
    (230, 60, 60), (70, 130, 240), (250, 190, 40), (60, 190, 90), (190, 90, 230), (60, 210, 220),
    (250, 130, 190), (190, 130, 70), (170, 220, 60), (120, 120, 250), (250, 140, 60), (0, 140, 130),
    (220, 190, 250), (170, 40, 100), (250, 240, 150), (160, 160, 160),
)  # fmt: skip
"""One colour per place, for face markers and previews; they repeat after sixteen."""


def place_colour(index: int) -> Colour:
    """The colour of the place at `index`, counted from 0."""
    return PLACE_COLOURS[index % len(PLACE_COLOURS)]


def limb_width_for(size: Size, share: float) -> int:
    """Half a limb's thickness in pixels: a share of the side of a square with the picture's area, at least 1.

    OpenPose's own 4 pixels are made for pictures of about 512 pixels, a share of 0.0078. The SDXL model of xinsir
    was trained on limbs three times as thick at 1024 pixels, a share of 0.0117.
    """
    return max(1, round(share * math.sqrt(size.width * size.height)))


def draw_control_image(
    pose: Pose,
    *,
    size: Size | None = None,
    limb_width: int = 4,
    joint_radius: int | None = None,
    face_markers: bool = False,
) -> Image.Image:
    """All skeletons of `pose` on black, farther people first, so that nearer ones cover them.

    With the default widths each skeleton is, pixel for pixel, what controlnet_aux draws, hands and face included.

    Args:
        pose: the places; a skeleton's unseen points, and limbs that end in one, are left out.
        size: of the picture in pixels; the pose is letterboxed onto another shape. Default: the pose's own.
        limb_width: half of a limb's thickness in pixels, see `limb_width_for`; the fingers' lines, where a skeleton
            has hands, keep in proportion.
        joint_radius: of the joints' dots in pixels; the face's dots keep in proportion. Default: as `limb_width`.
        face_markers: fill each face with its place's colour, so that the ControlNet sees who is where
            (InstantFamily, section 4.2).

    Returns:
        An RGB picture of `size`.

    Raises:
        ValueError: when a width is below 1.
    """
    radius = limb_width if joint_radius is None else joint_radius
    if limb_width < 1 or radius < 1:
        raise ValueError(f"Expected a limb width and a joint radius of at least 1, but got {limb_width} and {radius}.")
    if size is not None:
        pose = pose.fitted(size)
    canvas = np.zeros((pose.size.height, pose.size.width, 3), dtype=np.uint8)
    far_to_near = sorted(enumerate(pose.places), key=lambda item: -item[1].depth)
    for index, place in far_to_near:
        if face_markers:
            _draw_face_marker(canvas, place.skeleton, place_colour(index))
        _draw_skeleton(canvas, place.skeleton, limb_width=limb_width, joint_radius=radius)
        for hand in (place.skeleton.left_hand, place.skeleton.right_hand):
            _draw_hand(canvas, hand or (), line_width=max(1, round(limb_width / 2)), joint_radius=radius)
        _draw_face(canvas, place.skeleton.face or (), radius=max(1, round(radius * 3 / 4)))
    return Image.fromarray(canvas)


def _draw_skeleton(canvas: Canvas, skeleton: Skeleton, *, limb_width: int, joint_radius: int) -> None:
    """Limbs are ellipses between their joints, joints are dots on top. All numbers are cut, not rounded, to whole
    pixels and degrees, because that is what the ControlNets saw in training."""
    import cv2

    height, width = canvas.shape[:2]
    for (start, end), colour in zip(LIMBS, _JOINT_COLOURS, strict=False):
        a, b = skeleton[start], skeleton[end]
        if a is None or b is None:
            continue
        ax, ay, bx, by = a.x * width, a.y * height, b.x * width, b.y * height
        centre = (int((ax + bx) / 2), int((ay + by) / 2))
        axes = (int(math.hypot(ax - bx, ay - by) / 2), limb_width)
        slope = int(math.degrees(math.atan2(ay - by, ax - bx)))
        outline = np.asarray(cv2.ellipse2Poly(centre, axes, slope, 0, 360, 1), dtype=np.int32)
        cv2.fillConvexPoly(canvas, outline, [int(channel * 0.6) for channel in colour])
    for point, colour in zip(skeleton.points, _JOINT_COLOURS, strict=True):
        if point is not None:
            cv2.circle(canvas, (int(point.x * width), int(point.y * height)), joint_radius, colour, thickness=-1)


def _draw_hand(canvas: Canvas, points: Points, *, line_width: int, joint_radius: int) -> None:
    """Lines of a rainbow's colours along the fingers, blue dots on top."""
    import cv2

    places = _pixels(canvas, points)
    for index, (start, end) in enumerate(_HAND_BONES if points else ()):
        a, b = places[start], places[end]
        if a is not None and b is not None:
            rainbow = [channel * 255 for channel in colorsys.hsv_to_rgb(index / len(_HAND_BONES), 1.0, 1.0)]
            cv2.line(canvas, a, b, rainbow, thickness=line_width)
    for place in places:
        if place is not None:
            cv2.circle(canvas, place, joint_radius, _HAND_DOT, thickness=-1)


def _draw_face(canvas: Canvas, points: Points, *, radius: int) -> None:
    """White dots."""
    import cv2

    for place in _pixels(canvas, points):
        if place is not None:
            cv2.circle(canvas, place, radius, _FACE_DOT, thickness=-1)


def _pixels(canvas: Canvas, points: Points) -> list[tuple[int, int] | None]:
    """Points of a hand or a face in whole pixels. Those in the first row or column count as unseen, as everywhere
    in controlnet_aux, whose readers of hands and faces say 0 for what they do not find."""
    height, width = canvas.shape[:2]
    places = [None if point is None else (int(point.x * width), int(point.y * height)) for point in points]
    return [place if place is not None and min(place) > 0 else None for place in places]


def _draw_face_marker(canvas: Canvas, skeleton: Skeleton, colour: Colour) -> None:
    """A filled ellipse that touches the sides of the face box; nothing where no face is seen."""
    import cv2

    height, width = canvas.shape[:2]
    box = skeleton.face_box(Size(width, height))
    if box is not None:
        centre = (round(box.centre[0]), round(box.centre[1]))
        axes = (max(1, round(box.width / 2)), max(1, round(box.height / 2)))
        cv2.ellipse(canvas, centre, axes, 0, 0, 360, colour, thickness=-1)
