"""How large pictures are, for models that were trained on other sizes than templates are made for."""

import math
from dataclasses import dataclass

from multiid.geometry import Size

__all__ = ["AreaRule"]

_LEAST = 64  # pixels; the shortest side of a scene


@dataclass(frozen=True, kw_only=True)
class AreaRule:
    """A picture's area by the number of its places: `side`**2 * places**`growth` pixels.

    Attributes:
        side: of a square picture of one place, in pixels.
        growth: how the area grows with the places: 0 not at all, 1 keeps the area that each has.

    Raises:
        ValueError: when `side` is below 64 or `growth` is not from 0 to 1.
    """

    side: int
    growth: float

    def __post_init__(self) -> None:
        if self.side < _LEAST or not 0 <= self.growth <= 1:
            raise ValueError(
                f"Expected a side of at least {_LEAST} and a growth from 0 to 1, but got {self.side} and {self.growth}."
            )

    def area(self, places: int) -> float:
        """The area of a picture of so many places, in pixels; none count as one."""
        return self.side**2 * max(1, places) ** self.growth

    def scaled(self, size: Size, *, places: int, multiple: int) -> Size:
        """A size of that area and about the same shape.

        Args:
            size: the shape.
            places: how many people have a place in the picture; none count as one.
            multiple: both sides are rounded to a multiple of it; none is under 64 pixels.
        """
        scale = math.sqrt(self.area(places) / (size.width * size.height))
        least = math.ceil(_LEAST / multiple) * multiple
        width, height = (max(least, round(side * scale / multiple) * multiple) for side in size)
        return Size(width, height)
