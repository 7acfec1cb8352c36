"""What pydantic found wrong with a file, in lines that a person can act on."""

import datetime
import difflib
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

__all__ = ["Location", "Misfit", "describe_error", "find_misfits", "shorten", "suggest"]

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_LONGEST_VALUE = 40  # characters of an offending value that are quoted
_LONGEST_TEXT = 400  # characters of any part of a message
_LONGEST_LIST = 250  # characters of known names that a sentence lists

_EXPECTED = {"string_type": "a text", "list_type": "a list", "dict_type": "keys and values"}
"""What pydantic's errors of types say in words that files use."""

Location = tuple[int | str, ...]
"""The keys and indices that lead to a value of a file."""


@dataclass(frozen=True)
class Misfit:
    """A value that is not as it should be.

    Attributes:
        location: of the value; of a missing key, where it would be.
        text: what was expected and what came, in one line without a full stop.
        unknown_key: whether it is a key that nobody knows, which may be the reason why another is missing.
    """

    location: Location
    text: str
    unknown_key: bool = False


def suggest(name: str, known: Sequence[str]) -> str:
    """The end of a sentence about an unknown name: "; did you mean 'x'?", or the known names where none is near.

    Of many only the first are listed, and how many more there are.
    """
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f"; did you mean {' or '.join(repr(other) for other in near)}?"
    if not known:
        return "."
    ends = itertools.accumulate(len(name) + 2 for name in known)
    listed = max(1, sum(end <= _LONGEST_LIST for end in ends))
    more = f" and {len(known) - listed} more" if listed < len(known) else ""
    return f"; known are {', '.join(known[:listed])}{more}."


def shorten(text: str, longest: int = _LONGEST_TEXT) -> str:
    """A text in one line, cut where it is longer than so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]}[...]"


def describe_error(error: ValidationError, schema: Mapping[str, Any], *, source: str | Path) -> str:
    """The first thing wrong, as "file: key.path: what was expected", and how many more there are.

    Unknown keys go first, because a misspelt key is the reason for the missing one.

    Args:
        error: what `model_validate` raised.
        schema: the model's JSON schema, for the names that are known where an unknown one came.
        source: the file, as the user named it.
    """
    found = find_misfits(error, schema)
    first = min(found, key=lambda misfit: not misfit.unknown_key)
    path = shorten(".".join(str(key) for key in first.location))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    line = ": ".join(part for part in (str(source), path, first.text) if part) + more
    return line if line.endswith(("?", ".")) else f"{line}."


def find_misfits(error: ValidationError, schema: Mapping[str, Any]) -> list[Misfit]:
    """Everything wrong, each once, in pydantic's order.

    Of a value that may be one thing or another (a text or a list), only what is wrong with the one that it comes
    nearest to is told.

    Args:
        error: what `model_validate` raised.
        schema: as for `describe_error`.
    """
    found = error.errors(include_url=False)
    wrong = [_Wrong.of(item, schema) for item in found if not _follows_from_another(item, found)]
    return [
        # What a model's own checks say may hold texts of the file's, of any length and in several lines.
        Misfit(item.location, shorten(item.text.removesuffix(".")), item.kind in _UNKNOWN_KEY)
        for item in _nearest_alternatives(wrong)
    ]


@dataclass(frozen=True)
class _Wrong:
    """One of pydantic's errors.

    Attributes:
        kind: pydantic's name for it.
        location: without the names that pydantic gives to the alternatives of a union.
        text: what was expected.
        branch: where the union is, and the name of its alternative; None outside of unions.
    """

    kind: str
    location: Location
    text: str
    branch: tuple[Location, str] | None

    @classmethod
    def of(cls, item: ErrorDetails, schema: Mapping[str, Any]) -> "_Wrong":
        location, branch = _without_alternatives(item, schema)
        text = _expectation(item, location, schema)
        if item["type"] == "model_type" and branch is None and _may_be_text(schema, location):
            text = text.replace("expected keys and values", "expected a text, or keys and values", 1)
            text += _quotes_needed(item["input"])
        return cls(item["type"], location, text, branch)

    @property
    def is_of_another_type(self) -> bool:
        """Whether the value is not even of this alternative's type."""
        at_the_union = self.branch is not None and self.location == self.branch[0]
        return at_the_union and (self.kind.endswith("_type") or self.kind == "literal_error")


def _without_alternatives(
    item: ErrorDetails, schema: Mapping[str, Any]
) -> tuple[Location, tuple[Location, str] | None]:
    location: Location = ()
    branch: tuple[Location, str] | None = None
    nodes: list[Mapping[str, Any]] = [schema]
    for position, key in enumerate(_named_keys(item)):
        spread = _expanded(schema, nodes)
        children = [child for node in spread for child in _children(node, key)]
        is_unknown_key = item["type"] in _UNKNOWN_KEY and position == len(item["loc"]) - 1
        of_a_union = isinstance(key, str) and sum(node.get("type") != "null" for node in spread) > 1
        if of_a_union and not children and not is_unknown_key:
            branch = branch or (location, str(key))
        else:
            location, nodes = (*location, key), children
    return location, branch


def _named_keys(item: ErrorDetails) -> Location:
    """Where an error is; where a key itself is wrong, which may be no text, that key as text."""
    *around, last = item["loc"] or ("",)
    if last == "[key]":  # what pydantic calls the key itself, beside its value
        return (*around[:-1], str(item["input"]))
    return (*around, str(item["input"])) if item["type"] == "invalid_key" else item["loc"]


def _nearest_alternatives(wrong: Sequence[_Wrong]) -> list[_Wrong]:
    """Without what is wrong with those alternatives of a union that were not meant."""
    result: list[_Wrong] = []
    for item in wrong:
        rivals = [other for other in wrong if item.branch and other.branch and other.branch[0] == item.branch[0]]
        if not item.is_of_another_type or len(rivals) == 1:
            result.append(item)
        elif item is rivals[0] and all(rival.is_of_another_type for rival in rivals):
            expected = [rival.text.partition(", but got ")[0].removeprefix("expected ") for rival in rivals]
            got = item.text.partition(", but got ")[2]
            result.append(replace(item, text=f"expected {' or '.join(expected)}, but got {got}"))
    return result


def _follows_from_another(item: ErrorDetails, found: Sequence[ErrorDetails]) -> bool:
    """A tuple is called too short when its items are invalid."""
    depth = len(item["loc"])
    return item["type"] == "too_short" and any(
        len(other["loc"]) > depth and other["loc"][:depth] == item["loc"] for other in found
    )


def _expectation(item: ErrorDetails, location: Location, schema: Mapping[str, Any]) -> str:
    kind = item["type"]
    context = item.get("ctx", {})
    if kind in _UNKNOWN_KEY:
        return "unknown key" + suggest(str(location[-1]), _known_keys(schema, location[:-1]))
    if kind in ("missing", "missing_argument"):
        return "expected a value, but it is missing"
    if kind == "value_error":
        return str(context["error"])
    if kind in ("model_type", "dataclass_type"):
        return f"expected keys and values, but got {_quoted(item['input'])}"
    if kind == "invalid_key":
        return f"expected a text as key, but got {_quoted(item['input'])}{_quotes_needed(item['input'])}"
    if kind in _EXPECTED:
        advice = _quotes_needed(item["input"]) if kind == "string_type" else ""
        return f"expected {_EXPECTED[kind]}, but got {_quoted(item['input'])}{advice}"
    if kind == "json_invalid":
        return f"expected JSON, but got {context['error']}"
    if kind in ("too_short", "too_long"):
        limit = context["min_length"] if kind == "too_short" else context["max_length"]
        bound = "least" if kind == "too_short" else "most"
        return f"expected at {bound} {limit} value{'s' if limit != 1 else ''}, but got {context['actual_length']}"
    if kind == "string_pattern_mismatch":
        return f"expected a text that matches {context['pattern']}, but got {_quoted(item['input'])}"
    message = re.sub(r"^\w+ should (be|have) ", "expected ", item["msg"])
    return f"{message}, but got {_quoted(item['input'])}"


def _quotes_needed(value: object) -> str:
    """What makes a text of a value that YAML takes for something else."""
    if isinstance(value, bool):
        return ": put yes, no, on, off, true and false in quotes"
    looks_otherwise = isinstance(value, int | float | datetime.date)
    return ": put a text that looks like a number, a date or a time in quotes" if looks_otherwise else ""


def _quoted(value: object) -> str:
    text = str(value) if isinstance(value, datetime.date) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}[...]"


def _known_keys(schema: Mapping[str, Any], location: Location) -> list[str]:
    """The names of the properties at a place in a JSON schema."""
    return sorted({name for node in _nodes_at(schema, location) for name in node.get("properties", {})})


def _may_be_text(schema: Mapping[str, Any], location: Location) -> bool:
    return any(node.get("type") == "string" for node in _nodes_at(schema, location))


def _nodes_at(schema: Mapping[str, Any], location: Location) -> list[Mapping[str, Any]]:
    """The alternatives at a place in a JSON schema."""
    nodes: list[Mapping[str, Any]] = [schema]
    for key in location:
        nodes = [child for node in _expanded(schema, nodes) for child in _children(node, key)]
    return _expanded(schema, nodes)


def _expanded(schema: Mapping[str, Any], nodes: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The nodes with references followed and alternatives spread out."""
    result: list[Mapping[str, Any]] = []
    for node in nodes:
        if "$ref" in node:
            result += _expanded(schema, [schema["$defs"][node["$ref"].rpartition("/")[2]]])
        elif "anyOf" in node:
            result += _expanded(schema, node["anyOf"])
        else:
            result.append(node)
    return result


def _children(node: Mapping[str, Any], key: int | str) -> list[Mapping[str, Any]]:
    if isinstance(key, int):
        child = node.get("items")
    else:
        others = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
        child = node.get("properties", {}).get(key, others[0])
    return [child] if isinstance(child, Mapping) else []
