"""`multiid mini`: the miniature and the world it lives in."""

from pathlib import Path

import click

from multiid.files import require_place, write_whole

__all__ = ["command"]


@click.group()
def command() -> None:
    """The miniature: look at the world that it was trained on."""


@command.command()
@click.option("--people", type=click.IntRange(1, 500), default=12, show_default=True, help="How many people.")
@click.option("--scenes", is_flag=True, help="Draw a scene for each pose template instead of portraits.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed draws the same sheet.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("world.png"), show_default=True,
    help="PNG file to write.",
)  # fmt: skip
def world(people: int, scenes: bool, seed: int, output: Path) -> None:
    """Draw a contact sheet of cartoon people."""
    from multiid.mini.world.sheet import draw_people_sheet, draw_scenes_sheet

    require_place(output)
    sheet = draw_scenes_sheet(seed=seed) if scenes else draw_people_sheet(people, seed=seed)
    with write_whole(output) as temporary:
        sheet.save(temporary, format="PNG")
    click.echo(str(output))
