"""The values that a script is made of, with what is said where one is something else."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Len
from PIL import ImageColor
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

__all__ = [
    "Colour",
    "Fraction",
    "Language",
    "Millimetres",
    "Name",
    "PanelNumber",
    "Side",
    "SoundWord",
    "Text",
    "Weight",
]

_NAME = r"^\w[\w-]*$"
_LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$"
_NUMBER = r"^[1-9][0-9]*\.[1-9][0-9]*$"


def _like(pattern: str, what: str) -> Callable[[str], str]:
    """A check that says in words what a text should be like."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {what}, but got {value!r}")
        return value

    return check


def _words(value: Any) -> Any:
    """Refuses what YAML takes for something else than words."""
    if isinstance(value, bool):
        raise ValueError(f"expected a text, but got {value}: put yes, no, on, off, true and false in quotes")
    return value


def _panel_number(value: Any) -> Any:
    """Refuses what YAML takes for a number: 1.10 would be 1.1."""
    if isinstance(value, int | float):
        raise ValueError(f'expected a page and a panel in quotes, such as "3.2", but got the number {value}')
    return value


def _colour(value: str) -> str:
    try:
        is_plain = len(ImageColor.getrgb(value)) == 3 and max(ImageColor.getrgb(value)) <= 255
    except ValueError:
        is_plain = False
    if not is_plain:
        raise ValueError(f"expected a colour such as white or #ffd400, but got {value!r}")
    return value


Text = Annotated[str, BeforeValidator(_words), Len(1, 2000)]
"""Words that are read."""

SoundWord = Annotated[str, BeforeValidator(_words), Len(1, 60)]
"""A sound word, or a few."""

Colour = Annotated[str, AfterValidator(_colour)]
"""As CSS names it or as #rrggbb."""

Millimetres = Annotated[float, Ge(0), Le(100)]
"""A margin or a gap."""

Side = Annotated[float, Ge(20), Le(2000)]
"""A side of the paper, in millimetres."""

Weight = Annotated[float, Gt(0), Le(100)]
"""How large something is beside its neighbours."""

Fraction = Annotated[float, Ge(0), Le(1)]
"""A share of a whole."""

Name = Annotated[
    str,
    AfterValidator(_like(_NAME, "a name of letters, digits, - and _")),
    WithJsonSchema({"type": "string", "pattern": _NAME}),
]
"""As identities are called: letters of any script, digits, - and _."""

Language = Annotated[
    str,
    AfterValidator(_like(_LANGUAGE, "a language such as en or pt-BR")),
    WithJsonSchema({"type": "string", "pattern": _LANGUAGE}),
]
"""As BCP 47 names it."""

PanelNumber = Annotated[
    str,
    BeforeValidator(_panel_number),
    AfterValidator(_like(_NUMBER, 'a page and a panel, such as "3.2"')),
    WithJsonSchema({"type": "string", "pattern": _NUMBER}),
]
"""A page and a panel on it, both counted from 1: "3.2"."""
