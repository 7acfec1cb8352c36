"""What pydantic found wrong with a file, in one line that a person can act on."""

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

__all__ = ["describe_error", "suggest"]

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_LONGEST_VALUE = 40  # characters of an offending value that are quoted
_LONGEST_TEXT = 400  # characters of any part of a message

Location = tuple[int | str, ...]


def suggest(name: str, known: Sequence[str]) -> str:
    """The end of a sentence about an unknown name: "; did you mean 'x'?", or the known names where none is near."""
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f"; did you mean {' or '.join(repr(other) for other in near)}?"
    return f"; known are {', '.join(known)}." if known else "."


def describe_error(error: ValidationError, schema: Mapping[str, Any], *, source: str | Path) -> str:
    """The first thing wrong, as "file: key.path: what was expected", and how many more there are.

    Unknown keys go first, because a misspelt key is the reason for the missing one.

    Args:
        error: what `model_validate` raised.
        schema: the model's JSON schema, for the names that are known where an unknown one came.
        source: the file, as the user named it.
    """
    found = error.errors(include_url=False)
    found = [item for item in found if not _follows_from_another(item, found)]
    first = min(found, key=lambda item: item["type"] not in _UNKNOWN_KEY)
    # Keys, and what a model's own checks say, may hold texts of the file's, of any length and in several lines.
    path = _shortened(".".join(str(key) for key in first["loc"]))
    text = _shortened(_expectation(first, schema).removesuffix("."))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    line = ": ".join(part for part in (str(source), path, text) if part) + more
    return line if line.endswith(("?", ".")) else f"{line}."


def _follows_from_another(item: ErrorDetails, found: Sequence[ErrorDetails]) -> bool:
    """A tuple is called too short when its items are invalid."""
    depth = len(item["loc"])
    return item["type"] == "too_short" and any(
        len(other["loc"]) > depth and other["loc"][:depth] == item["loc"] for other in found
    )


def _expectation(item: ErrorDetails, schema: Mapping[str, Any]) -> str:
    kind, location = item["type"], item["loc"]
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
        return f"expected a text as key, but got {_quoted(item['input'])}"
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


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}[...]"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}[...]"


def _known_keys(schema: Mapping[str, Any], location: Location) -> list[str]:
    """The names of the properties at a place in a JSON schema."""
    nodes: list[Mapping[str, Any]] = [schema]
    for key in location:
        nodes = [child for node in _expanded(schema, nodes) for child in _children(node, key)]
    return sorted({name for node in _expanded(schema, nodes) for name in node.get("properties", {})})


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
    child = node.get("items") if isinstance(key, int) else node.get("properties", {}).get(key)
    return [child] if isinstance(child, Mapping) else []
