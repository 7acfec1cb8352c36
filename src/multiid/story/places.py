"""Where a balloon or a caption could be: all places of a grid that hide no face, and what each costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Int64

from multiid.geometry import Box, Size
from multiid.story.aims import Aims
from multiid.story.balloons import Shape
from multiid.story.tails import boxes_array

__all__ = ["Block", "Boxes", "Ground", "Places", "Reading", "edge_places", "free_places", "overlap"]

Reading = Literal["left-to-right", "right-to-left"]
Boxes = Float64[np.ndarray, "boxes 4"]
"""Left, top, right and bottom of each, in pixels."""

_STEPS = 22  # of the grid along the panel's longer side
_DOWN = 0.5  # pixels of tail that a pixel further down is worth
_OVER_A_BODY = 5.0  # ems of tail that a balloon wholly on somebody's body or hair is worth
_HAIR = (0.25, 0.4)  # of a face's width beside it, and of its height above it
_OFF_SIDE = 0.6  # pixels that a pixel away from the nearer side is worth, for narration
_OTHER_SIDE = 4.0  # ems: what narration costs on the side where reading ends
_CAPTION_OFF = 0.4  # pixels that a pixel away from its corner is worth, for a caption


@dataclass(frozen=True, eq=False)
class Block:
    """Something to place.

    Attributes:
        shapes: what it may look like, all of one form.
        costs: of each shape, in ems of tail.
        edge: for captions.
        aims: where its tail may end; None for what has none.
    """

    shapes: tuple[Shape, ...]
    costs: tuple[float, ...]
    edge: Literal["top", "bottom"] | None = None
    aims: Aims | None = None


@dataclass(frozen=True)
class Ground:
    """What blocks are placed on.

    Attributes:
        size: of the panel.
        em: the text's size in pixels, in which all distances are kept.
        faces: boxes that nothing may cover.
        taken: further boxes that no balloon may cover, such as sound words with a place of their own.
        reading: which way balloons follow one another.
    """

    size: Size
    em: float
    faces: tuple[Box, ...] = ()
    taken: tuple[Box, ...] = ()
    reading: Reading = "left-to-right"

    @property
    def padding(self) -> float:
        """Between balloons and the panel's edge, in pixels."""
        return 0.45 * self.em

    @property
    def gap(self) -> float:
        """Between balloons, in pixels."""
        return 0.3 * self.em

    @property
    def face_margin(self) -> float:
        """Between balloons and faces, in pixels."""
        return 0.25 * self.em


@dataclass(frozen=True, eq=False)
class Places:
    """Where a block could be; all arrays have one row for each place.

    Attributes:
        boxes: around the outline.
        middles: of the text.
        rims: half the width and height of the superellipse where tails begin.
        shapes: index of the shape.
        costs: in pixels of tail.
        near: what a tail will cost at least.
    """

    boxes: Boxes
    middles: Float64[np.ndarray, "boxes 2"]
    rims: Float64[np.ndarray, "boxes 2"]
    shapes: Int64[np.ndarray, "boxes"]
    costs: Float64[np.ndarray, "boxes"]
    near: Float64[np.ndarray, "boxes"]

    def only(self, kept: Int64[np.ndarray, "kept"]) -> "Places":
        """Some of them, by index."""
        return Places(
            self.boxes[kept],
            self.middles[kept],
            self.rims[kept],
            self.shapes[kept],
            self.costs[kept],
            self.near[kept],
        )


def free_places(block: Block, ground: Ground) -> Places:
    """Everywhere in the panel that hides no face."""
    width, height = ground.size
    step = max(width, height) / _STEPS
    parts: list[Places] = []
    for number, shape in enumerate(block.shapes):
        xs = _spaced(ground.padding, width - ground.padding - shape.extent.width, step)
        ys = _spaced(ground.padding, height - ground.padding - shape.extent.height, step)
        parts.append(_laid_out(block, number, xs, ys, ground))
    places = _joined(parts)
    # Measured at the foot, so that tall shapes have nothing from it.
    places.costs[:] += _DOWN * places.boxes[:, 3] + _over_bodies(places.boxes, ground)
    if block.aims is None:
        sides = np.stack([places.boxes[:, 0], width - places.boxes[:, 2]])
        sides[1 if ground.reading == "left-to-right" else 0] += _OTHER_SIDE * ground.em
        places.costs[:] += _OFF_SIDE * sides.min(axis=0)
    elif len(block.aims.tips):
        # Nearer than the nearest tip no tail can be; tips on mouths' sides are nearer than mouths themselves.
        places.near[:] = _distance(places.boxes, block.aims.tips).min(axis=1)
    return places


def edge_places(block: Block, already: Sequence[Box], ground: Ground) -> Places:
    """A caption's places at its edge, or beside or beyond those captions that lie there already."""
    width, height = ground.size
    parts: list[Places] = []
    for number, shape in enumerate(block.shapes):
        if block.edge == "top":
            ys = [ground.padding, *(box.bottom + ground.gap for box in already)]
            ys = [y for y in ys if y + shape.extent.height <= height - ground.padding]
        else:
            ys = [height - ground.padding, *(box.top - ground.gap for box in already)]
            ys = [y - shape.extent.height for y in ys if y - shape.extent.height >= ground.padding]
        xs = _spaced(ground.padding, width - ground.padding - shape.extent.width, width / _STEPS)
        parts.append(_laid_out(block, number, xs, np.array(ys), ground))
    places = _joined(parts)
    # The first corner at the top, the last one at the foot: where reading starts and ends.
    left_corner = (ground.reading == "left-to-right") == (block.edge == "top")
    off = places.boxes[:, 0] if left_corner else width - places.boxes[:, 2]
    deep = places.boxes[:, 1] if block.edge == "top" else height - places.boxes[:, 3]
    places.costs[:] += _CAPTION_OFF * off + deep
    return places


def _spaced(low: float, high: float, step: float) -> Float64[np.ndarray, "places"]:
    """From one end to the other, both among them, in about even steps; none where there is no room."""
    if high < low:
        return np.zeros(0)
    return np.linspace(low, high, max(2, round((high - low) / step) + 1))


def _laid_out(
    block: Block,
    number: int,
    xs: Float64[np.ndarray, "columns"],
    ys: Float64[np.ndarray, "rows"],
    ground: Ground,
) -> Places:
    """One shape with its top left corner at each crossing that hides no face and nothing taken."""
    shape = block.shapes[number]
    extent = shape.extent
    corners = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    boxes = np.concatenate([corners, corners + np.array([extent.width, extent.height])], axis=1)
    hidden = overlap(boxes, boxes_array(ground.faces), ground.face_margin).any(axis=1)
    hidden |= overlap(boxes, boxes_array(ground.taken), ground.gap).any(axis=1)
    boxes = boxes[~hidden]
    count = len(boxes)
    return Places(
        boxes,
        boxes[:, :2] - np.array([extent.left, extent.top]),
        np.repeat(np.array([shape.rim], np.float64), count, axis=0),
        np.full(count, number, np.int64),
        np.full(count, block.costs[number] * ground.em),
        np.zeros(count),
    )


def _joined(parts: Sequence[Places]) -> Places:
    return Places(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.middles for part in parts]),
        np.concatenate([part.rims for part in parts]),
        np.concatenate([part.shapes for part in parts]),
        np.concatenate([part.costs for part in parts]),
        np.concatenate([part.near for part in parts]),
    )


def _over_bodies(boxes: Boxes, ground: Ground) -> Float64[np.ndarray, "boxes"]:
    """What it costs to lie on bodies, taken to be beneath faces and twice as wide, and on the hair around faces."""
    if not ground.faces:
        return np.zeros(len(boxes))
    faces = boxes_array(ground.faces)
    left, top, right, bottom = faces.T
    half, foot = (right - left) / 2, np.full(len(faces), float(ground.size.height))
    bodies = np.stack([left - half, bottom, right + half, foot], axis=1)
    beside, above = _HAIR[0] * (right - left), _HAIR[1] * (bottom - top)
    heads = np.stack([left - beside, top - above, right + beside, bottom], axis=1)
    a, b = boxes[:, None], np.concatenate([bodies, heads])[None]
    across = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    down = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    covered = (np.maximum(across, 0) * np.maximum(down, 0)).sum(axis=1)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.minimum(covered / areas, 1) * _OVER_A_BODY * ground.em


def _distance(boxes: Boxes, points: Float64[np.ndarray, "points 2"]) -> Float64[np.ndarray, "boxes points"]:
    away = np.maximum(boxes[:, None, :2] - points[None], points[None] - boxes[:, None, 2:])
    return np.hypot(*np.moveaxis(np.maximum(away, 0), -1, 0))


def overlap(boxes: Boxes, others: Float64[np.ndarray, "others 4"], gap: float) -> Bool[np.ndarray, "boxes others"]:
    """Which boxes come nearer to one another than `gap` pixels."""
    a, b = boxes[:, None], others[None]
    return (
        (a[..., 0] < b[..., 2] + gap)
        & (b[..., 0] < a[..., 2] + gap)
        & (a[..., 1] < b[..., 3] + gap)
        & (b[..., 1] < a[..., 3] + gap)
    )
