"""Portraits: one person's head and shoulders, however the person looks that day."""

from dataclasses import dataclass

import cv2
import numpy as np
import PIL.Image

from multiid.geometry import Box, Size
from multiid.mini.world.colours import CLOTHES, SKIN, Colour, darker, lighter
from multiid.mini.world.dice import Dice
from multiid.mini.world.head import draw_back_hair, draw_head, ink_width
from multiid.mini.world.pen import Pen, circle, polygon, smooth
from multiid.mini.world.people import Person
from multiid.mini.world.view import Expression, HeadView

__all__ = ["Portrait", "draw_portrait"]

_UNIT = 0.255  # half a head's width, as a share of the picture's side
_BACKGROUNDS: tuple[Colour, ...] = (
    (226, 214, 196), (190, 214, 226), (206, 222, 190), (232, 198, 196), (206, 198, 226), (168, 176, 186),
    (236, 222, 160), (150, 190, 180),
)  # fmt: skip
_SHOULDERS = smooth(polygon((-1.7, 2.6), (-1.6, 1.65), (-0.7, 1.28), (0.7, 1.28), (1.6, 1.65), (1.7, 2.6)), rounds=2)


@dataclass(frozen=True)
class Portrait:
    """A portrait and its truth.

    Attributes:
        picture: a square RGB picture.
        face: the box around the face, without hair, in pixels.
        view: how the head is seen.
        expression: what the face does.
    """

    picture: PIL.Image.Image
    face: Box
    view: HeadView
    expression: Expression


def draw_portrait(person: Person, *, seed: int = 0, size: int = 64) -> Portrait:
    """A person's portrait; the seed sets pose, expression, light, clothes and background, never who it is.

    Args:
        person: whom to draw.
        seed: the same seed gives the same bytes.
        size: pixels of each side.

    Raises:
        ValueError: when `size` is under 16.
    """
    if size < 16:
        raise ValueError(f"size: expected at least 16 pixels, but got {size}")
    dice = Dice("portrait", seed)
    unit = _UNIT * size * dice.between(0.94, 1.06)
    view = HeadView(
        x=size * dice.between(0.47, 0.53),
        y=size * dice.between(0.54, 0.58),
        unit=unit,
        tilt=dice.between(-12, 12),
        turn=dice.between(-30, 30),
        nod=dice.between(-10, 10),
    )
    expression = Expression(smile=dice.between(0.1, 1.0), open=dice.pick((0.0, 0.0, 0.6, 1.0)))
    pen = Pen(Size(size, size))
    _draw_backdrop(pen, dice, size)
    clothes = CLOTHES[dice.pick(tuple(CLOTHES))]
    body = HeadView(view.x, view.y, unit, tilt=view.tilt * 0.3)
    ink = ink_width(view)
    draw_back_hair(pen, view, person)
    pen.fill(body.project(_SHOULDERS), clothes, outline=ink * 2)
    neck = darker(SKIN[person.skin], 0.2)
    pen.fill(body.project(polygon((-0.3, 0.7), (0.3, 0.7), (0.36, 1.4), (0, 1.6), (-0.36, 1.4))), neck, outline=ink)
    face = draw_head(pen, view, person, expression)
    pixels = _lit(pen.pixels(), dice)
    return Portrait(PIL.Image.fromarray(pixels), face, view, expression)


def _draw_backdrop(pen: Pen, dice: Dice, size: int) -> None:
    colour = dice.pick(_BACKGROUNDS)
    pen.gradient(lighter(colour, dice.between(0.0, 0.4)), darker(colour, dice.between(0.0, 0.25)))
    if dice.chance(0.5):
        x, y = size * dice.between(0.1, 0.9), size * dice.between(0.1, 0.6)
        pen.fill(circle(x, y, size * dice.between(0.2, 0.5)), lighter(colour, 0.35))


def _lit(pixels: np.ndarray, dice: Dice) -> np.ndarray:
    """Light from a side, warm or cool, mild enough that colours stay what they are."""
    gain, warmth, side = dice.between(0.9, 1.06), dice.between(-0.04, 0.04), dice.between(-0.08, 0.08)
    across = np.linspace(1 - side, 1 + side, pixels.shape[1], dtype=np.float32)[None, :, None]
    tint = np.array([gain * (1 + warmth), gain, gain * (1 - warmth)], np.float32)
    return cv2.convertScaleAbs(pixels * (across * tint))
