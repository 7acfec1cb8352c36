"""A row of people: the plainest pose for any small number of them."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from multiid.errors import TemplateError
from multiid.geometry import Point, Size
from multiid.poses.body import Body, Limb
from multiid.poses.skeleton import Place, Pose
from multiid.poses.template_text import count_people
from multiid.poses.templates import Template, TemplatePlace, template_schema
from multiid.validation import describe_error

__all__ = ["MOST_IN_A_ROW", "make_row", "row_template"]

_ROWS: Mapping[int, tuple[Size, float]] = {
    1: (Size(896, 1152), 1.9),
    2: (Size(1024, 1024), 1.6),
    3: (Size(1152, 896), 1.5),
    4: (Size(1216, 832), 1.42),
    5: (Size(1344, 768), 1.35),
    6: (Size(1344, 768), 1.15),
    7: (Size(1536, 640), 1.3),
    8: (Size(1536, 640), 1.2),
}
"""The canvas, one of those that SDXL was trained on, and how tall people are in canvas heights."""

MOST_IN_A_ROW = max(_ROWS)
"""People for whom there is a row."""

_FACE_HEIGHT = 0.3  # of the canvas, where noses are
_TURN = 14.0  # degrees; those at the ends turn to the middle


def make_row(people: int) -> Pose:
    """So many grown-up people standing in a row, faces to the camera.

    Raises:
        ValueError: when there are fewer than 1 or more than `MOST_IN_A_ROW`.
    """
    size, bodies = _row(people)
    return Pose(size, tuple(Place(body.skeleton(size)) for body in bodies))


def row_template(people: int, *, name: str) -> Template:
    """The row as a template, for somebody to go on from: numbers are round.

    Raises:
        TemplateError: when there are fewer than 1 or more than `MOST_IN_A_ROW`, or the name is none for a template.
    """
    try:
        size, bodies = _row(people)
    except ValueError as error:
        raise TemplateError(
            f"{error}; for more copy one of the library's with --like (multiid templates list --people {people}), "
            "or write one (docs/templates.md)."
        ) from error
    rounded = [
        replace(body, face=Point(round((index + 0.5) / people, 3), _FACE_HEIGHT), turn=round(body.turn, 1))
        for index, body in enumerate(bodies)
    ]
    document = {
        "name": name,
        "title": f"{count_people(people)} in a row",
        "size": size,
        "places": tuple(TemplatePlace(body=body) for body in rounded),
    }
    try:
        return Template.model_validate(document)
    except ValidationError as error:
        raise TemplateError(describe_error(error, template_schema(), source="the template")) from error


def _row(people: int) -> tuple[Size, list[Body]]:
    if people not in _ROWS:
        raise ValueError(f"people: expected 1 to {MOST_IN_A_ROW}, but got {people}")
    size, stature = _ROWS[people]
    across = [(index + 0.5) / people for index in range(people)]
    arm = Limb(out=4.0, bend=16.0, twist=30.0)
    return size, [
        Body(face=Point(x, _FACE_HEIGHT), height=stature, turn=_TURN * (1 - 2 * x), right_arm=arm, left_arm=arm)
        for x in across
    ]
