"""What mkdocs asks while it builds the pages: commands as click knows them, and pictures from outside docs/.

A page says `<!-- command: multiid compose -->`, and has the command's purpose, usage and options put there.
"""

import re
from html import escape
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click
from mkdocs.structure.files import File, Files

from multiid.cli import main

_ROOT = Path(__file__).resolve().parents[2]
_PREVIEWS = "pose_templates/previews"
_COMMAND = re.compile(r"<!-- command: multiid ([a-z ]+?) -->")
_TABLE = ("| Option | Meaning |", "|---|---|")


def on_files(files: Files, *, config: Any) -> Files:
    """Adds the previews of the pose templates."""
    for file in sorted((_ROOT / _PREVIEWS).glob("*.png")):
        files.append(File.generated(config, f"previews/{file.name}", abs_src_path=str(file)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Puts commands where a page asks for them, and leads to the previews where the site has them."""
    markdown = _COMMAND.sub(lambda found: describe_command(found[1].split()), markdown)
    return markdown.replace(f"](../../{_PREVIEWS}/", "](../previews/")


def describe_command(path: list[str]) -> str:
    """A command's purpose, usage and options in Markdown; `path` is its name after "multiid".

    Raises:
        KeyError: when there is no such command.
    """
    command: click.Command = main
    context = click.Context(main, info_name="multiid", **main.context_settings)
    for name in path:
        found = command.get_command(context, name) if isinstance(command, click.Group) else None
        if found is None:
            raise KeyError(f"Expected a command, but there is no multiid {' '.join(path)}.")
        command, context = found, click.Context(found, info_name=name, parent=context)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    rows = [f"| `{names}` | {_cell(meaning)} |" for names, meaning in records]
    purpose = _paragraphs(cleandoc(command.help or ""))
    return "\n\n".join([*purpose, _fenced(usage, "text"), "\n".join([*_TABLE, *rows])])


def _paragraphs(text: str) -> list[str]:
    """Help as click lays it out: what follows a \\b stands as it is written."""
    blocks = re.split(r"\n\s*\n", text)
    return [_fenced(block.removeprefix("\b\n"), "text") if block.startswith("\b") else block for block in blocks]


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


def _cell(text: str) -> str:
    """Help in one line, without what a table in Markdown would take for its own."""
    return escape(" ".join(text.split()), quote=False).replace("|", "&#124;").replace("[", "&#91;")
