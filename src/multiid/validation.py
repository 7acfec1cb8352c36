"""What pydantic found wrong with a file, in one line that a person can act on."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

__all__ = ["describe_error", "suggest"]

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_LONGEST_VALUE = 40  # characters of an offending value that are quoted

Location = tuple[int | str, ...]


def suggest(name: str, known: Sequence[str]) -> str:
    """The end of a message about an unknown name: "; did you mean 'x'?", or the known names where none is near."""
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f"; did you mean {' or '.join(repr(other) for other in near)}?"
    return f"; known are {', '.join(known)}" if known else ""


def describe_error(error: ValidationError, schema: Mapping[str, Any], *, source: str | Path) -> str:
    """The first thing wrong, as "file: key.path: what was expected", and how many more there are.

    Args:
        error: what `model_validate` raised.
        schema: the model's JSON schema, for the names that are known where an unknown one came.
        source: the file, as the user named it.
    """
    found = error.errors(include_url=False)
    first = found[0]
    location: Location = first["loc"]
    kind, value = first["type"], first["input"]
    context = first.get("ctx", {})
    if kind in _UNKNOWN_KEY:
        text = "unknown key" + suggest(str(location[-1]), _known_keys(schema, location[:-1]))
    elif kind in ("missing", "missing_argument"):
        text = "expected a value, but it is missing"
    elif kind == "value_error":
        text = str(context["error"])
    elif kind == "json_invalid":
        text = f"expected JSON, but got {context['error']}"
    elif kind in ("too_short", "too_long"):
        limit = context["min_length"] if kind == "too_short" else context["max_length"]
        least_or_most = "least" if kind == "too_short" else "most"
        text = f"expected at {least_or_most} {limit} values, but got {context['actual_length']}"
    else:
        text = f"{first['msg'].replace('Input should be', 'expected', 1)}, but got {_quoted(value)}"
    path = ".".join(str(key) for key in location)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    line = ": ".join(part for part in (str(source), path, text) if part) + more
    return line if line.endswith(("?", ".")) else f"{line}."


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


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
