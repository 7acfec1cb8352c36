"""A page laid out: where its panels are, what of them words may cover, what is cut off, in whole pixels."""

from dataclasses import dataclass

from multiid.geometry import Box, Size

__all__ = ["Sheet"]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A page laid out, in pixels; the bleed is part of it.

    Attributes:
        size: of the whole page.
        trim: what the cut leaves.
        safe: where words may stand: no cutter misses by so much.
        panels: boxes with their borders, in reading order; those at the cut reach into the bleed.
        insets: how many of the last panels lie on others, with a gap around them.
        border: how thick the line around a panel is, within its box.
        gap: of the paper's colour around an inset.
        dpi: pixels per inch.
        millimetres: width and height between the cuts, without the pixels' rounding.
    """

    size: Size
    trim: Box
    safe: Box
    panels: tuple[Box, ...]
    insets: int
    border: int
    gap: int
    dpi: int
    millimetres: tuple[float, float]

    def inside(self, index: int) -> Box:
        """A panel's picture on the page, within its border; there is no border where the panel runs off the page."""
        box = self.panels[index]
        return Box(
            box.left + (self.border if box.left > 0 else 0),
            box.top + (self.border if box.top > 0 else 0),
            box.right - (self.border if box.right < self.size.width else 0),
            box.bottom - (self.border if box.bottom < self.size.height else 0),
        )

    def picture(self, index: int) -> Size:
        """The size of a panel's picture on the page."""
        box = self.inside(index)
        return Size(round(box.width), round(box.height))

    def is_inset(self, index: int) -> bool:
        """Whether a panel lies on others."""
        return index >= len(self.panels) - self.insets

    def with_gap(self, index: int) -> Box:
        """An inset on the page, with the gap around it."""
        box = self.panels[index]
        return Box(box.left - self.gap, box.top - self.gap, box.right + self.gap, box.bottom + self.gap)

    def for_words(self, index: int) -> Box:
        """The part of a panel's picture that words may stand on, in the picture's own pixels."""
        box, safe = self.inside(index), self.safe
        return Box(
            max(box.left, safe.left) - box.left,
            max(box.top, safe.top) - box.top,
            min(box.right, safe.right) - box.left,
            min(box.bottom, safe.bottom) - box.top,
        )

    def hidden(self, index: int) -> tuple[Box, ...]:
        """What insets drawn later hide of a panel's picture, in the picture's own pixels; it may reach beyond it."""
        box = self.inside(index)
        above = (self.with_gap(other) for other in range(index + 1, len(self.panels)) if self.is_inset(other))
        return tuple(
            Box(other.left - box.left, other.top - box.top, other.right - box.left, other.bottom - box.top)
            for other in above
            if other.overlaps(box)
        )
