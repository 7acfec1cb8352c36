"""The demonstration's sheet: who goes in, what else the model is given, and what comes out with and without masks."""

from collections.abc import Sequence
from dataclasses import replace

import PIL.Image
from PIL import ImageDraw

from multiid.geometry import Box
from multiid.mini.demo.cards import draw_cards
from multiid.mini.demo.outcome import draw_outcome
from multiid.mini.demo.paper import CARD, FAINT, GAP, INK, PAPER, disc, font
from multiid.mini.demo.show import Shown, Sighting
from multiid.mini.demo.stage import draw_stage

__all__ = ["draw_demo"]

_WIDEST, _HIGHEST = 2000, 560  # pixels: of the sheet, and of each picture on it
_NARROWEST = 1180
_ZOOMS = (2, 3, 4, 5)
_NUMBERS = ("Two", "Three", "Four", "Five", "Six", "Seven", "Eight")


def draw_demo(shown: Shown) -> PIL.Image.Image:
    """Everything on one sheet, to be read from top to bottom.

    Pictures are shown several times as large as they are, as far as the sheet is wide enough.
    """
    picture = shown.masked.image
    fitting = [
        zoom for zoom in _ZOOMS if 2 * zoom * picture.width + 3 * GAP <= _WIDEST and zoom * picture.height <= _HIGHEST
    ]
    zoom = max(fitting, default=1)
    width = max(_NARROWEST, 2 * zoom * picture.width + 3 * GAP)
    return _stacked(
        [
            _title(shown, width),
            _heading("1", "Who: two portraits of each person, and a few words", width),
            draw_cards(shown.plan.guests, width),
            _heading("2", "Where: each person is heard in their own place alone", width),
            draw_stage(shown.masked, width, zoom * picture.width),
            _heading("3", "What comes out, and whom each face resembles", width),
            _outcomes(shown, width, zoom),
            _foot(width),
        ]
    )


def _title(shown: Shown, width: int) -> PIL.Image.Image:
    strip = PIL.Image.new("RGB", (width, 108), PAPER)
    draw = ImageDraw.Draw(strip)
    count = len(shown.plan.guests)
    people = "One person" if count == 1 else f"{_NUMBERS[count - 2]} people"
    draw.text((GAP, 26), f"{people} in one picture", font=font(40), fill=INK)
    about = "Made by multiid's preset mini, an SDXL in miniature, of cartoon people that it never saw in training."
    draw.text((GAP + 2, 82), about, font=font(18), fill=FAINT)
    return strip


def _heading(number: str, text: str, width: int) -> PIL.Image.Image:
    strip = PIL.Image.new("RGB", (width, 66), PAPER)
    disc(strip, (GAP + 16, 38), 16, INK)
    draw = ImageDraw.Draw(strip)
    draw.text((GAP + 16, 38), number, font=font(19), fill=CARD, anchor="mm")
    draw.text((GAP + 44, 38), text, font=font(24), fill=INK, anchor="lm")
    return strip


def _outcomes(shown: Shown, width: int, zoom: int) -> PIL.Image.Image:
    half = (width - 3 * GAP) // 2
    columns = [
        draw_outcome(
            title,
            _enlarged(made.image, zoom),
            [_scaled(seen, zoom) for seen in sightings],
            shown.masked.names,
            half,
        )
        for title, made, sightings in (
            ("With masks", shown.masked, shown.seen),
            ("The same seed without masks", shown.unmasked, shown.mixed),
        )
    ]
    strip = PIL.Image.new("RGB", (width, max(column.height for column in columns)), PAPER)
    for number, column in enumerate(columns):
        strip.paste(column, (GAP + number * (half + GAP), 0))
    return strip


def _foot(width: int) -> PIL.Image.Image:
    strip = PIL.Image.new("RGB", (width, 58), PAPER)
    text = "Bars: cosine similarity, by a second network, to portraits of each person that the model was not given."
    ImageDraw.Draw(strip).text((GAP + 2, 18), text, font=font(16), fill=FAINT)
    return strip


def _stacked(strips: Sequence[PIL.Image.Image]) -> PIL.Image.Image:
    sheet = PIL.Image.new("RGB", (strips[0].width, sum(strip.height for strip in strips)), PAPER)
    y = 0
    for strip in strips:
        sheet.paste(strip, (0, y))
        y += strip.height
    return sheet


def _enlarged(picture: PIL.Image.Image, zoom: int) -> PIL.Image.Image:
    return picture.resize((picture.width * zoom, picture.height * zoom), PIL.Image.Resampling.BICUBIC)


def _scaled(seen: Sighting | None, zoom: int) -> Sighting | None:
    """The same sighting in the enlarged picture."""
    return None if seen is None else replace(seen, box=Box(*(zoom * side for side in seen.box.corners)))
