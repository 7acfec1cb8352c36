"""The control image: skeletons in OpenPose's colours on black, as OpenPose ControlNets were trained on."""

import math

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from multiid.geometry import Size
from multiid.poses.skeleton import LIMBS, Pose, Skeleton

__all__ = ["PLACE_COLOURS", "draw_control_image", "limb_width_for", "place_colour"]

Colour = tuple[int, int, int]
Canvas = UInt8[np.ndarray, "height width 3"]

_JOINT_COLOURS: tuple[Colour, ...] = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
"""OpenPose's colours of the 18 points; each limb has its index's colour at 60 % brightness."""

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

    With the default widths each skeleton is, pixel for pixel, what controlnet_aux draws.

    Args:
        pose: the places; a skeleton's unseen points, and limbs that end in one, are left out.
        size: of the picture in pixels; the pose is letterboxed onto another shape. Default: the pose's own.
        limb_width: half of a limb's thickness in pixels; see `limb_width_for`.
        joint_radius: of the joints' dots in pixels. Default: as `limb_width`.
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


def _draw_face_marker(canvas: Canvas, skeleton: Skeleton, colour: Colour) -> None:
    """A filled ellipse that touches the sides of the face box; nothing where no face is seen."""
    import cv2

    height, width = canvas.shape[:2]
    box = skeleton.face_box(Size(width, height))
    if box is not None:
        centre = (round(box.centre[0]), round(box.centre[1]))
        axes = (max(1, round(box.width / 2)), max(1, round(box.height / 2)))
        cv2.ellipse(canvas, centre, axes, 0, 0, 360, colour, thickness=-1)
