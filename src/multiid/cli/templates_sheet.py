"""`multiid templates sheet`: what templates look like, on one picture."""

from pathlib import Path

import click

from multiid.files import require_place, write_whole

__all__ = ["command"]


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Picture to write (.png).")
def command(names: tuple[str, ...], output: Path) -> None:
    """Draw the named templates, or all, on one contact sheet.

    \b
    multiid templates sheet -o templates.png
    multiid templates sheet family-three family-four mine.json -o families.png

    They are grouped by kind, which is their first tag, with their names and how many people they are made for.
    """
    import multiid
    from multiid.poses.contact import draw_template_sheet

    require_place(output, suffix=".png")
    templates = [multiid.load_template(name) for name in names or multiid.template_names()]
    with write_whole(output) as temporary:
        draw_template_sheet(templates).save(temporary, format="PNG", optimize=True)
    click.echo(str(output))
