"""Skeletons in OpenPose (COCO-18) order, and the poses they make up."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from multiid.geometry import Box, Point, Size

__all__ = ["FACE_POINTS", "FAR", "HAND_POINTS", "JOINTS", "LIMBS", "Joint", "Place", "Points", "Pose", "Skeleton"]

JOINTS = (
    "nose", "neck",
    "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle",
    "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
"""Names of the 18 points, in order. Right and left are the person's own."""

Joint = str

HAND_POINTS = 21
"""Points of a hand in OpenPose order: the wrist, then four along each finger from the thumb on, tips last."""

FACE_POINTS = 70
"""Points of a face in OpenPose order: the 68 of iBUG 300-W (jaw, brows, nose, eyes, lips), then both pupils."""

LIMBS: tuple[tuple[Joint, Joint], ...] = (
    ("neck", "right_shoulder"), ("neck", "left_shoulder"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("neck", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
    ("neck", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("neck", "nose"), ("nose", "right_eye"), ("right_eye", "right_ear"),
    ("nose", "left_eye"), ("left_eye", "left_ear"),
)  # fmt: skip
"""The 17 limbs in OpenPose's drawing order."""

# Proportions of a face, measured in head widths (ear to ear) of an upright frontal head.
_EYES_APART = 0.45
_NOSE_TO_EAR = 0.89  # of a turned head, from 30 to 90 degrees within a tenth
_NECK_TO_NOSE = 1.25
_NECK_TO_EAR = 1.45
_SHOULDERS_APART = 2.4
_MOST_ASIDE = 0.4  # how far the middle of a head is from an ear that is seen alone
_FACE_WIDTH = 1.0
_FACE_HEIGHT = 1.35

_HEAD: tuple[Joint, ...] = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")

FAR = 4.0
"""Canvases that a point may be away: what lies beyond cannot be seen, and what reaches there can hardly be drawn."""

Points = tuple[Point | None, ...]
"""Points of a body, a hand or a face in OpenPose order, as fractions of the canvas; `None` where one is unseen."""


@dataclass(frozen=True)
class Skeleton:
    """One person's 18 points in OpenPose order, as fractions of the canvas; `None` where a point is unseen.

    Attributes:
        points: of the body.
        right_hand: 21 points of the person's own right hand, or None where it was not read. Hands and face are drawn
            into the control image and used for nothing else.
        left_hand: likewise.
        face: 70 points of the face, or None where it was not read.

    Raises:
        ValueError: when the body has not exactly 18 points, a hand not 21 or the face not 70, or when a point is no
            number or lies more than four canvases away.
    """

    points: Points
    right_hand: Points | None = None
    left_hand: Points | None = None
    face: Points | None = None

    def __post_init__(self) -> None:
        if len(self.points) != len(JOINTS):
            raise ValueError(f"Expected {len(JOINTS)} points in OpenPose order, but got {len(self.points)}.")
        for name, points, count in (
            ("right hand", self.right_hand, HAND_POINTS),
            ("left hand", self.left_hand, HAND_POINTS),
            ("face", self.face, FACE_POINTS),
        ):
            if points is not None and len(points) != count:
                raise ValueError(f"Expected {count} points of the {name} in OpenPose order, but got {len(points)}.")
        for points in (self.points, self.right_hand, self.left_hand, self.face):
            for point in points or ():
                # Written so that "not a number" fails as well.
                if point is not None and not all(-FAR <= value <= 1 + FAR for value in point):
                    raise ValueError(
                        f"Expected points on the canvas or not far from it, but got ({point.x:g}, {point.y:g})."
                    )

    def __getitem__(self, joint: Joint) -> Point | None:
        return self.points[JOINTS.index(joint)]

    def moved(self, move: Callable[[Point], Point]) -> "Skeleton":
        """This skeleton with every seen point moved, those of hands and face too."""
        return self._each(move)

    def without(self, unwanted: Callable[[Point], bool]) -> "Skeleton":
        """This skeleton with every point of which that holds unseen, those of hands and face too."""
        return self._each(lambda point: None if unwanted(point) else point)

    def _each(self, change: Callable[[Point], Point | None]) -> "Skeleton":
        def changed(points: Points) -> Points:
            return tuple(None if point is None else change(point) for point in points)

        hands_and_face = (self.right_hand, self.left_hand, self.face)
        return Skeleton(changed(self.points), *(None if part is None else changed(part) for part in hands_and_face))

    def face_box(self, size: Size) -> Box | None:
        """The face from brow to chin and ear to ear, in pixels of a canvas of `size`; it may reach beyond the canvas.

        The scale is the largest that any pair of seen points supports (ear to ear, eye to eye, nose to ear, and nose
        to neck where no ear is seen), so a head in profile keeps its size. `None` where neither nose nor eyes are seen,
        as from behind, or nothing gives a scale.
        """
        seen = self._seen(size)
        if not any(name in seen for name in ("nose", "right_eye", "left_eye")):
            return None

        def apart(a: Joint, b: Joint, proportion: float) -> float:
            return _apart(seen, a, b) / proportion

        head_width = max(
            apart("right_ear", "left_ear", 1.0),
            apart("right_eye", "left_eye", _EYES_APART),
            apart("nose", "right_ear", _NOSE_TO_EAR),
            apart("nose", "left_ear", _NOSE_TO_EAR),
        )
        if "right_ear" not in seen and "left_ear" not in seen:
            # A bent neck changes this length much, so it counts only where no ear tells more.
            head_width = max(head_width, apart("nose", "neck", _NECK_TO_NOSE))
        head = [seen[name] for name in _HEAD if name in seen]
        return None if head_width == 0.0 else _head_of(head_width, *_middle(head))

    def head_box(self, size: Size) -> Box | None:
        """Where the head is, whichever way it looks: `face_box`, or as large a box on a head seen from behind.

        From behind, ears (and beyond the profile an eye) say where the head is. The scale is the largest that the ears,
        an ear and the neck, or the shoulders support. Where not both ears are seen, the middle of the head is on the
        neck's side of what is. `None` where no eye or ear is seen or nothing gives a scale.
        """
        face = self.face_box(size)
        if face is not None:
            return face
        seen = self._seen(size)
        head = [seen[name] for name in _HEAD if name in seen]
        head_width = max(
            _apart(seen, "right_ear", "left_ear"),
            _apart(seen, "neck", "right_ear") / _NECK_TO_EAR,
            _apart(seen, "neck", "left_ear") / _NECK_TO_EAR,
            _apart(seen, "right_shoulder", "left_shoulder") / _SHOULDERS_APART,
        )
        if not head or head_width == 0.0:
            return None
        x, y = _middle(head)
        if "neck" in seen and not ("right_ear" in seen and "left_ear" in seen):
            most = _MOST_ASIDE * head_width
            x += max(-most, min(most, seen["neck"][0] - x))
        return _head_of(head_width, x, y)

    def _seen(self, size: Size) -> dict[Joint, tuple[float, float]]:
        """The seen points in pixels."""
        return {
            name: (point.x * size.width, point.y * size.height)
            for name, point in zip(JOINTS, self.points, strict=True)
            if point is not None
        }


def _apart(seen: Mapping[Joint, tuple[float, float]], a: Joint, b: Joint) -> float:
    """The distance of two points, 0 where either is unseen."""
    return math.dist(seen[a], seen[b]) if a in seen and b in seen else 0.0


def _middle(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The middle of some points of a head: halfway across, and at their mean height."""
    across = [x for x, _ in points]
    return (min(across) + max(across)) / 2, sum(y for _, y in points) / len(points)


def _head_of(head_width: float, x: float, y: float) -> Box:
    width, height = head_width * _FACE_WIDTH, head_width * _FACE_HEIGHT
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


@dataclass(frozen=True)
class Place:
    """Where one person stands: a skeleton, how far back (0 is in front, larger is farther), and hints who fits.

    Attributes:
        skeleton: how they stand.
        depth: how far back.
        role: whose proportions the skeleton has.
        extra: whether the place is meant for somebody without identity, who is there when nobody takes it.
    """

    skeleton: Skeleton
    depth: float = 0.0
    role: str = "adult"
    extra: bool = False


@dataclass(frozen=True)
class Pose:
    """All places of one picture on the canvas they were made for: from left to right, extras after all others."""

    size: Size
    places: tuple[Place, ...]

    def fitted(self, size: Size) -> "Pose":
        """The same pose centred on a canvas of another size, scaled to fit and never distorted (letterboxed)."""
        scale = min(size.width / self.size.width, size.height / self.size.height)
        x_share, y_share = scale * self.size.width / size.width, scale * self.size.height / size.height

        def move(point: Point) -> Point:
            return Point(0.5 + (point.x - 0.5) * x_share, 0.5 + (point.y - 0.5) * y_share)

        return Pose(size, tuple(replace(place, skeleton=place.skeleton.moved(move)) for place in self.places))
