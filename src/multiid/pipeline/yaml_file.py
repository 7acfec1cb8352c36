"""Reading YAML as plain data, with errors that name the line, and the line of every value for later ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.parser import ParserError
from yaml.reader import ReaderError
from yaml.scanner import ScannerError

from multiid.errors import MultiIDError, SceneError
from multiid.validation import Location

__all__ = ["LinedData", "NotYamlError", "read_lined_yaml", "read_yaml"]

_MOST_VALUES = 10_000  # a scene of many people has a few hundred
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_QUOTES = " (texts that begin with a brace or hold a colon need quotes)"
_SPACES = " (indent with spaces, not with tabs)"


@dataclass(frozen=True)
class LinedData:
    """What a YAML file says, and in which of its lines.

    Attributes:
        data: as `read_yaml` gives them.
        lines: the line, counted from 1, of each value by the keys and indices that lead to it: where its key is, or
            where it begins in a list. A key that is no text stands for itself as one: "True".
    """

    data: Any
    lines: Mapping[Location, int]

    def line_of(self, location: Location) -> int:
        """The line of a value, or of the nearest one around it where there is none; 1 for the whole."""
        known = (location[:depth] for depth in range(len(location), 0, -1) if location[:depth] in self.lines)
        return self.lines[next(known, ())]


class NotYamlError(ValueError):
    """A text is no YAML that can be taken.

    Attributes:
        line: where, counted from 1; None where that is not known.
    """

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.line = line


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
        return read_lined_yaml(file).data
    except NotYamlError as error:
        line = f", line {error.line}" if error.line else ""
        raise error_type(f"{file}{line}: {error}.") from error


def read_lined_yaml(file: Path, *, most_values: int = _MOST_VALUES) -> LinedData:
    """The same with the line of each value, for files in which faults are found later.

    Args:
        file: to read.
        most_values: that it may hold, references written out.

    Raises:
        NotYamlError: when it is absent, unreadable or not YAML.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = 1 + error.object.count(b"\n", 0, error.start)
        raise NotYamlError("expected YAML as UTF-8 text, but it holds other bytes", line) from error
    except OSError as error:
        raise NotYamlError(f"expected a YAML file, but it cannot be read: {error.strerror}") from error
    try:
        return _lined(text, most_values)
    except yaml.MarkedYAMLError as error:
        problem = (error.problem or "it cannot be parsed").removeprefix("but ")
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise NotYamlError(f"expected YAML, but this is none: {problem}{_advice(error)}", line) from error
    except ReaderError as error:
        line = 1 + text.count("\n", 0, error.position)
        problem = f"expected YAML, but it holds {chr(error.character)!a}, which is no character of a text"
        raise NotYamlError(problem, line) from error
    except ValueError as error:  # what looks like a date or a number, and is none
        raise NotYamlError(f"expected YAML, but a value in it cannot be read: {error}") from error
    except RecursionError as error:
        raise NotYamlError("expected YAML, but it is nested too deeply") from error


def _advice(error: yaml.MarkedYAMLError) -> str:
    """The usual way out, where a file cannot be taken apart; one that could has another fault."""
    if isinstance(error, ScannerError | ParserError):
        return _SPACES if "'\\t'" in (error.problem or "") else _QUOTES
    return ""


def _lined(text: str, most_values: int) -> LinedData:
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return LinedData(None, {(): 1})
        _count_values(root, {}, most_values)
        data = loader.construct_document(root)
        lines: dict[Location, int] = {(): 1}
        _note_lines(loader, root, (), lines)
        return LinedData(data, lines)
    finally:
        loader.dispose()


def _note_lines(loader: yaml.SafeLoader, node: yaml.Node, location: Location, lines: dict[Location, int]) -> None:
    """Adds the lines of a node's parts; those of what was merged into a mapping (`<<`) are where that stands."""
    if isinstance(node, yaml.SequenceNode):
        parts = [(index, item, item) for index, item in enumerate(node.value)]
    elif isinstance(node, yaml.MappingNode):
        # Constructing has put what is merged first, so that the mapping's own keys come last here too.
        keys = [pair for pair in node.value if isinstance(pair[0], yaml.ScalarNode)]
        parts = [(str(loader.construct_object(key)), key, value) for key, value in keys]
    else:
        return
    for name, mark, value in parts:
        lines[(*location, name)] = mark.start_mark.line + 1
        _note_lines(loader, value, (*location, name), lines)


def _count_values(node: yaml.Node, counted: dict[int, int], most: int) -> int:
    """How many values a node stands for, references written out, once it is found free of the faults above.

    Args:
        node: of the graph that PyYAML makes of a file, in which references are shared nodes.
        counted: the counts of nodes seen before, by id; 0 for those that the node is a part of.
        most: values that it may stand for.
    """
    if id(node) in counted:
        if not counted[id(node)]:
            raise _fault("a value contains itself", node)
        return counted[id(node)]
    counted[id(node)] = 0
    total = 1
    for child in _children(node):
        total += _count_values(child, counted, most)
    if total > most:
        raise _fault(f"with references written out, it holds more than {most:,} values", node)
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
