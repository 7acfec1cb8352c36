"""Tails: the wedge of a balloon or the trail of bubbles of a thought, along a curve to whoever speaks.

The curve is a quadratic Bezier: its root on the balloon, a handle that bends it, and its tip.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from multiid.geometry import Box
from multiid.story.balloons import Form, Outline, Shape

__all__ = [
    "Bubble",
    "Curve",
    "boxes_array",
    "bubbles_along",
    "half_base",
    "points_along",
    "shortest",
    "tail_boxes",
    "with_wedge",
]

Curve = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Root, handle and tip."""

_HALF_BASE, _HALF_SPIKE, _HALF_BUBBLE = 0.36, 0.65, 0.42  # ems: half the width at its root of a tail, spike, trail
_SHORTEST, _SHORTEST_TRAIL = 1.9, 3.0  # ems: shorter tails look cramped, and shorter trails have bubbles like dots
_WEDGE_POINTS = 14
_FULLNESS = 0.55  # of a tail's width at its root: how wide it still is half-way along
_BUBBLES = (2, 5)
_SEGMENTS = 6  # boxes that hold a tail


def half_base(form: Form, *, em: float) -> float:
    """Half the width of a tail where it leaves a balloon, at most, in pixels."""
    return {"burst": _HALF_SPIKE, "cloud": _HALF_BUBBLE}.get(form, _HALF_BASE) * em


def shortest(form: Form, *, em: float) -> float:
    """How long a balloon's tail is at least where there is room, in pixels."""
    return (_SHORTEST_TRAIL if form == "cloud" else _SHORTEST) * em


def points_along(curves: Float64[np.ndarray, "*any 3 2"], points: int) -> Float64[np.ndarray, "*any points 2"]:
    """Evenly counted points of curves, from root to tip."""
    t = np.linspace(0, 1, points)[:, None]
    root, handle, tip = curves[..., None, 0, :], curves[..., None, 1, :], curves[..., None, 2, :]
    return root * (1 - t) ** 2 + handle * (2 * t * (1 - t)) + tip * t**2


def tail_boxes(curve: Float64[np.ndarray, "3 2"], *, base: float) -> Float64[np.ndarray, "segments 4"]:
    """Boxes that together hold a tail, which is twice `base` wide at its root: what other balloons keep clear of."""
    points = points_along(curve, _SEGMENTS + 1)
    margin = (base * (1 - np.arange(_SEGMENTS) / _SEGMENTS))[:, None]
    low, high = np.minimum(points[:-1], points[1:]) - margin, np.maximum(points[:-1], points[1:]) + margin
    return np.concatenate([low, high], axis=1)


def with_wedge(shape: Shape, middle: tuple[float, float], curve: Curve, *, em: float) -> Outline:
    """A shape's outline with a tapered, curved tail grown out of it: one closed line.

    Args:
        shape: of the balloon.
        middle: of its text, in pixels.
        curve: the tail's way in pixels; its root is near the outline.
        em: the text's size in pixels.
    """
    root, handle, tip = (np.array(point) for point in curve)
    rest = _opened(shape, root - np.array(middle), em) + np.array(middle)
    foot = (rest[0] + rest[-1]) / 2
    t = np.linspace(0, 1, _WEDGE_POINTS)[:, None]

    def side(start: Float64[np.ndarray, "2"]) -> Outline:
        bent = handle + (start - foot) * _FULLNESS
        return start * (1 - t) ** 2 + bent * (2 * t * (1 - t)) + tip * t**2

    return np.concatenate([rest[1:-1], side(rest[-1]), side(rest[0])[-2::-1]])


def _opened(shape: Shape, root: Float64[np.ndarray, "2"], em: float) -> Outline:
    """The outline as a line with a gap for a tail near its root: from one side of the gap around to the other."""
    outline = shape.outline
    off = np.round(((outline - root) ** 2).sum(axis=1), 3)
    if shape.form == "burst":  # the tail is a spike that has grown; valleys and spikes take turns
        spike = 1 + 2 * int(np.argmin(off[1::2]))
        return np.roll(outline, -(spike + 1), axis=0)[:-1]
    steps = np.roll(outline, -1, axis=0) - outline
    reached = np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
    around = reached[-1]
    half = min(_HALF_BASE * em, around / 8)
    nearest = int(np.argmin(off))
    turned = np.roll(outline, -nearest, axis=0)
    places = (np.roll(reached[:-1], -nearest) - reached[nearest]) % around
    closed, places_closed = np.concatenate([turned, turned[:1]]), np.append(places, around)
    ends = [[np.interp(place, places_closed, closed[:, axis]) for axis in (0, 1)] for place in (half, around - half)]
    return np.concatenate([[ends[0]], turned[(places > half) & (places < around - half)], [ends[1]]])


@dataclass(frozen=True)
class Bubble:
    """One of the bubbles that lead from a thought to who thinks it.

    Attributes:
        x: of its middle, in pixels.
        y: of its middle, in pixels.
        radius: in pixels.
    """

    x: float
    y: float
    radius: float

    @property
    def box(self) -> Box:
        """The box around it."""
        return Box(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


def bubbles_along(outline: Outline, curve: Curve, *, em: float) -> tuple[Bubble, ...]:
    """Bubbles from a balloon to the tip of its tail, each smaller than the last, in the outline's coordinates."""
    points = points_along(np.array(curve), 97)
    # The part of the way that is clear of the cloud.
    clear = [point for point in points if not _within(outline, point)]
    if len(clear) < 2:
        clear = [points[-2], points[-1]]
    way = np.array(clear)
    steps = np.diff(way, axis=0)
    reached = np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
    length = float(reached[-1])
    count = int(min(max(round(length / (0.9 * em)), _BUBBLES[0]), _BUBBLES[1]))
    largest = min(_HALF_BUBBLE * em, length / (2.2 * count))
    radii = [max(largest * (1 - 0.6 * index / (count - 1)), 0.8) for index in range(count)]
    first, last = radii[0] * 1.25, length - radii[-1]
    places = [first + (last - first) * index / (count - 1) for index in range(count)]
    return tuple(
        Bubble(float(np.interp(place, reached, way[:, 0])), float(np.interp(place, reached, way[:, 1])), radius)
        for place, radius in zip(places, radii, strict=True)
    )


def _within(outline: Outline, point: Float64[np.ndarray, "2"]) -> bool:
    """Whether a point lies in a closed line: a ray to the right crosses it an odd number of times."""
    ahead = np.roll(outline, -1, axis=0)
    spans = (outline[:, 1] > point[1]) != (ahead[:, 1] > point[1])
    rise = np.where(spans, ahead[:, 1] - outline[:, 1], 1.0)
    crossing = outline[:, 0] + (point[1] - outline[:, 1]) * (ahead[:, 0] - outline[:, 0]) / rise
    return bool((spans & (crossing > point[0])).sum() % 2)


def boxes_array(boxes: Sequence[Box]) -> Float64[np.ndarray, "boxes 4"]:
    """Boxes as rows of left, top, right and bottom."""
    return np.array([box.corners for box in boxes], np.float64).reshape(-1, 4)
