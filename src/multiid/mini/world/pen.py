"""Drawing primitives: filled shapes and lines with smooth edges, and a map of whose they are."""

from functools import cache

import cv2
import numpy as np
import PIL.Image
from jaxtyping import Float64, UInt8

from multiid.geometry import Size
from multiid.mini.world.colours import INK, Colour

__all__ = ["Pen", "Points", "arc", "circle", "polygon", "smooth"]

Points = Float64[np.ndarray, "_ 2"]
"""Corners (x, y) in pixels of the picture, or in a shape's own unit."""

_OVER = 3  # pixels drawn for each pixel of the picture, along each side
_BITS = 4


class Pen:
    """Draws on a canvas; points are pixels of the picture, as `geometry` counts them.

    Attributes:
        size: of the picture.
        owner: whose what is drawn next is in the label map, 0 for the background.
    """

    def __init__(self, size: Size) -> None:
        self.size = size
        # Three times the picture's size; the owner is a fourth channel, so that one call draws colour and label.
        self._canvas: UInt8[np.ndarray, "height width 4"] = np.zeros(
            (size.height * _OVER, size.width * _OVER, 4), np.uint8
        )
        self.owner = 0

    def fill(self, points: Points, colour: Colour, *, outline: float = 0.0) -> None:
        """A filled shape, with an ink outline of that width half outside it."""
        corners = [_fixed(points)]
        if outline:
            self._stroke(corners, INK, outline, closed=True)
        cv2.fillPoly(self._canvas, corners, (*colour, self.owner), cv2.LINE_8, _BITS)

    def line(self, points: Points, colour: Colour, width: float, *, closed: bool = False) -> None:
        """A line with round corners and ends, at least as wide as can be seen."""
        self._stroke([_fixed(points)], colour, width, closed=closed)

    def _stroke(self, corners: list[np.ndarray], colour: Colour, width: float, *, closed: bool) -> None:
        thickness = max(1, round(width * _OVER))
        cv2.polylines(self._canvas, corners, closed, (*colour, self.owner), thickness, cv2.LINE_8, _BITS)

    def tube(self, points: Points, colour: Colour, width: float, *, outline: float = 0.0) -> None:
        """A thick line with an ink outline, such as an arm."""
        corners = [_fixed(points)]
        if outline:
            self._stroke(corners, INK, width + outline, closed=False)
        self._stroke(corners, colour, width, closed=False)

    def gradient(self, top: Colour, bottom: Colour, *, start: float = 0.0, end: float = 1.0) -> None:
        """A band across the whole width, from `start` to `end` of the height."""
        height = self._canvas.shape[0]
        first, last = round(start * height), round(end * height)
        rows = np.linspace((*top, self.owner), (*bottom, self.owner), max(1, last - first))
        band = self._canvas[first:last]
        if band.size:
            # Much faster than NumPy's broadcasting.
            cv2.resize(rows.astype(np.uint8)[:, None], band.shape[1::-1], dst=band, interpolation=cv2.INTER_NEAREST)

    def pixels(self) -> UInt8[np.ndarray, "height width 3"]:
        """The picture as it is now, at its own size."""
        return cv2.cvtColor(cv2.resize(self._canvas, self.size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGBA2RGB)

    def picture(self) -> PIL.Image.Image:
        """The same as a PIL picture."""
        return PIL.Image.fromarray(self.pixels())

    def labels(self) -> UInt8[np.ndarray, "height width"]:
        """The owner of each pixel of the picture."""
        return self._canvas[_OVER // 2 :: _OVER, _OVER // 2 :: _OVER, 3].copy()


@cache
def arc(x: float, y: float, rx: float, ry: float, start: float, end: float, count: int = 16) -> Points:
    """Points along an ellipse, from one angle to another in degrees: 0 is right, 90 down, 180 left, 270 up."""
    angles = np.radians(np.linspace(start, end, count))
    points = np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)
    points.flags.writeable = False  # the same array every time
    return points


def circle(x: float, y: float, rx: float, ry: float | None = None, count: int = 18) -> Points:
    """An ellipse, or a circle where one radius is given."""
    return arc(x, y, rx, rx if ry is None else ry, 0, 360 * (1 - 1 / count), count)


def polygon(*corners: tuple[float, float]) -> Points:
    """The corners as an array."""
    return np.array(corners, np.float64)


def smooth(points: Points, *, rounds: int = 2, closed: bool = True) -> Points:
    """The shape with its corners cut, twice over (Chaikin 1974); it stays within its corners."""
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0) if closed else points[1:]
        current = points if closed else points[:-1]
        cut = np.stack([0.75 * current + 0.25 * following, 0.25 * current + 0.75 * following], axis=1).reshape(-1, 2)
        points = cut if closed else np.concatenate([points[:1], cut, points[-1:]])
    return points


def _fixed(points: Points) -> np.ndarray:
    """OpenCV's fixed-point form; it counts from the middle of the first pixel, not from its corner."""
    # Truncation after adding a half rounds; what is beyond the upper left edge is not seen to the last sixteenth.
    return (points * (_OVER << _BITS) - ((1 << _BITS) / 2 - 0.5)).astype(np.int32)
