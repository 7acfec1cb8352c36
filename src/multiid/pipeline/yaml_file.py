"""Reading YAML as plain data, with errors that name the line."""

import re
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from multiid.errors import MultiIDError, SceneError

__all__ = ["read_yaml"]

_MOST_VALUES = 10_000  # a scene of many people has a few hundred
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_QUOTES = " (texts that begin with a brace or hold a colon need quotes)"


def read_yaml(file: Path, error_type: type[MultiIDError] = SceneError) -> Any:
    """What a YAML file says, as dicts, lists, texts, numbers and dates.

    Refused though PyYAML takes it: a key that comes twice, which YAML forbids; escapes for what is no character; and
    references (`*name`) that contain themselves, or write out to more than 10,000 values from a few lines.

    Args:
        file: to read.
        error_type: what to raise.

    Raises:
        MultiIDError: of that type, when it is absent, unreadable or not YAML; the line is named.
    """
    try:
        return _plain(file.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        problem = (error.problem or "it cannot be parsed").removeprefix("but ")
        # The usual reason why a file cannot be taken apart; one that could has another fault.
        quotes = "" if isinstance(error, ConstructorError) else _QUOTES
        raise error_type(f"{file}{line}: expected YAML, but this is none: {problem}{quotes}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise error_type(f"{file}: expected YAML as UTF-8 text, but it holds other bytes.") from error
    except ValueError as error:  # what looks like a date or a number, and is none
        raise error_type(f"{file}: expected YAML, but a value in it cannot be read: {error}.") from error
    except RecursionError as error:
        raise error_type(f"{file}: expected YAML, but it is nested too deeply.") from error
    except OSError as error:
        raise error_type(f"{file}: expected a YAML file, but it cannot be read: {error.strerror}.") from error


def _plain(text: str) -> Any:
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _count_values(root, {})
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _count_values(node: yaml.Node, counted: dict[int, int]) -> int:
    """How many values a node stands for, references written out, once it is found free of the faults above.

    Args:
        node: of the graph that PyYAML makes of a file, in which references are shared nodes.
        counted: the counts of nodes seen before, by id; 0 for those that the node is a part of.
    """
    if id(node) in counted:
        if not counted[id(node)]:
            raise _fault("a value contains itself", node)
        return counted[id(node)]
    counted[id(node)] = 0
    total = 1
    for child in _children(node):
        total += _count_values(child, counted)
    if total > _MOST_VALUES:
        raise _fault(f"with references written out, it holds more than {_MOST_VALUES:,} values", node)
    counted[id(node)] = total
    return total


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.ScalarNode):
        unfit = _NO_TEXT.search(node.value)
        if unfit:
            raise _fault(f"a text holds {unfit[0]!a}, which is no character", node)
        return []
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    seen: set[str] = set()
    for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
        if key.value in seen:
            raise _fault(f"the key '{key.value}' comes twice", key)
        seen.add(key.value)
    return [part for pair in node.value for part in pair]


def _fault(problem: str, node: yaml.Node) -> ConstructorError:
    return ConstructorError(problem=problem, problem_mark=node.start_mark)
