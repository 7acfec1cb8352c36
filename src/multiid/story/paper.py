"""Paper in pixels: how large pages are, where they are cut, and how much room lies around and between panels."""

from dataclasses import dataclass

from multiid.geometry import Box, Size
from multiid.story.script import Paper

__all__ = ["STRIP_WIDTH", "PageFormat", "measure"]

STRIP_WIDTH = 800
"""A webtoon's width in pixels, whatever the resolution."""

_INCH = 25.4  # millimetres
_SIZES = {"a4": (210.0, 297.0), "us-comic": (6.625 * _INCH, 10.25 * _INCH), "square": (210.0, 210.0)}
_MOST_PIXELS = 80_000_000  # of a page; readers of pictures, Pillow among them, take more for an attack
_TALLEST_INCHES = 200  # of a page in a PDF file, by the format's own limit
_TALLEST = 65_000  # pixels; about what other formats of pictures can hold
_LEAST_INSIDE = 10.0  # millimetres of a panel's picture, within its border
_SAFE = 5.0  # millimetres within the cut that a cutter may miss by


@dataclass(frozen=True, kw_only=True)
class PageFormat:
    """A paper's lengths in pixels.

    Attributes:
        width: between the cuts.
        height: between the cuts; None for a strip, which is as tall as its panels need.
        width_mm, height_mm: the same, exactly, in millimetres.
        dpi: pixels per inch.
        margin, gutter, border, bleed: as the paper's; a border that is asked for is at least a pixel.
        gap: of the paper's colour around an inset; a quarter of the gutter.
        safe: how far from the cut words must stay; nothing for a strip, which nobody cuts.
        least: a panel's shortest side, which leaves 10 mm within its border.
        tallest: what a page may have in height, the bleed included.
    """

    width: int
    height: int | None
    width_mm: float
    height_mm: float | None
    dpi: int
    margin: int
    gutter: int
    border: int
    bleed: int
    gap: int
    safe: int
    least: int
    tallest: int

    def size(self, height: int) -> Size:
        """The whole page of that height between the cuts, bleed included."""
        return Size(self.width + 2 * self.bleed, height + 2 * self.bleed)

    def trim(self, height: int) -> Box:
        """What the cut leaves of a page of that height."""
        return Box(self.bleed, self.bleed, self.bleed + self.width, self.bleed + height)


def measure(paper: Paper) -> PageFormat:
    """A paper in whole pixels.

    Raises:
        ValueError: when the margins leave no room, pages had more than 80 megapixels, or a webtoon has a bleed.
    """

    def pixels(millimetres: float) -> int:
        return round(millimetres / _INCH * paper.dpi)

    bleed = pixels(paper.bleed)
    if paper.size == "webtoon":
        if paper.bleed:
            raise ValueError(f"bleed: expected 0 for a webtoon, which nobody cuts, but got {paper.bleed:g} mm")
        width, height = STRIP_WIDTH, None
        width_mm, height_mm = STRIP_WIDTH * _INCH / paper.dpi, None
    else:
        width_mm, height_mm = _SIZES[paper.size] if isinstance(paper.size, str) else paper.size
        width, height = pixels(width_mm), pixels(height_mm)
        area = (width + 2 * bleed) * (height + 2 * bleed)
        if area > _MOST_PIXELS:
            raise ValueError(
                f"dpi: expected pages of at most {_MOST_PIXELS / 1e6:g} megapixels, but {width_mm:g} by "
                f"{height_mm:g} mm at {paper.dpi} dpi have {area / 1e6:.0f}"
            )
    shorter = width_mm if height_mm is None else min(width_mm, height_mm)
    if 2 * paper.margin >= shorter:
        raise ValueError(
            f"margin: expected less than half of the paper's shorter side, {shorter / 2:g} mm, but got {paper.margin:g}"
        )
    return PageFormat(
        width=width,
        height=height,
        width_mm=width_mm,
        height_mm=height_mm,
        dpi=paper.dpi,
        margin=pixels(paper.margin),
        gutter=pixels(paper.gutter),
        border=max(1, pixels(paper.border)) if paper.border else 0,
        bleed=bleed,
        gap=pixels(paper.gutter / 4),
        safe=0 if height is None else pixels(_SAFE),
        least=pixels(_LEAST_INSIDE + 2 * paper.border),
        tallest=min(_TALLEST_INCHES * paper.dpi, _TALLEST),
    )
