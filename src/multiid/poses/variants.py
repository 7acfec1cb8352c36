"""A pose seen otherwise: mirrored, re-ordered, with one person fewer, on another canvas, in another framing.

Each function gives a new pose and leaves the old as it is. Of a pose without faults (`poses.checks.find_faults`) each
makes another without faults; sizes stay in proportion, for everybody alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from multiid.errors import TemplateError
from multiid.geometry import Box, Size
from multiid.poses.checks import find_faults
from multiid.poses.moves import Move, moved_pose
from multiid.poses.skeleton import Pose
from multiid.poses.views import Framing, View, canvas_view, framing_view, place_box

__all__ = [
    "Change",
    "Framing",
    "Reframed",
    "mirrored",
    "on_canvas",
    "plan_canvas",
    "plan_framing",
    "plan_mirror",
    "plan_order",
    "plan_removal",
    "reframed",
    "reordered",
    "without",
]

_APART = 0.5  # pixels at least between heads, and between the middles of places


@dataclass(frozen=True)
class Change:
    """What makes one pose of another: the new canvas, and for each new place where it comes from."""

    size: Size
    moves: tuple[Move, ...]

    def of(self, pose: Pose) -> Pose:
        """The pose that comes of it."""
        return moved_pose(pose, self.moves, self.size)


@dataclass(frozen=True)
class Reframed:
    """A pose in another framing.

    Attributes:
        pose: those who are seen in it, from left to right.
        kept: for each of its places the index that it had before.
    """

    pose: Pose
    kept: tuple[int, ...]


def mirrored(pose: Pose) -> Pose:
    """The pose in a mirror: right hands become left ones, and who stood at the left stands at the right.

    Places run from left to right again, so the first becomes the last; extras, mirrored likewise, stay behind them.
    Twice is the pose as it was.
    """
    return plan_mirror(pose).of(pose)


def reordered(pose: Pose, order: Sequence[int]) -> Pose:
    """The people change places along the row: the one of place `order[0]` comes to stand leftmost, and so on.

    Everybody keeps posture, size, depth and role, and their height in the picture, and moves sideways alone: to where
    the head of that place was, or beside it where heads would touch or leave the canvas otherwise. Extras stay.

    Args:
        pose: the pose.
        order: every place but those of extras once.

    Raises:
        TemplateError: when `order` is none, or the heads have no room in it.
    """
    new = plan_order(pose, order).of(pose)
    if len(find_faults(new)) > len(find_faults(pose)):
        raise TemplateError(f"order: expected people who can stand in it, but then {find_faults(new)[0]}.")
    return new


def without(pose: Pose, place: int) -> Pose:
    """The pose with one person fewer; the others stay where they are.

    Raises:
        TemplateError: when there is no such place, or no other.
    """
    return plan_removal(pose, place).of(pose)


def on_canvas(pose: Pose, size: Size) -> Pose:
    """The pose on a canvas of another size, undistorted, with people as large as they can be.

    The canvas is cut down to the new aspect ratio around the people. Every face stays in the picture, and all that
    was seen above the hips; where that does not fit, room is added around, as much as is needed: at most as much as
    `Pose.fitted`, which always letterboxes, adds. Legs may be cut off.
    """
    return plan_canvas(pose, size).of(pose)


def reframed(pose: Pose, *, size: Size, framing: Framing, places: Sequence[int] | None = None) -> Reframed:
    """The pose as a camera sees it that comes nearer to some of its people.

    Args:
        pose: the pose.
        size: of the new canvas, in pixels.
        framing: "close-up" shows heads and shoulders, "medium" people to their hips, "full" from head to toe, as far
            as the pose has it; "wide" is `on_canvas`.
        places: whom the camera looks at; everybody where None, or none is named.

    Returns:
        The pose, and who is in it: all of `places`, and whoever else has their whole face in the frame. The others
        are left out of the pose, bodies and all.

    Raises:
        TemplateError: when there is no such place.
    """
    change = plan_framing(pose, size=size, framing=framing, places=places)
    return Reframed(change.of(pose), tuple(move.source for move in change.moves))


def plan_mirror(pose: Pose) -> Change:
    """What `mirrored` does."""
    extra = [place.extra for place in pose.places]
    order = sorted(range(len(extra)), key=lambda index: (extra[index], -index))  # people first, then extras
    return Change(pose.size, tuple(Move(index, mirrored=True) for index in order))


def plan_order(pose: Pose, order: Sequence[int]) -> Change:
    """What `reordered` does; whether anybody then hides an extra is not looked at."""
    people = [index for index, place in enumerate(pose.places) if not place.extra]
    if sorted(order) != people:
        raise TemplateError(
            f"order: expected each of the places {', '.join(map(str, people))} once, but got "
            f"{', '.join(map(str, order)) or 'none'}."
        )
    heads = [_Head.of(pose, index) for index in order]
    spots = [place_box(pose.places[index], pose.size).centre[0] for index in people]
    middles = spots if list(order) == people else _spread(heads, spots, pose.size.width)
    moved = [Move(head.index, right=middle - head.box.centre[0]) for head, middle in zip(heads, middles, strict=True)]
    return Change(pose.size, (*moved, *(Move(index) for index, place in enumerate(pose.places) if place.extra)))


def plan_removal(pose: Pose, place: int) -> Change:
    """What `without` does."""
    count = len(pose.places)
    _require_places(pose, [place])
    if count == 1:
        raise TemplateError("Expected at least one place to remain, but the pose has only this one.")
    return Change(pose.size, tuple(Move(index) for index in range(count) if index != place))


def plan_canvas(pose: Pose, size: Size) -> Change:
    """What `on_canvas` does."""
    return _seen(canvas_view(pose, size), range(len(pose.places)))


def plan_framing(pose: Pose, *, size: Size, framing: Framing, places: Sequence[int] | None = None) -> Change:
    """What `reframed` does."""
    everybody = range(len(pose.places))
    subjects = places or everybody
    _require_places(pose, subjects)
    view = framing_view(pose, size, framing, subjects)
    if framing == "wide":
        return _seen(view, everybody)
    seen = [index for index in everybody if index in subjects or view.shows(pose.places[index], pose.size)]
    return _seen(view, seen)


def _seen(view: View, places: Sequence[int]) -> Change:
    scale, right, down = view.scale, -view.left * view.scale, -view.top * view.scale
    return Change(view.size, tuple(Move(index, scale=scale, right=right, down=down) for index in places))


def _require_places(pose: Pose, places: Sequence[int]) -> None:
    last = len(pose.places) - 1
    for place in places:
        if not 0 <= place <= last:
            raise TemplateError(f"place: expected 0 to {last}, but got {place}.")


@dataclass(frozen=True)
class _Head:
    """Of the place at `index`; `edge` pixels of the canvas must remain on both sides of its middle."""

    index: int
    box: Box
    edge: float

    @classmethod
    def of(cls, pose: Pose, index: int) -> "_Head":
        # A head seen from behind may be cut by the canvas's edge.
        face = pose.places[index].skeleton.face_box(pose.size)
        return cls(index, place_box(pose.places[index], pose.size), 0.0 if face is None else face.width / 2)

    def distance(self, other: "_Head") -> float:
        """Pixels that must be between their middles."""
        beside = self.box.top < other.box.bottom and other.box.top < self.box.bottom
        return _APART + ((self.box.width + other.box.width) / 2 if beside else 0.0)


def _spread(heads: Sequence[_Head], spots: Sequence[float], width: int) -> list[float]:
    """The middles of heads in a row, each as near to its spot as the others leave it.

    Raises:
        TemplateError: when the row is too short for them.
    """
    # How far right each can go at most, with all that follow pressed to the right end.
    rightmost = [0.0] * len(heads)
    for at in reversed(range(len(heads))):
        after = range(at + 1, len(heads))
        pressed = (rightmost[other] - heads[at].distance(heads[other]) for other in after)
        rightmost[at] = min([width - heads[at].edge, *pressed])
    middles: list[float] = []
    for head, spot, limit in zip(heads, spots, rightmost, strict=True):
        leftmost = max([head.edge, *(x + head.distance(other) for other, x in zip(heads, middles, strict=False))])
        if leftmost > limit:
            raise TemplateError("order: expected heads that have room side by side in it, but these would overlap.")
        middles.append(min(max(spot, leftmost), limit))
    return middles
