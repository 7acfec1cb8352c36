"""`multiid story`: comics and albums from a script."""

from importlib import import_module

import click

__all__ = ["command"]

_COMMANDS = ("board", "check", "run", "status")


class _Subcommands(click.Group):
    """Finds each subcommand in the module `story_NAME`, loaded when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        return import_module(f"multiid.cli.story_{cmd_name}").command if cmd_name in _COMMANDS else None


@click.group(cls=_Subcommands)
def command() -> None:
    """Comics, albums and storyboards from a script, story.yaml.

    \b
    multiid story check story.yaml

    `multiid schema story` prints what a script may hold.
    """
