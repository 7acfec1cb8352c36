"""The values that a script is made of, with what is said where one is something else."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, MaxLen
from PIL import ImageColor
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from multiid.errors import IdentityError
from multiid.people.identity import check_words

__all__ = [
    "Colour",
    "FilePath",
    "Fraction",
    "Language",
    "Millimetres",
    "Name",
    "PanelNumber",
    "Side",
    "SoundWord",
    "Text",
    "Weight",
    "is_panel_number",
]

_NAME = r"^[^\u0000-,./:-@\[-^`{-\u007f\s]+$"
"""Letters, digits, - and _ as editors check them: the same in every dialect, and so no stricter than ASCII goes."""

_COLOUR = r"^(#([0-9A-Fa-f]{3}){1,2}|[A-Za-z]+(\([^()]+\))?)$"
"""What looks like a colour; which names there are is not said."""

_LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$"
_NUMBER = r"^[1-9][0-9]*\.[1-9][0-9]*$"


def _like(pattern: str, what: str) -> Callable[[str], str]:
    """A check that says in words what a text should be like."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {what}, but got {value!r}")
        return value

    return check


def _name(value: str) -> str:
    try:
        check_words(value, "person")
    except IdentityError as error:
        raise ValueError(f"expected a name of letters, digits, - and _, but got {value!r}") from error
    return value


def _words(value: str) -> str:
    if not value.strip():
        raise ValueError(f"expected words, but got {value!r}")
    return value


def _path(value: str) -> str:
    if not value:
        raise ValueError("expected a file or a folder, but got an empty name")
    return value


def is_panel_number(text: str) -> bool:
    """Whether a text is a page and a panel on it: "3.2"."""
    return re.fullmatch(_NUMBER, text) is not None


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


Text = Annotated[str, MaxLen(2000), AfterValidator(_words), Field(json_schema_extra={"pattern": r"\S"})]
"""Words that are read."""

SoundWord = Annotated[str, MaxLen(60), AfterValidator(_words), Field(json_schema_extra={"pattern": r"\S"})]
"""A sound word, or a few."""

FilePath = Annotated[str, AfterValidator(_path), Field(json_schema_extra={"minLength": 1})]
"""A file or a folder, relative to the script."""

Colour = Annotated[str, AfterValidator(_colour), Field(json_schema_extra={"pattern": _COLOUR})]
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
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "pattern": _NAME}),
]
"""As identities are called: letters of any script with their marks, digits, - and _."""

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
