"""`multiid inspect`: the recipe inside a picture."""

from pathlib import Path

import click

__all__ = ["command"]


@click.command()
@click.argument("picture", type=click.Path(path_type=Path))
def command(picture: Path) -> None:
    """Print the recipe that PICTURE carries, as JSON.

    The recipe names people by name, noun and fingerprint; it holds no embedding, no photo and no path.
    """
    import multiid

    click.echo(multiid.read_recipe(picture).to_json(indent=2))
