"""What is on a face: eyes, brows, nose, mouth, cheeks, wrinkles and glasses."""

import math

from multiid.mini.world.colours import EYES, HAIR, INK, SKIN, Colour, darker, lighter, mixed
from multiid.mini.world.pen import Pen, Points, arc, circle, polygon, smooth
from multiid.mini.world.people import Person
from multiid.mini.world.view import SURFACE, Expression, HeadView

__all__ = ["draw_cheeks", "draw_eyes", "draw_glasses", "draw_mouth", "draw_wrinkles"]

_EYE_X = 0.41
_EYE_Y = 0.08
_WHITE: Colour = (255, 255, 255)
_LENS: Colour = (214, 240, 248)
_DARK_LENS: Colour = (62, 56, 84)
_ROUND_FRAME: Colour = (206, 30, 52)
_SQUARE_FRAME: Colour = (26, 30, 66)
_LIPS: Colour = (214, 60, 88)
_PINK: Colour = (228, 104, 104)
_DARK = 300  # sum of a skin's channels below which dark lips would not be seen
_MOUTH: Colour = (122, 24, 40)
_TONGUE: Colour = (240, 120, 120)

_ROUND_LENS = circle(0, 0, 0.39, 0.41, 18)
_SQUARE_LENS = smooth(polygon((-0.41, -0.4), (0.41, -0.4), (0.39, 0.4), (-0.39, 0.4)), rounds=1)
_DARK_SHAPE = smooth(polygon((-0.46, -0.44), (0.46, -0.44), (0.46, 0.2), (0.1, 0.56), (-0.1, 0.56), (-0.46, 0.2)))


def _spot(view: HeadView, x: float, y: float, shape: Points) -> Points:
    """A small shape about a place on the face."""
    return view.project(shape, SURFACE, at=(x, y))


def draw_cheeks(pen: Pen, view: HeadView, person: Person) -> None:
    """Rosy cheeks: a child's are large and red, a man's cannot be seen."""
    if person.age != "child" and person.gender == "male":
        return
    radius = 0.23 if person.age == "child" else 0.13
    rosy = mixed(SKIN[person.skin], (248, 72, 92), 0.66 if person.age == "child" else 0.2)
    x = 0.56 if person.face == "heart" else 0.68
    for side in (-1, 1):
        # Beside the mouth and below the lenses of glasses.
        pen.fill(_spot(view, side * x, 0.5, circle(0, 0, radius, radius * 0.78, 10)), rosy)


def draw_wrinkles(pen: Pen, view: HeadView, person: Person, *, ink: float) -> None:
    """Lines of age on forehead and cheeks."""
    line = darker(SKIN[person.skin], 0.34)
    pen.line(_spot(view, 0, -0.38, arc(0, 0.5, 0.7, 0.56, 238, 302, 6)), line, ink * 0.8)
    for side in (-1, 1):
        pen.line(_spot(view, 0, 0, polygon((side * 0.24, 0.42), (side * 0.42, 0.52), (side * 0.48, 0.68))), line, ink)
        pen.line(_spot(view, side * 0.46, 0.3, arc(0, 0, 0.26, 0.2, 30, 150, 6)), line, ink * 0.9)


def draw_eyes(pen: Pen, view: HeadView, person: Person, *, ink: float) -> None:
    """Eyes with brows; behind dark glasses the whites are dim and the iris stays clear."""
    dark, female = person.glasses == "dark", person.gender == "female"
    size = {"child": 1.2, "adult": 1.0, "elder": 0.92}[person.age]
    whites = mixed(_WHITE, _DARK_LENS, 0.72) if dark else _WHITE
    iris = lighter(EYES[person.eyes], 0.2) if dark else EYES[person.eyes]
    brow = darker(HAIR[person.hair_colour], 0.25)
    for side in (-1, 1):
        x = side * _EYE_X
        white = _spot(view, x, _EYE_Y, circle(0, 0, 0.27 * size, 0.32 * size))
        pen.fill(white, whites, outline=0 if dark else ink * 0.5)
        pen.fill(_spot(view, x, _EYE_Y + 0.02, circle(0, 0, 0.22 * size, 0.26 * size, 14)), iris)
        pen.fill(_spot(view, x, _EYE_Y + 0.03, circle(0, 0, 0.09 * size, 0.11 * size, 10)), (20, 14, 22))
        pen.fill(_spot(view, x - 0.07, _EYE_Y - 0.09, circle(0, 0, 0.065, count=8)), _WHITE)
        lid = arc(0, 0, 0.29 * size, 0.33 * size, 200, 340, 8)
        pen.line(_spot(view, x, _EYE_Y, lid), INK, ink * (1.5 if female else 1.0))
        if female:
            for start, end in ((0.2, -0.16), (0.24, -0.02)):
                lash = polygon((side * start, end), (side * (start + 0.16), end - 0.12))
                pen.line(_spot(view, x, _EYE_Y, lash), INK, ink * 1.1)
        if person.glasses == "none" or not female:
            arch = arc(0, 0.2, 0.34, 0.3, 215, 325, 6) if female else arc(0, 0.42, 0.5, 0.5, 238, 302, 6)
            thick = 0.09 if female or person.age == "child" else 0.16
            pen.line(_spot(view, x, _EYE_Y - 0.42, arch), brow, thick * view.unit)


def draw_glasses(pen: Pen, view: HeadView, kind: str, *, ink: float, behind: bool) -> None:
    """The lenses (`behind` the eyes, so that these are seen clearly) or the frames (before them)."""
    if kind == "none":
        return
    lens = {"round": _ROUND_LENS, "square": _SQUARE_LENS, "dark": _DARK_SHAPE}[kind]
    frame = {"round": _ROUND_FRAME, "square": _SQUARE_FRAME, "dark": INK}[kind]
    width = max(0.13 * view.unit, ink)
    for side in (-1, 1):
        points = _spot(view, side * _EYE_X, _EYE_Y, lens)
        if behind:
            pen.fill(points, _DARK_LENS if kind == "dark" else _LENS)
        else:
            pen.line(points, frame, width, closed=True)
            temple = polygon((side * (_EYE_X + 0.38), _EYE_Y - 0.1), (side * 1.0, _EYE_Y - 0.14))
            pen.line(view.project(temple, _TEMPLE), frame, width * 0.8)
    if not behind:
        pen.line(_spot(view, 0, _EYE_Y - 0.06, polygon((-0.06, 0), (0.06, 0))), frame, width)


def draw_mouth(pen: Pen, view: HeadView, person: Person, expression: Expression, *, ink: float) -> None:
    """Nose and mouth."""
    skin = SKIN[person.skin]
    pen.fill(_spot(view, 0, 0.36, circle(0, 0, 0.12, 0.09, 10)), darker(mixed(skin, (230, 90, 70), 0.3), 0.12))
    painted = person.gender == "female" and person.age != "child"
    lips = _LIPS if painted else darker(mixed(skin, _MOUTH, 0.5), 0.4)
    if person.beard in ("full", "moustache"):
        lips = _PINK
    elif not painted and sum(skin) < _DARK:
        lips = mixed(skin, _PINK, 0.5)
    y = 0.72 if person.face != "round" else 0.68
    wide = 0.26 + 0.12 * expression.smile
    if expression.open > 0.25:
        drop = 0.08 + 0.16 * expression.open
        shape = smooth(polygon((-wide, -0.06), (0, -0.02), (wide, -0.06), (wide * 0.6, drop), (-wide * 0.6, drop)),
                       rounds=1)  # fmt: skip
        pen.line(_spot(view, 0, y, shape), lips, ink * (2.4 if painted else 1.4), closed=True)
        pen.fill(_spot(view, 0, y, shape), _MOUTH)
        pen.fill(_spot(view, 0, y + drop * 0.55, circle(0, 0, wide * 0.5, drop * 0.35, 8)), _TONGUE)
        return
    curve = 0.02 + 0.14 * expression.smile
    line = polygon(*((wide * math.sin(a), curve * (math.cos(a) - 0.5)) for a in (-1.5, -1.0, -0.5, 0, 0.5, 1.0, 1.5)))
    pen.line(_spot(view, 0, y, line), lips, ink * (2.2 if painted else 1.5))


_TEMPLE = polygon((SURFACE, 0), (0.1, 0))[:, 0]  # from the front of the face back to the ear
