"""`multiid mini`: the miniature and the world it lives in."""

from pathlib import Path

import click

from multiid.cli import mini_figures, mini_train
from multiid.files import require_place, write_whole

__all__ = ["command"]

_PEOPLE = 12


@click.group()
def command() -> None:
    """The miniature: look at the world that it was trained on, and make it anew."""


@command.command()
@click.option("--people", type=click.IntRange(1, 500), help=f"How many people.  [default: {_PEOPLE}]")
@click.option("--scenes", is_flag=True, help="Draw a scene for each template of the library instead of portraits.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed draws the same sheet.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("world.png"), show_default=True,
    help="PNG file to write.",
)  # fmt: skip
def world(people: int | None, scenes: bool, seed: int, output: Path) -> None:
    """Draw a contact sheet of cartoon people."""
    from multiid.mini.world.sheet import draw_people_sheet, draw_scenes_sheet

    if scenes and people is not None:
        raise click.UsageError("Expected --people or --scenes: there is one scene for each template.")
    require_place(output, suffix=".png")
    sheet = draw_scenes_sheet(seed=seed) if scenes else draw_people_sheet(people or _PEOPLE, seed=seed)
    with write_whole(output) as temporary:
        sheet.save(temporary, format="PNG")
    click.echo(str(output))


@command.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="Folder to write; a miniature that is there is replaced.",
)  # fmt: skip
def pack(run: Path, output: Path) -> None:
    """Put the weights of the training run in the folder RUN together, as the preset mini loads them."""
    from multiid.mini.pack import collect, pack

    files = pack(collect(run), output)
    for name, size in files.items():
        click.echo(f"{size:>10,}  {name}")
    click.echo(f"{sum(files.values()):>10,}  bytes in {output}")


command.add_command(mini_train.command)
command.add_command(mini_figures.command, "figures")
