"""What templates say to people: how many they are for, and their JSON, laid out to be read and changed."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["count_people", "template_text"]

_WIDTH = 120
_INDENT = "  "


def count_people(people: int) -> str:
    """How many people, in words: "1 person", "2 people"."""
    return "1 person" if people == 1 else f"{people} people"


def template_text(document: Mapping[str, Any]) -> str:
    """JSON text of a template's keys and values, one key a line, where what is short stays.

    Points and angles are wrapped at 120 columns. The text ends in a line break and is the same for the same document.
    """
    return _written(document, 0) + "\n"


def _written(value: Any, depth: int) -> str:
    """A value whose first line stands behind its key, in an object `depth` levels deep."""
    plain = json.dumps(value, ensure_ascii=False)
    inner, outer = _INDENT * (depth + 1), _INDENT * depth
    if isinstance(value, Mapping) and (depth == 0 or len(plain) > _WIDTH // 2):
        lines = [f"{json.dumps(key)}: {_written(entry, depth + 1)}" for key, entry in value.items()]
        return "{\n" + ",\n".join(inner + line for line in lines) + f"\n{outer}}}"
    if isinstance(value, Mapping | str) or not isinstance(value, Sequence) or len(plain) <= _WIDTH // 2:
        return plain
    if any(isinstance(entry, Mapping) for entry in value):
        return "[\n" + ",\n".join(inner + _written(entry, depth + 1) for entry in value) + f"\n{outer}]"
    # A point must not be torn apart, so its space does not count as one.
    joined = ", ".join(json.dumps(entry).replace(" ", "\0") for entry in value)
    lines = textwrap.wrap(joined, _WIDTH, initial_indent=inner, subsequent_indent=inner, break_long_words=False)
    return "[\n" + "\n".join(lines).replace("\0", " ") + f"\n{outer}]"
