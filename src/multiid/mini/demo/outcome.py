"""What comes out, on the demonstration's sheet: a picture, and beneath it whom each face resembles."""

from collections.abc import Sequence

import PIL.Image
from PIL import ImageDraw

from multiid.mini.demo.paper import (
    CARD,
    FAINT,
    INK,
    LINE,
    PAPER,
    RIGHT,
    WRONG,
    fill,
    font,
    mount,
    person_colour,
    text_width,
    verdict_mark,
    write_lines,
)
from multiid.mini.demo.show import Sighting

__all__ = ["draw_outcome"]

_FACE = 128  # pixels of the largest side
_AROUND = 0.9  # how much of a face's size is shown around it, so that hair is seen
_HEAD = 40  # pixels above the picture
_VERDICT = 48
_BAR, _ROW = 9, 19


def draw_outcome(
    title: str, picture: PIL.Image.Image, sightings: Sequence[Sighting | None], names: Sequence[str], width: int
) -> PIL.Image.Image:
    """A picture under its title; beneath it the face at each person's place and how much it is like everybody.

    Args:
        title: what is special about this picture.
        picture: as large as it is to be shown; the sightings' boxes are in its pixels.
        sightings: who is seen at each person's place, from left to right; None where no face was found.
        names: of the people, in the same order.
        width: of what is drawn, in pixels.
    """
    cell = width / len(names)
    face = min(_FACE, round(cell) - 12)
    below = _HEAD + picture.height + _VERDICT
    column = PIL.Image.new("RGB", (width, below + face + 44 + _ROW * len(names)), PAPER)
    draw = ImageDraw.Draw(column)
    draw.text((2, 6), title, font=font(21), fill=INK)
    mount(column, picture, ((width - picture.width) // 2, _HEAD))
    right = sum(seen is not None and seen.nearest == index for index, seen in enumerate(sightings))
    faces = "face is" if len(names) == 1 else "faces are"
    text = f"{right} of {len(names)} {faces} nearest to the person who belongs there"
    colour = RIGHT if right == len(names) else WRONG
    draw.text((2, _HEAD + picture.height + 14), text, font=font(19), fill=colour)
    for index, seen in enumerate(sightings):
        x = round(index * cell) + 2
        _draw_face(column, (x, below), picture, seen, index, names, face)
        if seen is not None:
            _draw_bars(column, (x, below + face + 36), seen, index, names, round(cell) - 14)
    return column


def _draw_face(
    column: PIL.Image.Image,
    corner: tuple[int, int],
    picture: PIL.Image.Image,
    seen: Sighting | None,
    index: int,
    names: Sequence[str],
    side: int,
) -> None:
    """The face at somebody's place, framed in the colour of whom it resembles, and whether it is who it should be."""
    draw = ImageDraw.Draw(column)
    x, y = corner
    own = names[index].capitalize()
    if seen is None:
        fill(column, (x, y, x + side, y + side), LINE, radius=10)
        draw.text((x + side / 2, y + side / 2), "no face", font=font(16), fill=FAINT, anchor="mm")
        verdict_mark(column, (x + side - 8, y + 8), right=False)
        write_lines(draw, (x, y + side + 8), f"{own} is not seen", width=side, size=15, colour=WRONG)
        return
    colour = person_colour(seen.nearest)
    fill(column, (x - 2, y - 2, x + side + 2, y + side + 2), colour, radius=13)
    mount(column, _cut(picture, seen, side - 4), (x + 2, y + 2), frame=colour)
    verdict_mark(column, (x + side - 8, y + 8), right=seen.nearest == index)
    text = own if seen.nearest == index else f"not {own}"
    draw.text((x, y + side + 8), text, font=font(16), fill=RIGHT if seen.nearest == index else WRONG)


def _draw_bars(
    column: PIL.Image.Image, corner: tuple[int, int], seen: Sighting, own: int, names: Sequence[str], width: int
) -> None:
    """The cosine with each person as a bar of their colour; the person who belongs there is written in full ink."""
    draw = ImageDraw.Draw(column)
    x, y = corner
    words = max(text_width(name.capitalize(), 14) for name in names) + 6
    value_width = text_width("-0.00", 14) + 4
    room = max(8.0, width - words - value_width)
    for index, (name, value) in enumerate(zip(names, seen.similarities, strict=True)):
        middle = y + index * _ROW + _ROW / 2
        ink = INK if index == own else FAINT
        draw.text((x, middle), name.capitalize(), font=font(14), fill=ink, anchor="lm")
        left = x + words
        fill(column, (left, middle - _BAR / 2, left + room, middle + _BAR / 2), CARD, radius=_BAR / 2)
        long = max(_BAR, room * min(1.0, max(0.0, value)))
        fill(column, (left, middle - _BAR / 2, left + long, middle + _BAR / 2), person_colour(index), radius=_BAR / 2)
        draw.text((left + room + 4, middle), f"{round(value, 2) + 0.0:.2f}", font=font(14), fill=ink, anchor="lm")


def _cut(picture: PIL.Image.Image, seen: Sighting, side: int) -> PIL.Image.Image:
    """A face with its hair, in a square of that many pixels."""
    around = seen.box.expanded(_AROUND)
    half = max(around.width, around.height) / 2
    x, y = around.centre
    return picture.transform(
        (side, side),
        PIL.Image.Transform.EXTENT,
        (x - half, y - half, x + half, y + half),
        PIL.Image.Resampling.BICUBIC,
        fillcolor=PAPER,
    )
