"""`multiid story board`: a storyboard, before anything is computed."""

from pathlib import Path

import click

__all__ = ["command"]


@click.command()
@click.argument("story", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the story. [default: STORY's name]")
@click.option("--preset", help="Set of models whose picture sizes to draw. [default: the story's]")
def command(story: Path, output: Path | None, preset: str | None) -> None:
    """Draw a draft of a STORY: who stands where in each panel, with names, captions and dialogue.

    \b
    multiid story board story.yaml

    Makes no picture and loads no model. OUTPUT/board holds one sheet or more for each page as PNG, OUTPUT/board.pdf all
    of them. Words that do not fit their panel are told here already.
    """
    import multiid

    run = multiid.StoryRun(story, output, preset=preset)
    for note in run.document.notes:
        click.echo(f"note: {note}", err=True)
    files, faults = run.write_board()
    for file in files:
        click.echo(file)
    for fault in faults:
        click.echo(f"note: {fault}", err=True)
