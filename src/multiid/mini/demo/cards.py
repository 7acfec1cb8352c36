"""The people on the demonstration's sheet: a card for each, with the portraits and words that the model is given."""

from collections.abc import Sequence

import PIL.Image
from PIL import ImageDraw

from multiid.mini.demo.paper import (
    CARD,
    FAINT,
    GAP,
    LINE,
    PAPER,
    fill,
    font,
    mount,
    person_colour,
    text_width,
    write_lines,
)
from multiid.mini.demo.plan import Guest

__all__ = ["draw_cards"]

_LARGEST = 168  # pixels of a portrait's side
_PAD = 14
_BETWEEN = 8
_SIZE = 16  # of letters
_NAME = 34  # the height of the coloured strip with the name


def draw_cards(guests: Sequence[Guest], width: int) -> PIL.Image.Image:
    """A card for each person, side by side on a strip of that many pixels."""
    between = GAP if len(guests) <= 4 else GAP // 2
    cell = (width - 2 * GAP - (len(guests) - 1) * between) // len(guests)
    portraits = len(guests[0].portraits)
    side = min(_LARGEST, (cell - 2 * _PAD - (portraits - 1) * _BETWEEN) // portraits)
    card = min(cell, portraits * side + (portraits - 1) * _BETWEEN + 2 * _PAD)
    lines = 1 if all(text_width(_words(guest), _SIZE) <= card - _PAD for guest in guests) else 2
    strip = PIL.Image.new("RGB", (width, _NAME + side + 2 * _PAD + 8 + lines * 21), PAPER)
    left = (width - len(guests) * card - (len(guests) - 1) * between) // 2
    for index, guest in enumerate(guests):
        _draw_card(strip, guest, left + index * (card + between), card, side, index)
    return strip


def _draw_card(strip: PIL.Image.Image, guest: Guest, x: int, width: int, side: int, index: int) -> None:
    draw = ImageDraw.Draw(strip)
    bottom = strip.height - 2
    fill(strip, (x - 1, 0, x + width + 1, bottom + 1), LINE, radius=15)
    fill(strip, (x, 1, x + width, bottom), CARD, radius=14)
    fill(strip, (x, 1, x + width, _NAME + 14), person_colour(index), radius=14)
    draw.rectangle((x, _NAME, x + width - 1, _NAME + 14), fill=CARD)
    draw.text((x + _PAD, _NAME / 2 + 1), guest.name.capitalize(), font=font(20), fill=CARD, anchor="lm")
    top = _NAME + _PAD
    for number, portrait in enumerate(guest.portraits):
        scaled = portrait.resize((side, side), PIL.Image.Resampling.LANCZOS)
        mount(strip, scaled, (x + _PAD + number * (side + _BETWEEN), top))
    write_lines(draw, (x + _PAD, top + side + 8), _words(guest), width=width - _PAD, size=_SIZE, colour=FAINT)


def _words(guest: Guest) -> str:
    return f"{guest.person.noun} {guest.clothes}"
