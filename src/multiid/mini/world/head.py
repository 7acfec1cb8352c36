"""A head: face, ears, hair, beard and what is on the face."""

from functools import cache

import numpy as np

from multiid.geometry import Box
from multiid.mini.world.beard import draw_beard
from multiid.mini.world.colours import HAIR, SKIN, Colour, darker, lighter, mixed
from multiid.mini.world.features import draw_cheeks, draw_eyes, draw_glasses, draw_mouth, draw_wrinkles
from multiid.mini.world.hair import hair_style
from multiid.mini.world.pen import Pen, Points, arc, circle
from multiid.mini.world.people import Person
from multiid.mini.world.view import Expression, HeadView

__all__ = ["RIBBON", "draw_back_hair", "draw_head", "face_outline", "fitted", "head_box", "ink_width"]

_FACES: dict[str, tuple[float, float, float]] = {
    "round": (1.05, 0.98, 2.1),
    "square": (0.98, 1.07, 4.6),
    "oval": (0.83, 1.22, 2.1),
    "heart": (1.03, 1.15, 2.2),
}
"""Half width and half height of a face, and the power of its superellipse (2 is an ellipse, more is squarer)."""

_HAIR_DEPTH = 0.3  # hair lines move a little with the face
_BEHIND_DEPTH = -0.35
_GOLD: Colour = (255, 204, 48)
RIBBON: Colour = (236, 60, 92)
"""What ties hair."""


def ink_width(view: HeadView) -> float:
    """How wide outlines are at this size, in pixels."""
    return max(0.075 * view.unit, 0.6)


@cache
def face_outline(face: str, age: str) -> Points:
    """The outline of a face in half head widths."""
    rx, ry, power = _FACES[face]
    angles = np.radians(np.arange(0, 360, 9))
    x, y = (np.sign(f(angles)) * np.abs(f(angles)) ** (2 / power) for f in (np.cos, np.sin))
    if face == "heart":
        x = x * (1 - 0.62 * np.clip(y, 0, 1) ** 1.3)
    if age == "child":
        rx, ry = rx * 1.03, ry * 0.94
    return np.stack([x * rx, y * ry], axis=1)


def fitted(shape: Points, person: Person) -> Points:
    """Hair made for a round head, on a head of another shape."""
    rx, ry, _ = _FACES[person.face]
    return shape * ((1 + rx) / 2, (1 + ry) / 2)


def draw_back_hair(pen: Pen, view: HeadView, person: Person) -> None:
    """What of the hair lies behind head and neck."""
    style, ink = hair_style(person.hair_style), ink_width(view)
    colour = darker(HAIR[person.hair_colour], 0.12)
    for shape in style.behind:
        pen.fill(view.project(fitted(shape, person), _BEHIND_DEPTH), colour, outline=ink * 2)
    for shape in style.ties:
        pen.fill(view.project(fitted(shape, person), _BEHIND_DEPTH), RIBBON, outline=ink)


def draw_head(pen: Pen, view: HeadView, person: Person, expression: Expression) -> Box:
    """Draw all of a head but `draw_back_hair`; gives the box around the face, without hair, in pixels."""
    skin, hair, ink = SKIN[person.skin], HAIR[person.hair_colour], ink_width(view)
    shade = darker(skin, 0.16)
    outline = face_outline(person.face, person.age)
    rx = _FACES[person.face][0]
    for side in (-1, 1):
        pen.fill(view.project(circle(side * rx, 0.14, 0.2, 0.24, 12), -0.1), shade, outline=ink * 2)
    contour = view.project(outline)
    pen.fill(contour, shade, outline=ink * 2)
    pen.fill(view.project(outline * 0.93 + (-0.05, -0.05)), skin)

    draw_cheeks(pen, view, person)
    if person.age == "elder":
        draw_wrinkles(pen, view, person, ink=ink)
    # A moustache hangs over the mouth, other beards surround it.
    for beard in (person.beard != "moustache", person.beard == "moustache"):
        if beard:
            draw_beard(pen, view, person.beard, outline=outline, hair=hair, skin=person.skin, ink=ink)
        else:
            draw_mouth(pen, view, person, expression, ink=ink)
    draw_glasses(pen, view, person.glasses, ink=ink, behind=True)
    draw_eyes(pen, view, person, ink=ink)
    draw_glasses(pen, view, person.glasses, ink=ink, behind=False)

    style = hair_style(person.hair_style)
    for shape in style.shaved:
        pen.fill(view.project(fitted(shape, person), _depths(shape)), mixed(skin, hair, 0.45), outline=ink)
    for shape in style.front:
        pen.fill(view.project(fitted(shape, person), _depths(shape)), hair, outline=ink * 2)
    if person.hair_style not in ("tufts", "mohawk"):
        shine = fitted(arc(0, -0.05, 0.86, 0.94, 212, 258, 8), person)
        pen.line(view.project(shine, _HAIR_DEPTH), lighter(hair, 0.35), ink * 1.6)
    if person.gender == "female":
        for side in (-1, 1):
            pen.fill(view.project(circle(side * (rx + 0.06), 0.46, 0.1, count=10), -0.1), _GOLD, outline=ink)
    left, top = contour.min(axis=0)
    right, bottom = contour.max(axis=0)
    return Box(float(left), float(top), float(right), float(bottom))


def _depths(shape: Points) -> np.ndarray:
    """Hair on the outline of the head stays, hair over the face moves with it."""
    return _HAIR_DEPTH * 2 * np.clip(1.0 - np.hypot(shape[:, 0], shape[:, 1] * 0.9), 0, 0.5)


def head_box(view: HeadView, person: Person, face: Box) -> Box:
    """The box around face and hair, in pixels."""
    style = hair_style(person.hair_style)
    hair = [view.project(fitted(shape, person), _BEHIND_DEPTH) for shape in (*style.behind, *style.ties)]
    hair += [view.project(fitted(shape, person), _depths(shape)) for shape in (*style.front, *style.shaved)]
    corners = np.concatenate([*hair, np.array(face.corners).reshape(2, 2)])
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return Box(float(left), float(top), float(right), float(bottom))
