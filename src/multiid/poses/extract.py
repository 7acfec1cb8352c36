"""From a photo to a pose that may serve as a template: who is in it, where, and who stands in front of whom.

What a reader finds is not yet a pose to stand in: strangers far away, backs of heads, limbs that belong to somebody
else. Everything left out is said.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from PIL import Image

from multiid.errors import NoPersonError
from multiid.geometry import Box, Point, Size
from multiid.poses.plausible import plausible
from multiid.poses.skeleton import Place, Pose, Skeleton

__all__ = ["SMALLEST_FACE", "ExtractedPose", "PoseReader", "extract_pose"]

SMALLEST_FACE = 0.04
"""Default least height of a face, as a share of the photo's shorter side: 41 pixels of 1024."""

_AREA = 1024 * 1024  # pixels of the canvas: what SDXL was trained on
_SIDE_MULTIPLE = 64
_DECIMALS = 4  # of coordinates: a tenth of a pixel
_MARGIN = 0.03  # face widths between a face and the canvas's edge or another face, for what rounding moves
_RISE = 0.1  # of a face's width further back for each face width that a face is higher up


@runtime_checkable
class PoseReader(Protocol):
    """What finds the people of a photo, such as `OpenPoseReader`. Photos are upright and of any size."""

    @property
    def reads_details(self) -> bool:
        """Whether `with_details` adds anything."""
        ...

    def bodies(self, image: Image.Image) -> list[Skeleton]:
        """The skeletons in a photo, in no order; an empty list where there are none."""
        ...

    def with_details(self, image: Image.Image, skeleton: Skeleton) -> Skeleton:
        """One of the photo's skeletons with its hands and face."""
        ...


@dataclass(frozen=True)
class ExtractedPose:
    """A pose read from a photo.

    Attributes:
        pose: the people from left to right, on a canvas of about a megapixel; the nearest has depth 0.
        photo: where the photo lies on that canvas, in its pixels.
        notes: what was left out or changed, one sentence each.
    """

    pose: Pose
    photo: Box
    notes: tuple[str, ...]

    def backdrop(self, image: Image.Image) -> Image.Image:
        """The photo laid on the pose's canvas, black where the canvas reaches beyond it."""
        left, top, right, bottom = (round(value) for value in self.photo.corners)
        canvas = Image.new("RGB", self.pose.size)
        canvas.paste(image.convert("RGB").resize((max(1, right - left), max(1, bottom - top))), (left, top))
        return canvas


def extract_pose(
    image: Image.Image,
    reader: PoseReader,
    *,
    smallest: float = SMALLEST_FACE,
    progress: Callable[[int, int], None] | None = None,
) -> ExtractedPose:
    """The pose of a photo's people, without fault as `poses.checks.find_faults` sees it.

    Left out are people without a visible face, with one smaller than `smallest`, and of two whose faces overlap the
    one with the smaller; and points that no body could have there (`poses.plausible`). The canvas has the photo's
    shape, with sides in multiples of 64; it reaches further where a face would be cut by the edge.

    Depth is an estimate, worth a look: a face half as wide is twice as far away, depth 1, and a face higher up in the
    photo is a little further back than one of the same size.

    Args:
        image: an upright photo (see `load_photo`).
        reader: finds the people.
        smallest: least height of a face, as a share of the photo's shorter side.
        progress: called before and after each person whose hands and face are read, with those done and their
            total; what it raises stops the work.

    Raises:
        NoPersonError: when nobody is found, or nobody who can be kept.
        MissingExtraError, ModelFileError: as the reader.
    """
    size = Size(*image.size)
    people, notes = _choose(reader.bodies(image), size, smallest)
    if reader.reads_details:
        for index, skeleton in enumerate(people):
            if progress is not None:
                progress(index, len(people))
            people[index] = reader.with_details(image, skeleton)
        if progress is not None:
            progress(len(people), len(people))
    faces = [_face(skeleton, size) for skeleton in people]
    canvas = _Canvas.around(faces, size)
    if not all(_widened(face).inside(size) for face in faces):
        notes.append("The canvas reaches beyond the photo, so that every face lies inside whole.")
    read = [skeleton.moved(lambda point: canvas.place(point, size)) for skeleton in people]
    cleaned = [plausible(skeleton, canvas.size) for skeleton in read]
    lost = sum(_unseen(after) - _unseen(before) for before, after in zip(read, cleaned, strict=True))
    if lost:
        notes.append(f"Left out: {lost} point(s) of limbs that are too long or too uneven for one body.")
    places = [Place(skeleton, depth=depth) for skeleton, depth in zip(cleaned, _depths(faces), strict=True)]
    return ExtractedPose(Pose(canvas.size, _left_to_right(places, canvas.size)), canvas.photo(size), tuple(notes))


def _choose(found: Sequence[Skeleton], size: Size, smallest: float) -> tuple[list[Skeleton], list[str]]:
    """Those who can be kept, and notes on the others."""
    if not found:
        raise NoPersonError("Expected a photo of people, but nobody was found in it; take one that shows them larger.")
    left_out: Counter[str] = Counter()
    seen: list[tuple[Skeleton, Box]] = []
    for skeleton in found:
        face = skeleton.face_box(size)
        if face is None:
            left_out["no face to be seen"] += 1
        elif face.height < smallest * min(size):
            left_out[f"a face smaller than {smallest:g} of the photo's shorter side"] += 1
        else:
            seen.append((skeleton, face))
    seen.sort(key=lambda item: -item[1].area)
    kept: list[tuple[Skeleton, Box]] = []
    for skeleton, face in seen:
        if any(_widened(face).overlaps(other) for _, other in kept):
            left_out["a face that overlaps a larger one"] += 1
        else:
            kept.append((skeleton, face))
    reasons = [f"{count} with {reason}" for reason, count in left_out.items()]
    if not kept:
        raise NoPersonError(
            f"Expected people whose faces are seen, but nobody in the photo can be kept: {', '.join(reasons)}."
        )
    return [skeleton for skeleton, _ in kept], [f"Left out: {reason}." for reason in reasons]


def _unseen(skeleton: Skeleton) -> int:
    return skeleton.points.count(None)


def _face(skeleton: Skeleton, size: Size) -> Box:
    face = skeleton.face_box(size)
    if face is None:
        raise ValueError("Expected a skeleton with a face, but its head points are missing.")
    return face


def _widened(face: Box) -> Box:
    return face.expanded(2 * _MARGIN)


@dataclass(frozen=True)
class _Canvas:
    """A canvas and where a photo lies on it: scaled by `scale`, its corner at (left, top) in the canvas's pixels."""

    size: Size
    scale: float
    left: float
    top: float

    @classmethod
    def around(cls, faces: Sequence[Box], photo: Size) -> "_Canvas":
        """The canvas of about a megapixel nearest in shape to the photo and every face, which it holds undistorted."""
        edges = [Box(0, 0, *photo), *map(_widened, faces)]
        frame = Box(
            min(box.left for box in edges),
            min(box.top for box in edges),
            max(box.right for box in edges),
            max(box.bottom for box in edges),
        )
        shrink = math.sqrt(_AREA / frame.area) / _SIDE_MULTIPLE
        width, height = (max(1, round(shrink * side)) * _SIDE_MULTIPLE for side in (frame.width, frame.height))
        scale = min(width / frame.width, height / frame.height)
        return cls(
            Size(width, height), scale, width / 2 - scale * frame.centre[0], height / 2 - scale * frame.centre[1]
        )

    def photo(self, size: Size) -> Box:
        """Where a photo of that size lies."""
        return Box(self.left, self.top, self.left + self.scale * size.width, self.top + self.scale * size.height)

    def place(self, point: Point, size: Size) -> Point:
        """A point of a photo of that size."""
        x = (self.left + self.scale * point.x * size.width) / self.size.width
        y = (self.top + self.scale * point.y * size.height) / self.size.height
        return Point(round(x, _DECIMALS), round(y, _DECIMALS))


def _depths(faces: Sequence[Box]) -> list[float]:
    widest, lowest = max(face.width for face in faces), max(face.centre[1] for face in faces)
    far = [widest / face.width - 1 + _RISE * (lowest - face.centre[1]) / face.width for face in faces]
    return [round(depth - min(far), 2) for depth in far]


def _left_to_right(places: Sequence[Place], canvas: Size) -> tuple[Place, ...]:
    """The places by their faces. Of two faces straight above each other the upper one comes first, and the lower one
    gives way by the least that coordinates can say, since a template's order is strict."""

    def middle(place: Place) -> tuple[float, float]:
        x, y = _face(place.skeleton, canvas).centre
        return x / canvas.width, y

    ordered: list[Place] = []
    for place in sorted(places, key=middle):
        behind = middle(ordered[-1])[0] - middle(place)[0] if ordered else -1.0
        ordered.append(place if behind < 0 else replace(place, skeleton=_shifted(place.skeleton, behind)))
    return tuple(ordered)


def _shifted(skeleton: Skeleton, least: float) -> Skeleton:
    """A little more than `least` to the right."""
    step = least + 10**-_DECIMALS
    return skeleton.moved(lambda point: Point(min(1.0, round(point.x + step, _DECIMALS)), point.y))
