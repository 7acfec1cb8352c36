"""`multiid story`: comics and albums from a script."""

import click

from multiid.cli import story_board, story_check, story_run, story_status

__all__ = ["command"]


@click.group()
def command() -> None:
    """Comics, albums and storyboards from a script, story.yaml.

    \b
    multiid story check story.yaml

    `multiid schema story` prints what a script may hold.
    """


command.add_command(story_board.command, "board")
command.add_command(story_check.command, "check")
command.add_command(story_run.command, "run")
command.add_command(story_status.command, "status")
