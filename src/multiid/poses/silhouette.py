"""A skeleton's outline in pixels: limbs and trunk thickened in proportion to the body, and the head.

Everything is measured in torso lengths (neck to the middle of the hips, about half a metre in an adult), so a
child beside an adult gets a child's limbs. Neck, shoulders and hips that are unseen are put where the seen
points suggest, and legs go on to the picture's edge, so somebody cut by it still owns what is left of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from multiid.geometry import Box, Size
from multiid.poses.skeleton import JOINTS, Joint, Skeleton

__all__ = ["FACE_MARGIN", "Segment", "Silhouette", "outline", "whole_joints"]

FACE_MARGIN = 0.25
"""InstantFamily (section 3.4) widens face boxes by this share before it masks attention with them."""

Segment = tuple[tuple[float, float], tuple[float, float]]
"""A straight line between two points (x, y) in pixels; a single point where both are the same."""

_Vector = Float64[np.ndarray, "2"]
_Joints = Mapping[Joint, _Vector]
_Canvas = UInt8[np.ndarray, "height width"]

# How thick clothed limbs are, in torso lengths.
_THICKNESS: dict[tuple[Joint, Joint], float] = {
    ("right_shoulder", "right_elbow"): 0.28, ("left_shoulder", "left_elbow"): 0.28,
    ("right_elbow", "right_wrist"): 0.24, ("left_elbow", "left_wrist"): 0.24,
    ("right_hip", "right_knee"): 0.40, ("left_hip", "left_knee"): 0.40,
    ("right_knee", "right_ankle"): 0.30, ("left_knee", "left_ankle"): 0.30,
}  # fmt: skip
# Hands and feet: how far they reach beyond the limb's last joint, and how thick they are.
_TIPS: dict[tuple[Joint, Joint], tuple[float, float]] = {
    ("right_elbow", "right_wrist"): (0.20, 0.26), ("left_elbow", "left_wrist"): (0.20, 0.26),
    ("right_knee", "right_ankle"): (0.12, 0.40), ("left_knee", "left_ankle"): (0.12, 0.40),
}  # fmt: skip
_NECK_THICKNESS = 0.34
_TRUNK_RIM = 0.32  # flesh and cloth around the polygon of shoulders and hips
_TRUNK_DEPTH = 0.56  # the trunk of somebody seen from the side

# Torso lengths per length of something else. The largest estimate wins, as foreshortening only ever shortens;
# a head counts as a toddler's, the least torso that goes with it, unless it is all that is seen.
_PER_SHOULDERS = 1.35
_PER_TODDLER_HEAD = 2.0
_PER_ADULT_HEAD = 3.0
_PER_LIMB: dict[tuple[Joint, Joint], float] = {
    ("right_shoulder", "right_elbow"): 1.6, ("left_shoulder", "left_elbow"): 1.6,
    ("right_elbow", "right_wrist"): 2.0, ("left_elbow", "left_wrist"): 2.0,
    ("right_hip", "right_knee"): 1.2, ("left_hip", "left_knee"): 1.2,
    ("right_knee", "right_ankle"): 1.2, ("left_knee", "left_ankle"): 1.2,
}  # fmt: skip
_SHOULDERS_PER_TORSO = 0.73
_HIPS_PER_SHOULDERS = 0.55
_LEG_HALF_PER_TORSO = 0.80  # thigh and shin alike
_NECK_BELOW_HEAD = 1.25  # head widths
_HAIR = 0.20  # head widths that hair stands above the widened face box

_SUBPIXEL_BITS = 4
_THICKEST = 32767  # pixels of a line that OpenCV draws, wider than any canvas


@dataclass(frozen=True, eq=False)
class Silhouette:
    """Where one skeleton's person is on a canvas.

    Attributes:
        body: limbs, trunk and neck; True inside.
        head: the head box with its margin, rounded, and hair; True inside, all False where no head is seen.
        spine: from the neck to between the hips, in pixels; it may reach beyond the canvas. None where no neck can be
            told, as of a lone arm.
        head_centre: the middle of the head in pixels, from behind too, or None where no head is seen.
    """

    body: Bool[np.ndarray, "height width"]
    head: Bool[np.ndarray, "height width"]
    spine: Segment | None
    head_centre: tuple[float, float] | None


def outline(skeleton: Skeleton, size: Size) -> Silhouette:
    """Draw a skeleton's person on a canvas of `size`; what lies beyond the canvas is cut off."""
    box = skeleton.head_box(size)
    joints, torso = whole_joints(skeleton, size)

    body = np.zeros((size.height, size.width), np.uint8)
    head = np.zeros_like(body)
    neck = joints.get("neck")
    if neck is not None:
        _draw_trunk(body, neck, joints, torso)
    for (start, end), thickness in _THICKNESS.items():
        if start in joints and end in joints:
            _draw_line(body, joints[start], joints[end], thickness * torso)
    for (start, end), (reach, thickness) in _TIPS.items():
        if start in joints and end in joints:
            tip = joints[end] + _unit(joints[end] - joints[start]) * (reach * torso)
            _draw_line(body, joints[end], tip, thickness * torso)
    if box is not None and neck is not None:
        _draw_line(body, neck, np.array(box.centre), _NECK_THICKNESS * torso)
        _fill(head, _head_shape(box, neck))

    spine = None if neck is None else (_pair(neck), _pair((joints["right_hip"] + joints["left_hip"]) / 2))
    return Silhouette(body > 0, head > 0, spine, None if box is None else box.centre)


def whole_joints(skeleton: Skeleton, size: Size) -> tuple[_Joints, float]:
    """The joints in pixels, with those added that can be told though they are unseen (see the module); and the torso.

    Returns:
        The joints by name, and the torso's length in pixels as it would be without foreshortening, 0 where nothing
        tells it.
    """
    seen = {
        joint: np.array([point.x * size.width, point.y * size.height])
        for joint, point in zip(JOINTS, skeleton.points, strict=True)
        if point is not None
    }
    box = skeleton.head_box(size)
    torso = _torso_length(seen, box)
    return _with_legs(_with_trunk(seen, box, torso), size, torso), torso


def _torso_length(seen: _Joints, box: Box | None) -> float:
    """The torso's length in pixels, as it would be without foreshortening; 0 where nothing tells."""
    lengths: list[float] = []
    neck, hips = _neck(seen), _middle(seen, "right_hip", "left_hip")
    if neck is not None and hips is not None:
        lengths.append(_length(hips - neck))
    if "right_shoulder" in seen and "left_shoulder" in seen:
        lengths.append(_length(seen["left_shoulder"] - seen["right_shoulder"]) * _PER_SHOULDERS)
    if box is not None:
        lengths.append(box.width * (_PER_TODDLER_HEAD if lengths else _PER_ADULT_HEAD))
    if not lengths:
        lengths = [
            _length(seen[end] - seen[start]) * share
            for (start, end), share in _PER_LIMB.items()
            if start in seen and end in seen
        ]
    return max(lengths, default=0.0)


def _with_trunk(seen: _Joints, box: Box | None, torso: float) -> _Joints:
    """The seen joints and, where the neck can be told, also the shoulders and hips that are unseen."""
    neck = _neck(seen)
    if neck is None and box is not None:
        neck = np.array(box.centre) + np.array([0.0, box.width * _NECK_BELOW_HEAD])
    if neck is None:
        return seen
    from_head = neck - np.array(box.centre) if box is not None else np.array([0.0, 1.0])
    hips = _middle(seen, "right_hip", "left_hip")

    right, left = seen.get("right_shoulder"), seen.get("left_shoulder")
    if right is None:
        down = _unit(from_head if hips is None else hips - neck)
        half = _square_to(down) * (_SHOULDERS_PER_TORSO * torso / 2)
        right = neck - half if left is None else 2 * neck - left
    if left is None:
        left = 2 * neck - right

    across = (left - right) * _HIPS_PER_SHOULDERS
    if hips is None:
        # Square to the shoulders as far as they face the camera, else straight on from the head.
        square = _square_to(left - right)
        down = _unit(from_head + square * math.copysign(1.0, float(square @ from_head)))
        hips = neck + down * torso
        right_hip, left_hip = hips - across / 2, hips + across / 2
    else:
        right_hip = seen["right_hip"] if "right_hip" in seen else seen["left_hip"] - across
        left_hip = seen["left_hip"] if "left_hip" in seen else seen["right_hip"] + across
    trunk = {
        "neck": neck, "right_shoulder": right, "left_shoulder": left, "right_hip": right_hip, "left_hip": left_hip
    }  # fmt: skip
    return {**seen, **trunk}


def _with_legs(joints: _Joints, size: Size, torso: float) -> _Joints:
    """Also the knees and ankles that can only be unseen because they lie beyond the canvas: straight on they would."""
    if not {"neck", "right_hip", "left_hip"} <= joints.keys():
        return joints
    legs = dict(joints)
    down = _unit((joints["right_hip"] + joints["left_hip"]) / 2 - joints["neck"])
    for side in ("right", "left"):
        hip, knee, ankle = f"{side}_hip", f"{side}_knee", f"{side}_ankle"
        if knee not in legs:
            beyond = legs[hip] + down * (_LEG_HALF_PER_TORSO * torso)
            if not _inside(beyond, size):
                legs[knee] = beyond
        if knee in legs and ankle not in legs:
            beyond = legs[knee] + _unit(legs[knee] - legs[hip]) * (_LEG_HALF_PER_TORSO * torso)
            if not _inside(beyond, size):
                legs[ankle] = beyond
    return legs


def _neck(seen: _Joints) -> _Vector | None:
    """The neck, which lies between the shoulders where it is not seen itself."""
    if "neck" in seen:
        return seen["neck"]
    both = "right_shoulder" in seen and "left_shoulder" in seen
    return _middle(seen, "right_shoulder", "left_shoulder") if both else None


def _middle(seen: _Joints, *joints: Joint) -> _Vector | None:
    """The mean of those of the joints that are seen."""
    points = [seen[joint] for joint in joints if joint in seen]
    return np.mean(points, axis=0) if points else None


def _draw_trunk(canvas: _Canvas, neck: _Vector, joints: _Joints, torso: float) -> None:
    corners = [joints[name] for name in ("right_shoulder", "left_shoulder", "left_hip", "right_hip")]
    hips = (joints["right_hip"] + joints["left_hip"]) / 2
    # A body seen from the side has its shoulders and hips in a line: its depth is drawn along the spine.
    inset = _unit(hips - neck) * (_TRUNK_DEPTH - _TRUNK_RIM) / 2 * torso
    _draw_line(canvas, neck + inset, hips, _TRUNK_DEPTH * torso)
    _fill(canvas, np.array(corners))
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        _draw_line(canvas, start, end, _TRUNK_RIM * torso)


def _head_shape(box: Box, neck: _Vector) -> Float64[np.ndarray, "corners 2"]:
    """A rounded box around the head with its margin and hair, upright along the line from neck to head."""
    centre = np.array(box.centre)
    up = _unit(centre - neck)
    wide = box.expanded(FACE_MARGIN)
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    # Rounder than a box and fuller than an ellipse, which the corners of the bare face box would stick out of.
    sides, heights = (np.sign(f(angles)) * np.abs(f(angles)) ** 0.6 for f in (np.cos, np.sin))
    reach = np.where(heights > 0, wide.height / 2 + _HAIR * box.width, wide.height / 2)
    return centre + np.outer(sides * wide.width / 2, _square_to(up)) + np.outer(heights * reach, up)


def _draw_line(canvas: _Canvas, start: _Vector, end: _Vector, thickness: float) -> None:
    """A line with round ends; nothing at all where its thickness is 0."""
    import cv2

    if thickness > 0:
        pixels = min(max(1, round(thickness)), _THICKEST)
        cv2.line(canvas, _subpixel(start), _subpixel(end), 1, pixels, cv2.LINE_8, _SUBPIXEL_BITS)


def _fill(canvas: _Canvas, corners: Float64[np.ndarray, "corners 2"]) -> None:
    """The convex hull of some points."""
    import cv2

    points = np.array([_subpixel(corner) for corner in corners], np.int32)
    cv2.fillConvexPoly(canvas, cv2.convexHull(points), 1, cv2.LINE_8, _SUBPIXEL_BITS)


def _subpixel(point: _Vector) -> tuple[int, int]:
    """OpenCV's fixed-point form of a point; it counts from the middle of the first pixel, not from its corner."""
    x, y = np.round((point - 0.5) * (1 << _SUBPIXEL_BITS))
    return int(x), int(y)


def _square_to(vector: _Vector) -> _Vector:
    """The vector turned by a quarter, as from down to right."""
    return np.array([vector[1], -vector[0]])


def _inside(point: _Vector, size: Size) -> bool:
    x, y = _pair(point)
    return 0 <= x < size.width and 0 <= y < size.height


def _length(vector: _Vector) -> float:
    return float(np.hypot(vector[0], vector[1]))


def _unit(vector: _Vector) -> _Vector:
    """The vector at length 1; straight down where it has no length, which is where people's feet are."""
    length = _length(vector)
    return vector / length if length > 0 else np.array([0.0, 1.0])


def _pair(point: _Vector) -> tuple[float, float]:
    return float(point[0]), float(point[1])
