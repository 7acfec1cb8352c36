"""Which part of a pose's canvas another picture shows: the rectangle that becomes the whole of a new canvas."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from multiid.geometry import Box, Size
from multiid.poses.skeleton import JOINTS, Joint, Place, Pose

__all__ = ["Framing", "View", "canvas_view", "framing_view", "place_box"]

Framing = Literal["wide", "full", "medium", "close-up"]
"""How much of the people is seen: all there is, head to toe, head to waist, head and shoulders."""

_UPPER: tuple[Joint, ...] = tuple(joint for joint in JOINTS if not joint.endswith(("hip", "knee", "ankle")))
_HEAD: tuple[Joint, ...] = ("nose", "neck", "right_eye", "left_eye", "right_ear", "left_ear")
_SHOULDERS: tuple[Joint, ...] = ("neck", "right_shoulder", "left_shoulder")
_HIPS: tuple[Joint, ...] = ("right_hip", "left_hip")

# Shares of the face's box, from brow to chin and ear to ear.
_AROUND = 0.3  # left free around a face where there is room
_HAIR = 0.45  # above it
_CROWN = 0.6  # above it on a canvas that is cut down, so that hair that stands up stays whole
_CHEST = 0.6  # beneath the shoulders in a close-up
_BENEATH = 0.4  # beneath the lowest point otherwise
_BESIDE = 0.35  # beside the outermost point
_WAIST = 3.0  # beneath a face without hips
_HEADROOM = 1 / 3  # of the height to spare goes above the heads


@dataclass(frozen=True)
class View:
    """A rectangle in pixels of a pose's canvas, of the new canvas's aspect ratio; it may reach beyond the old one.

    Attributes:
        left: of the rectangle.
        top: of the rectangle.
        width: of the rectangle.
        size: of the new canvas.
    """

    left: float
    top: float
    width: float
    size: Size

    @property
    def scale(self) -> float:
        """Pixels of the new canvas for one of the old."""
        return self.size.width / self.width

    def shows(self, place: Place, size: Size) -> bool:
        """Whether all that tells where a head is, on the old canvas of `size`, is in it: the face, if any, and neck."""
        face = place.skeleton.face_box(size)
        points = _pixels(place, size, _HEAD if face else (*_HEAD, *_SHOULDERS))
        if face is not None:
            points += [(face.left, face.top), (face.right, face.bottom)]
        right, bottom = self.left + self.width, self.top + _height(self.width, self.size)
        return all(self.left <= x <= right and self.top <= y <= bottom for x, y in points)


def canvas_view(pose: Pose, size: Size) -> View:
    """The largest people that a canvas of `size` takes without losing a face, or anything seen above the hips.

    The old canvas is cut down to the new aspect ratio where that loses neither; as much as is needed, and at most as
    much as letterboxing does, is added around it otherwise. The middle stays the middle as far as that goes.
    """
    needed = _union([_upper_part(place, pose.size) for place in pose.places], _canvas(pose.size))
    cut_down = min(pose.size.width, pose.size.height * size.width / size.height)
    width = max(cut_down, needed.width, needed.height * size.aspect)
    height = _height(width, size)
    return View(
        _slid((pose.size.width - width) / 2, width, needed.left, needed.right),
        _slid((pose.size.height - height) / 2, height, needed.top, needed.bottom),
        width,
        size,
    )


def framing_view(pose: Pose, size: Size, framing: Framing, subjects: Sequence[int]) -> View:
    """The view that shows so much of the places `subjects`, as large as a canvas of `size` takes.

    It stays on the old canvas where it can, but for subjects with points beyond it. `wide` is `canvas_view`, whoever
    the subjects are.
    """
    if framing == "wide":
        return canvas_view(pose, size)
    parts = {index: _part(pose.places[index], pose.size, framing) for index in subjects}
    bounds = _canvas(pose.size)
    for index, part in parts.items():
        if _grown(_canvas(pose.size), _pixels(pose.places[index], pose.size, JOINTS)) != _canvas(pose.size):
            bounds = _grown(bounds, [(part.left, part.top), (part.right, part.bottom)])
    needed = _union(list(parts.values()), bounds)
    width = max(needed.width, needed.height * size.aspect)
    height = _height(width, size)
    return View(
        _kept_on((needed.left + needed.right - width) / 2, width, bounds.left, bounds.right),
        _kept_on(needed.top - (height - needed.height) * _HEADROOM, height, bounds.top, bounds.bottom),
        width,
        size,
    )


def place_box(place: Place, size: Size) -> Box:
    """The head of a place in pixels; where none is seen, a box of a pixel in the middle of what is."""
    head = place.skeleton.head_box(size)
    if head is not None:
        return head
    points = _pixels(place, size, JOINTS) or [(size.width / 2, size.height / 2)]
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return Box(x - 0.5, y - 0.5, x + 0.5, y + 0.5)


def _upper_part(place: Place, size: Size) -> Box:
    """What of a place no canvas may lose."""
    face = place_box(place, size)
    around = face.expanded(2 * _AROUND)
    crown = (face.centre[0], face.top - _CROWN * face.height)
    return _grown(around, [crown, *_pixels(place, size, _UPPER)])


def _part(place: Place, size: Size, framing: Framing) -> Box:
    """What a framing shows of a place."""
    face = place_box(place, size)
    tall, beside = face.height, face.width * _BESIDE
    shoulders, hips, all_seen = (_pixels(place, size, joints) for joints in (_SHOULDERS, _HIPS, JOINTS))
    if framing == "close-up":
        bottom = max((y for _, y in shoulders), default=face.bottom) + _CHEST * tall
    elif framing == "medium":
        bottom = max((y for _, y in hips), default=face.bottom + _WAIST * tall)
    else:
        bottom = max((y for _, y in all_seen), default=face.bottom) + _BENEATH * tall
    head = Box(face.left, face.top - _HAIR * tall, face.right, max(bottom, face.bottom))
    across = [x for x, _ in (all_seen if framing == "full" else shoulders)]
    return Box(min([head.left, *across]) - beside, head.top, max([head.right, *across]) + beside, head.bottom)


def _pixels(place: Place, size: Size, joints: Sequence[Joint]) -> list[tuple[float, float]]:
    points = (place.skeleton[joint] for joint in joints)
    return [(point.x * size.width, point.y * size.height) for point in points if point is not None]


def _grown(box: Box, points: Sequence[tuple[float, float]]) -> Box:
    """The box, grown to hold the points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Box(min([box.left, *xs]), min([box.top, *ys]), max([box.right, *xs]), max([box.bottom, *ys]))


def _canvas(size: Size) -> Box:
    return Box(0.0, 0.0, float(size.width), float(size.height))


def _union(boxes: Sequence[Box], bounds: Box) -> Box:
    """What holds all boxes, as far as it is within the bounds; a pixel in their middle where there is none."""
    if not boxes:
        x, y = bounds.centre
        return Box(x - 0.5, y - 0.5, x + 0.5, y + 0.5)
    return Box(
        max(min(box.left for box in boxes), bounds.left),
        max(min(box.top for box in boxes), bounds.top),
        min(max(box.right for box in boxes), bounds.right),
        min(max(box.bottom for box in boxes), bounds.bottom),
    )


def _height(width: float, size: Size) -> float:
    """Of a rectangle as wide and of the aspect ratio of `size`; of the same ratio, and as wide, it is as high."""
    return width * size.height / size.width


def _slid(start: float, length: float, first: float, last: float) -> float:
    """Where a stretch of that length begins, as near to `start` as it can while it holds `first` and `last`."""
    return min(max(start, last - length), first)


def _kept_on(start: float, length: float, first: float, last: float) -> float:
    """Where a stretch begins so that it stays between `first` and `last`, or covers both where it is longer."""
    return min(max(start, min(first, last - length)), max(first, last - length))
