"""A picture with a frame and words for each person found in it, or not: what `multiid verify --explain` shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import PIL.Image
from PIL import ImageDraw, ImageFont

from multiid.explain import Colour, draw_sheet, drawable
from multiid.geometry import Box

__all__ = ["Mark", "annotate"]

_PAPER: Colour = (24, 24, 28)

# In pixels.
_SIDE = 960  # of the picture's longer side, where it is enlarged or made smaller
_TEXT = 20
_PAD = 5
_LINE = 3
_DASH = 9


@dataclass(frozen=True)
class Mark:
    """A frame in a picture.

    Attributes:
        box: in pixels of the picture; it may reach beyond it.
        label: what is written above; nothing where it is empty.
        colour: of the frame and the label.
        dashed: whether it stands for something that is not there.
    """

    box: Box
    label: str
    colour: Colour
    dashed: bool = False


def annotate(picture: PIL.Image.Image, marks: Sequence[Mark], *, title: str, lines: Sequence[str]) -> PIL.Image.Image:
    """The picture, its longer side brought to 960 pixels, with frames and labels, a title above and words beneath.

    Args:
        picture: upright.
        marks: in the order in which they are drawn; no label covers another.
        title: one line.
        lines: what is written beneath; long ones are wrapped.
    """
    scale = _SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    # A small picture keeps its pixels visible.
    panel = picture.convert("RGB").resize(
        size, PIL.Image.Resampling.NEAREST if scale > 1 else PIL.Image.Resampling.LANCZOS
    )
    draw = ImageDraw.Draw(panel)
    scaled = [tuple(corner * scale for corner in mark.box.corners) for mark in marks]
    for mark, (left, top, right, bottom) in zip(marks, scaled, strict=True):
        _frame(draw, (left, top, right, bottom), mark)
    taken: list[Box] = []
    for mark, (left, top, right, bottom) in zip(marks, scaled, strict=True):  # after all frames: none crosses words
        if mark.label:
            _label(draw, ((left + right) / 2, top, bottom), mark, panel.size, taken)
    return draw_sheet([(title, panel)], lines)


def _frame(draw: ImageDraw.ImageDraw, corners: tuple[float, float, float, float], mark: Mark) -> None:
    left, top, right, bottom = corners
    if not mark.dashed:
        draw.rectangle(corners, outline=mark.colour, width=_LINE)
        return
    for y in (top, bottom):
        for start, end in _dashes(left, right):
            draw.line((start, y, end, y), fill=mark.colour, width=_LINE)
    for x in (left, right):
        for start, end in _dashes(top, bottom):
            draw.line((x, start, x, end), fill=mark.colour, width=_LINE)


def _dashes(start: float, end: float) -> Iterator[tuple[float, float]]:
    while start < end:
        yield start, min(start + _DASH, end)
        start += 2 * _DASH


def _label(
    draw: ImageDraw.ImageDraw, at: tuple[float, float, float], mark: Mark, size: tuple[int, int], taken: list[Box]
) -> None:
    """The label above its frame or, where there is no room, beneath it; moved down past others."""
    middle, top, bottom = at
    font = ImageFont.load_default(_TEXT)
    text = drawable(mark.label)
    width, height = font.getlength(text) + 2 * _PAD, _TEXT + 2 * _PAD
    left = max(0.0, min(middle - width / 2, size[0] - width))
    upper = top - height if top >= height else min(bottom, size[1] - height)
    box = Box(left, upper, left + width, upper + height)
    while any(box.overlaps(other) for other in taken) and box.bottom + height <= size[1]:
        box = Box(left, box.top + height / 2, left + width, box.bottom + height / 2)
    taken.append(box)
    draw.rounded_rectangle(box.corners, radius=_PAD, fill=mark.colour)
    draw.text(box.centre, text, font=font, fill=_PAPER, anchor="mm")
