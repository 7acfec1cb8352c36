"""Sizes, points and boxes, and the conventions that hold everywhere.

- Pixels: x points right, y points down, the origin is the top left corner. A box is
  (left, top, right, bottom) in pixels; right and bottom are exclusive.
- Skeletons: points are fractions of the canvas's width and height, so 0.5, 0.5 is its middle.
- Tensors: people come first: masks are (people, height, width), stacks (tokens, channels).
- Randomness: one seed per picture.
"""

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Box", "Point", "Size"]


class Point(NamedTuple):
    """A place on a canvas, in fractions of its width and height; outside 0 to 1 is outside the canvas."""

    x: float
    y: float


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def aspect(self) -> float:
        """Width divided by height."""
        return self.width / self.height

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: left and top inclusive, right and bottom exclusive.

    Raises:
        ValueError: when right <= left or bottom <= top.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (self.right > self.left and self.bottom > self.top):
            raise ValueError(f"Expected a box with right > left and bottom > top, but got {self.corners}.")

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom)."""
        return (self.left, self.top, self.right, self.bottom)

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """The middle (x, y) in pixels."""
        return ((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    def expanded(self, margin: float) -> "Box":
        """This box with `margin` of its width and height added in all, half on each side (0.25: a quarter larger)."""
        dx, dy = self.width * margin / 2, self.height * margin / 2
        return Box(self.left - dx, self.top - dy, self.right + dx, self.bottom + dy)

    def overlaps(self, other: "Box") -> bool:
        """Whether the two boxes share any area."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def inside(self, size: Size) -> bool:
        """Whether the whole box lies on a canvas of that size."""
        return self.left >= 0 and self.top >= 0 and self.right <= size.width and self.bottom <= size.height
