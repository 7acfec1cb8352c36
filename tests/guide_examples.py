"""The examples of the documents: what stands between fences, and whether it can be run here.

An example runs unless a comment before it says why not: `<!-- not run: needs the preset sdxl -->`.
"""

import re
import runpy
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import click
from click.testing import CliRunner
from conftest import ROOT

from multiid.cli import main

_FENCE = re.compile(r"(?:<!-- not run: (?P<why>.+?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Example:
    """One example of a document.

    Attributes:
        where: document and line, for messages.
        language: "python", "sh", "yaml" or another.
        text: what stands between the fences.
        why_not: why it is not run, or None where it is.
    """

    where: str
    language: str
    text: str
    why_not: str | None

    @property
    def commands(self) -> list[list[str]]:
        """The words of each line of a shell example, without comments."""
        return [words for line in self.text.splitlines() if (words := shlex.split(line, comments=True))]


def examples_of(document: Path) -> list[Example]:
    text = document.read_text(encoding="utf-8")
    return [
        Example(
            where=f"{document.relative_to(ROOT)}:{text.count(chr(10), 0, found.start('text'))}",
            language=found["language"],
            text=found["text"],
            why_not=found["why"],
        )
        for found in _FENCE.finditer(text)
    ]


def run_command(words: list[str]) -> None:
    """Runs one line of a shell, in this process, since importing everything anew takes seconds."""
    match words:
        case ["multiid", *arguments]:
            result = CliRunner().invoke(main, arguments)
            assert result.exit_code == 0, f"{shlex.join(words)}: {result.stderr or result.exception!r}"
        case ["python", script, *arguments]:
            before, sys.argv = sys.argv, [script, *arguments]
            try:
                runpy.run_path(script, run_name="__main__")
            finally:
                sys.argv = before
        case ["mkdir", "-p", folder]:
            Path(folder).mkdir(parents=True, exist_ok=True)
        case _:
            raise AssertionError(f"Expected multiid, python or mkdir -p, but got {shlex.join(words)}.")


def check_command(words: list[str]) -> None:
    """Has click read the arguments of a `multiid` line, without running it; other programs are not looked at."""
    if words[0] != "multiid":
        return
    command: click.Command = main
    context, rest = click.Context(main, info_name="multiid", **main.context_settings), words[1:]
    while isinstance(command, click.Group):
        found = command.get_command(context, rest[0])
        assert found is not None, f"{shlex.join(words)}: there is no {rest[0]}"
        command, context, rest = found, click.Context(found, info_name=rest[0], parent=context), rest[1:]
    command.make_context(command.name, list(rest), parent=context.parent)
