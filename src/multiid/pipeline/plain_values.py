"""Checks the plain values of a scene's records against their marked types and ranges."""

from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import PIL.Image
from annotated_types import Ge, Gt

from multiid.errors import SceneError

__all__ = ["check_picture", "check_values"]

_PLAIN = {bool: "True or False", int: "a whole number", float: "a number", str: "a text"}


def check_values(record: Any, prefix: str = "") -> None:
    """Raises a SceneError for the first plain field of a dataclass that is not of its marked type and range.

    Fields that hold something else (people, a pose, a region) are passed over.
    """
    for name, hint in get_type_hints(type(record), include_extras=True).items():
        value = getattr(record, name)
        optional, hints = _alternatives(hint)
        kind = getattr(hints[0], "__origin__", hints[0])
        if len(hints) > 1 or kind not in _PLAIN or (optional and value is None):
            continue
        if not _is(value, kind):
            raise SceneError(f"{prefix}{name}: expected {_PLAIN[kind]}, but got {value!r}.")
        for bound in getattr(hints[0], "__metadata__", ()):
            # Written so that "not a number" fails as well.
            match bound:
                case Ge(ge=least):
                    fits, limit = value >= least, f"at least {least}"
                case Gt(gt=least):
                    fits, limit = value > least, f"more than {least}"
                case _:
                    fits, limit = value <= bound.le, f"at most {bound.le}"
            if not fits:
                raise SceneError(f"{prefix}{name}: expected {limit}, but got {value}.")


def check_picture(value: Any, name: str) -> None:
    """Raises a SceneError for what is no picture of Pillow's."""
    if not isinstance(value, PIL.Image.Image):
        raise SceneError(f"{name}: expected a picture, but got {type(value).__name__}.")


def _alternatives(hint: Any) -> tuple[bool, list[Any]]:
    """Whether a type may be None, and what else it may be."""
    parts = get_args(hint) if isinstance(hint, UnionType) or get_origin(hint) is Union else (hint,)
    return NoneType in parts, [part for part in parts if part is not NoneType]


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool):  # to Python, True is a number
        return kind is bool
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)
