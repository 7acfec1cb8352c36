"""What the demonstration's sheet is drawn with: colours, letters, cards and marks, all with smooth edges."""

from functools import cache

import PIL.Image
from PIL import ImageDraw, ImageFont

__all__ = [
    "CARD",
    "FAINT",
    "GAP",
    "INK",
    "LINE",
    "PAPER",
    "RIGHT",
    "WRONG",
    "Colour",
    "disc",
    "fill",
    "font",
    "mount",
    "person_colour",
    "text_width",
    "verdict_mark",
    "write_lines",
]

Colour = tuple[int, int, int]

GAP = 28
"""Pixels between things, and around them."""

PAPER: Colour = (250, 245, 236)
CARD: Colour = (255, 255, 255)
LINE: Colour = (226, 217, 205)
INK: Colour = (50, 36, 48)
FAINT: Colour = (116, 102, 110)
RIGHT: Colour = (20, 128, 78)
WRONG: Colour = (200, 44, 50)

_PEOPLE: tuple[Colour, ...] = (
    (226, 138, 12), (58, 136, 214), (0, 146, 108), (208, 88, 150), (120, 88, 206), (206, 84, 40), (92, 150, 40),
    (60, 112, 134),
)  # fmt: skip
_FINER = 4  # shapes are drawn so many times as large, then made smaller
_ROUND = 10  # pixels: the corners of pictures


def person_colour(index: int) -> Colour:
    """The colour that stands for a person on the sheet; after eight they come again."""
    return _PEOPLE[index % len(_PEOPLE)]


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own letters."""
    return ImageFont.load_default(size)


def text_width(text: str, size: int) -> float:
    """How many pixels wide a line of text is."""
    return font(size).getlength(text)


def fill(sheet: PIL.Image.Image, box: tuple[float, float, float, float], colour: Colour, *, radius: float) -> None:
    """A filled rectangle (left, top, right, bottom) with round corners."""
    left, top, right, bottom = map(round, box)
    if right > left and bottom > top:
        sheet.paste(colour, (left, top, right, bottom), _rounded((right - left, bottom - top), radius))


def disc(sheet: PIL.Image.Image, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    """A filled circle."""
    x, y = centre
    fill(sheet, (x - radius, y - radius, x + radius, y + radius), colour, radius=radius)


def mount(sheet: PIL.Image.Image, picture: PIL.Image.Image, corner: tuple[int, int], *, frame: Colour = LINE) -> None:
    """A picture with round corners and a thin frame around it."""
    x, y = corner
    fill(sheet, (x - 2, y - 2, x + picture.width + 2, y + picture.height + 2), frame, radius=_ROUND + 2)
    sheet.paste(picture, corner, _rounded(picture.size, _ROUND))


def verdict_mark(sheet: PIL.Image.Image, centre: tuple[float, float], *, right: bool, radius: int = 13) -> None:
    """A tick on green or a cross on red."""
    disc(sheet, centre, radius + 2, CARD)
    disc(sheet, centre, radius, RIGHT if right else WRONG)
    side = 2 * radius
    stroke = PIL.Image.new("L", (side * _FINER, side * _FINER), 0)
    draw = ImageDraw.Draw(stroke)
    tick = [[(0.27, 0.53), (0.43, 0.69), (0.74, 0.34)]]
    cross = [[(0.31, 0.31), (0.69, 0.69)], [(0.69, 0.31), (0.31, 0.69)]]
    for line in tick if right else cross:
        points = [(x * stroke.width, y * stroke.height) for x, y in line]
        draw.line(points, fill=255, width=round(0.13 * stroke.width), joint="curve")
    stroke = stroke.resize((side, side), PIL.Image.Resampling.LANCZOS)
    sheet.paste(CARD, (round(centre[0] - radius), round(centre[1] - radius)), stroke)


def write_lines(
    draw: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, *, width: float, size: int, colour: Colour
) -> float:
    """Writes text in lines no wider than `width` pixels, parted between words; gives where the next line begins."""
    x, y = corner
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and text_width(longer, size) > width:
            draw.text((x, y), line, font=font(size), fill=colour)
            line, y = word, y + round(size * 1.3)
        else:
            line = longer
    draw.text((x, y), line, font=font(size), fill=colour)
    return y + round(size * 1.3)


@cache
def _rounded(size: tuple[int, int], radius: float) -> PIL.Image.Image:
    """A mask of a rectangle with round corners."""
    width, height = size
    corner = min(round(radius), width // 2, height // 2)
    mask = PIL.Image.new("L", size, 255)
    if not corner:
        return mask
    large = PIL.Image.new("L", (2 * corner * _FINER, 2 * corner * _FINER), 0)
    ImageDraw.Draw(large).ellipse((0, 0, large.width - 1, large.height - 1), fill=255)
    circle = large.resize((2 * corner, 2 * corner), PIL.Image.Resampling.LANCZOS)
    for left, x in ((0, 0), (corner, width - corner)):
        for top, y in ((0, 0), (corner, height - corner)):
            mask.paste(circle.crop((left, top, left + corner, top + corner)), (x, y))
    return mask
