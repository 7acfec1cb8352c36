"""The command line: one file per command, each loaded when it is used."""

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from multiid import __version__
from multiid.errors import MultiIDError

__all__ = ["main"]

_COMMANDS = (
    "compose", "demo", "doctor", "download", "evaluate", "inspect", "mini", "people", "presets", "schema", "selftest",
    "story", "templates", "verify",
)  # fmt: skip
_BAD_INPUT = 2
_INTERRUPTED = 130


class _Commands(click.Group):
    """Finds each command in the module of its name; says what is wrong with the input, a line for each fault."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        return import_module(f"multiid.cli.{cmd_name}").command if cmd_name in _COMMANDS else None

    def invoke(self, ctx: click.Context) -> Any:
        # What matters is an error or a note; libraries' remarks to programmers are neither.
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        os.environ.setdefault("DIFFUSERS_VERBOSITY", "critical")  # its errors come as exceptions as well
        # A file's name that the terminal cannot show is no reason to fail once the file is written.
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        # Here rather than around `main`: click itself would turn the interrupt into a bare "Aborted!".
        try:
            return super().invoke(ctx)
        except MultiIDError as error:
            click.echo("multiid: error: " + "\n".join(error.lines), err=True)
            ctx.exit(_BAD_INPUT)
        except KeyboardInterrupt:
            click.echo("multiid: stopped.", err=True)
            ctx.exit(_INTERRUPTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="multiid")
def main() -> None:
    """Several people, each known by a few photos, in one SDXL picture.

    \b
    multiid people add ada --noun woman --photos ada1.jpg ada2.jpg -o ada.safetensors
    multiid compose scene.yaml -o tea.png
    """
