"""The shapes of what is written into a panel: rounded balloons, clouds, bursts and boxes, around lines of text.

Everything is plain geometry in pixels around the middle of the text, x right and y down; outlines run clockwise as
the eye sees them and are not closed (the last point is not the first again).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from multiid.geometry import Box

__all__ = ["Form", "Outline", "Shape", "TextLine", "exits", "farness", "shape_around", "spread_along"]

Outline = Float64[np.ndarray, "_ 2"]
"""Points (x, y) of a closed line."""

Form = Literal["rounded", "cloud", "burst", "box"]
"""Rounded for speech and whispers, a cloud for thoughts, a burst for shouts, a box for narration and captions."""

_ROUNDNESS = 2.6  # exponent of the superellipse: 2 is an ellipse, a rectangle is the limit
_POINTS = 144
_PADDING = {  # in ems, between text and line: beside it, and above and beneath
    "rounded": (0.72, 0.5),
    "cloud": (0.6, 0.45),
    "burst": (0.7, 0.55),
    "box": (0.5, 0.42),
}
_TALLER = np.linspace(1.02, 1.7, 35)  # heights tried for a rounded balloon, in those of its text
_BUMP, _LEAST_BUMPS, _SWELL = 2.0, 8, 0.3  # a cloud's bumps: width in ems, and depth as a share of the width
_BUMP_POINTS = 9
_SPIKE, _LEAST_SPIKES = 1.25, 11  # a burst's spikes: width in ems
_SPIKE_LENGTHS = (0.75, 1.0, 0.6, 0.9, 0.65, 1.1, 0.7)  # in ems; an uneven rhythm looks hand-drawn


@dataclass(frozen=True)
class TextLine:
    """Where one line's ink may be, around the middle of its block.

    Attributes:
        half: half its width.
        top: of its capitals.
        bottom: its baseline, or beneath for descenders that count.
    """

    half: float
    top: float
    bottom: float


@dataclass(frozen=True, eq=False)
class Shape:
    """An outline around lines of text.

    Attributes:
        form: which kind it is.
        outline: its points around the text's middle.
        core: half the width and height of the superellipse (of the rectangle, of a box) that it follows.
    """

    form: Form
    outline: Outline
    core: tuple[float, float]

    @property
    def extent(self) -> Box:
        """The box around the outline, around the text's middle."""
        low, high = self.outline.min(axis=0), self.outline.max(axis=0)
        return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    @property
    def rim(self) -> tuple[float, float]:
        """Half the width and height of the superellipse around spikes and bumps, where tails begin to show."""
        return (self.extent.width / 2, self.extent.height / 2)


def shape_around(lines: Sequence[TextLine], form: Form, *, em: float) -> Shape:
    """The least outline of a form that leaves even room around lines of text.

    Args:
        lines: from top to bottom, around the block's middle.
        form: of the outline.
        em: the text's size in pixels, which padding, bumps and spikes are proportional to.

    Raises:
        ValueError: when there are no lines.
    """
    if not lines:
        raise ValueError("Expected at least one line of text, but got none.")
    beside, above = (share * em for share in _PADDING[form])
    if form == "box":
        half_width = max(line.half for line in lines) + beside
        half_height = max(max(abs(line.top), abs(line.bottom)) for line in lines) + above
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        outline = np.array([(x * half_width, y * half_height) for x, y in corners], np.float64)
        return Shape(form, outline, (half_width, half_height))
    core = _rounded_around(lines, beside, above)
    if form == "rounded":
        return Shape(form, _superellipse(core), core)
    return Shape(form, _cloud(core, em) if form == "cloud" else _burst(core, em), core)


def _rounded_around(lines: Sequence[TextLine], beside: float, above: float) -> tuple[float, float]:
    """Half the width and height of the superellipse of least area that clears every line's corners."""
    halves = np.array([line.half for line in lines])
    reach = np.array([max(abs(line.top), abs(line.bottom)) for line in lines])
    heights = reach.max() * _TALLER  # (tries,)
    share = np.clip(reach / heights[:, None], 0, 1) ** _ROUNDNESS  # (tries, lines)
    widths = (halves / (1 - share) ** (1 / _ROUNDNESS)).max(axis=1)
    areas = (widths + beside) * (heights + above)
    best = int(np.argmin(np.round(areas, 3)))
    return float(widths[best] + beside), float(heights[best] + above)


def _superellipse(core: tuple[float, float], points: int = _POINTS) -> Outline:
    angles = np.arange(points) * (2 * np.pi / points)
    across, down = np.cos(angles), np.sin(angles)
    power = 2 / _ROUNDNESS
    x = core[0] * np.sign(across) * np.abs(across) ** power
    y = core[1] * np.sign(down) * np.abs(down) ** power
    return np.stack([x, y], axis=1)


def farness(points: Float64[np.ndarray, "*any 2"], core: Float64[np.ndarray, "*any 2"]) -> Float64[np.ndarray, "*any"]:
    """How far out points lie in a superellipse around the origin: below 1 inside, 1 on it, above 1 outside."""
    scaled = np.abs(points) / core
    return (scaled**_ROUNDNESS).sum(axis=-1) ** (1 / _ROUNDNESS)


def exits(
    directions: Float64[np.ndarray, "*any 2"], core: Float64[np.ndarray, "*any 2"]
) -> Float64[np.ndarray, "*any 2"]:
    """Where rays from the middle leave the superellipse.

    Args:
        directions: of any length but zero.
        core: half the width and height of the superellipse.
    """
    return directions / farness(directions, core)[..., None]


def spread_along(outline: Outline, count: int) -> tuple[Outline, Outline]:
    """Points evenly spaced along a closed line, and the directions in which it is left there, of length 1."""
    closed = np.concatenate([outline, outline[:1]])
    steps = np.diff(closed, axis=0)
    reached = np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
    places = np.arange(count) * (reached[-1] / count)
    points = np.stack([np.interp(places, reached, closed[:, axis]) for axis in (0, 1)], axis=1)
    along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    return points, np.stack([along[:, 1], -along[:, 0]], axis=1)


def _cloud(core: tuple[float, float], em: float) -> Outline:
    """Arcs between points of the superellipse, each bulging outwards."""
    line = _superellipse(core)
    count = max(_LEAST_BUMPS, round(_length(line) / (_BUMP * em)))
    feet, _ = spread_along(line, count)
    share = np.linspace(0, 1, _BUMP_POINTS, endpoint=False)[:, None]
    bumps: list[Outline] = []
    for start, end in zip(feet, np.roll(feet, -1, axis=0), strict=True):
        chord = end - start
        outwards = np.array([chord[1], -chord[0]])
        # A circle's arc is near enough to half an ellipse on the chord.
        bumps.append(start + chord * (1 - np.cos(np.pi * share)) / 2 + outwards * _SWELL * np.sin(np.pi * share))
    return np.concatenate(bumps)


def _burst(core: tuple[float, float], em: float) -> Outline:
    """Spikes of uneven lengths on the superellipse."""
    line = _superellipse(core)
    count = max(_LEAST_SPIKES, round(_length(line) / (_SPIKE * em)))
    points, outwards = spread_along(line, 2 * count)
    lengths = np.zeros(2 * count)
    lengths[1::2] = [_SPIKE_LENGTHS[index % len(_SPIKE_LENGTHS)] * em for index in range(count)]
    return points + outwards * lengths[:, None]


def _length(outline: Outline) -> float:
    steps = np.roll(outline, -1, axis=0) - outline
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())
