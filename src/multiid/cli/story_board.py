"""`multiid story board`: a storyboard, before anything is computed."""

from pathlib import Path

import click

from multiid.cli.story_folder import story_folder

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
    from multiid.story.board import draw_board
    from multiid.story.finish import write_board
    from multiid.story.panels import stage_panels
    from multiid.story.photo_poses import PhotoPoses

    document = multiid.load_story(story)
    for note in document.notes:
        click.echo(f"note: {note}", err=True)
    folder = story_folder(story, output)
    defaults = multiid.find_preset(preset or document.preset or "sdxl").defaults
    panels = stage_panels(
        document.story,
        document.folder,
        nouns={name: document.noun(name) for name in document.story.cast},
        defaults=defaults,
        photo_pose=PhotoPoses(folder / "poses", multiid.OpenPoseReader),
    )
    sheets, faults = draw_board(document.story, panels, defaults=defaults, folder=document.folder)
    for file in write_board(sheets, folder, story=document.story):
        click.echo(file)
    for fault in faults:
        click.echo(f"note: {fault}", err=True)
