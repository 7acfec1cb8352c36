"""How people of one pose come into another: mirrored or not, scaled alike, shifted; as points and as bodies."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from multiid.geometry import Point, Size
from multiid.poses.body import Body
from multiid.poses.skeleton import FACE_POINTS, JOINTS, LIMBS, Joint, Points, Pose, Skeleton

__all__ = ["Move", "moved_body", "moved_pose", "moved_skeleton"]

_NEAR = 1e-9  # of a canvas: a point on its edge may come out that much beyond it

# OpenPose follows a limb outwards, so a joint that is cut off takes with it what hangs on it.
_INNER = ("shoulder", "elbow", "hip", "knee")
_HANGS_ON: dict[Joint, Joint] = {end: start for start, end in LIMBS if start.endswith(_INNER)}

# Of a body, what changes its sign in a mirror; right and left change their names, the rest stays as it is.
_SIDEWAYS = ("turn", "lean", "head_turn", "head_tilt")

# Which point of the face stands where a given one stood: jaw, brows, nose, eyes, lips and pupils of iBUG 300-W.
_FACE_ROWS = (
    (range(17), 16), (range(17, 27), 43), (range(31, 36), 66), (range(36, 40), 81), (range(42, 46), 81),
    (range(40, 42), 87), (range(46, 48), 87), (range(48, 55), 102), (range(55, 60), 114), (range(60, 65), 124),
    (range(65, 68), 132), (range(68, 70), 137),
)  # fmt: skip
_FACE_MIRROR = {index: total - index for row, total in _FACE_ROWS for index in row}


@dataclass(frozen=True)
class Move:
    """How one place of a new pose comes from one of the old: first mirrored, then scaled, then shifted.

    Attributes:
        source: index of the place in the old pose.
        mirrored: whether right and left are exchanged about the middle of the old canvas.
        scale: pixels of the new canvas for one of the old.
        right: where the old canvas's left edge then lies, in pixels of the new.
        down: where its top edge lies, likewise.
    """

    source: int
    mirrored: bool = False
    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0

    def point(self, point: Point, old: Size, new: Size) -> Point:
        """Where a point of the old canvas lies on the new one; it may lie outside."""
        x = 1 - point.x if self.mirrored else point.x
        # Multiplied in this order, a move that changes nothing leaves the very same numbers.
        return Point(
            x * (self.scale * old.width / new.width) + self.right / new.width,
            point.y * (self.scale * old.height / new.height) + self.down / new.height,
        )


def moved_pose(pose: Pose, moves: Sequence[Move], size: Size) -> Pose:
    """The pose of so many places on a canvas of `size`; what falls outside the canvas is unseen there."""
    sources = [(pose.places[move.source], move) for move in moves]
    return Pose(
        size,
        tuple(
            replace(place, skeleton=moved_skeleton(place.skeleton, move, pose.size, size)) for place, move in sources
        ),
    )


def moved_skeleton(skeleton: Skeleton, move: Move, old: Size, new: Size) -> Skeleton:
    """The skeleton on the new canvas, without what falls outside and what hangs on that."""
    if move.mirrored:
        skeleton = _exchanged(skeleton)
    cut: set[Joint] = set()
    points: list[Point | None] = []
    for joint, point in zip(JOINTS, skeleton.points, strict=True):
        seen = None if point is None or _HANGS_ON.get(joint) in cut else _inside(move.point(point, old, new))
        if point is not None and seen is None:
            cut.add(joint)
        points.append(seen)

    def detail(part: Points | None) -> Points | None:
        if part is None:
            return None
        moved = tuple(None if point is None else _inside(move.point(point, old, new)) for point in part)
        return moved if any(point is not None for point in moved) else None

    return Skeleton(
        tuple(points),
        right_hand=None if "right_wrist" in cut else detail(skeleton.right_hand),
        left_hand=None if "left_wrist" in cut else detail(skeleton.left_hand),
        face=detail(skeleton.face),
    )


def moved_body(body: Body, move: Move, old: Size, new: Size) -> Body:
    """The body whose skeleton on the new canvas is the old one's moved.

    Raises:
        ValueError: when it would be smaller or larger than a body may be.
    """
    values: dict[str, Any] = {field.name: getattr(body, field.name) for field in fields(body)}
    if move.mirrored:
        values = {_other_side(name): value for name, value in values.items()}
        values |= {name: -values[name] or 0.0 for name in _SIDEWAYS}
        values["hidden"] = tuple(_other_side(part) for part in body.hidden)
    unmirrored = replace(move, mirrored=False)
    for name, value in values.items():
        if isinstance(value, Point):
            reflected = Point(1 - value.x, value.y) if move.mirrored else value
            values[name] = unmirrored.point(reflected, old, new)
    values["height"] = body.height * (move.scale * old.height / new.height)
    return Body(**values)


def _inside(point: Point) -> Point | None:
    if not all(-_NEAR <= value <= 1 + _NEAR for value in point):
        return None
    return Point(*(min(max(value, 0.0), 1.0) for value in point))


def _other_side(name: str) -> str:
    side, found, part = name.partition("_")
    other = {"right": "left", "left": "right"}.get(side)
    return f"{other}_{part}" if found and other else name


def _exchanged(skeleton: Skeleton) -> Skeleton:
    """Right and left under each other's names, every point where it is."""
    face = skeleton.face
    return Skeleton(
        tuple(skeleton[_other_side(joint)] for joint in JOINTS),
        right_hand=skeleton.left_hand,
        left_hand=skeleton.right_hand,
        face=None if face is None else tuple(face[_FACE_MIRROR.get(index, index)] for index in range(FACE_POINTS)),
    )
