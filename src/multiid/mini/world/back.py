"""A head seen from behind: hair where the face would be, ears and the nape."""

import numpy as np

from multiid.geometry import Box
from multiid.mini.world.colours import HAIR, SKIN, darker, mixed
from multiid.mini.world.hair import hair_style
from multiid.mini.world.head import RIBBON, face_outline, fitted, head_box, ink_width
from multiid.mini.world.pen import Pen, Points, circle
from multiid.mini.world.people import Person
from multiid.mini.world.view import HeadView

__all__ = ["draw_head_from_behind"]

_HAIRLINE = 0.62  # how far down the hair reaches, in half head widths; the nape is beneath
_SKULL = 0.97  # of the head's outline, so that hair lies within the ink


def draw_head_from_behind(pen: Pen, view: HeadView, person: Person) -> Box:
    """Draw all of a head that looks away; gives the box around it with its hair, in pixels.

    Nothing was ever trained on such heads.
    """
    skin, hair, ink = SKIN[person.skin], HAIR[person.hair_colour], ink_width(view)
    shade, style = darker(skin, 0.16), hair_style(person.hair_style)
    outline = face_outline(person.face, person.age)
    for shape in style.front:
        pen.fill(view.project(_mirrored(fitted(shape, person))), hair, outline=ink * 2)
    for side in (-1, 1):
        pen.fill(view.project(circle(side * outline[:, 0].max(), 0.14, 0.2, 0.24, 12)), shade, outline=ink * 2)
    contour = view.project(outline)
    pen.fill(contour, shade, outline=ink * 2)
    cap = outline * _SKULL
    cap = np.stack([cap[:, 0], np.minimum(cap[:, 1], _HAIRLINE)], axis=1)
    # Of a bald head only the tufts at its sides are hair, of a shaved one a crest from brow to nape.
    crown = {"tufts": skin, "mohawk": mixed(skin, hair, 0.45)}.get(person.hair_style, hair)
    pen.fill(view.project(cap), crown)
    if person.hair_style == "mohawk":
        crest = np.array([[-0.3, -1.2], [0.3, -1.2], [0.2, _HAIRLINE], [-0.2, _HAIRLINE]])
        pen.fill(view.project(fitted(crest, person)), hair)
    for shape in style.behind:
        pen.fill(view.project(_mirrored(fitted(shape, person))), darker(hair, 0.12), outline=ink * 2)
    for shape in style.ties:
        pen.fill(view.project(_mirrored(fitted(shape, person))), RIBBON, outline=ink)
    left, top = contour.min(axis=0)
    right, bottom = contour.max(axis=0)
    return head_box(view, person, Box(float(left), float(top), float(right), float(bottom)))


def _mirrored(shape: Points) -> Points:
    """What hangs at the right of a head that faces us hangs at the left of one that looks away."""
    return shape * np.array([-1.0, 1.0])
