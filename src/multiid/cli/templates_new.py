"""`multiid templates new`: a template to go on from."""

from pathlib import Path

import click

from multiid.cli.template_output import check_outputs, write_template

__all__ = ["command"]


@click.command()
@click.argument("name")
@click.option("--people", type=click.IntRange(min=1), help="A row of so many grown-up people.")
@click.option("--like", metavar="TEMPLATE", help="A copy of this template instead: a name or a .json file.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path),
    help="Template to write (.json); the .png beside it shows it. [default: NAME.json]",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace files that are there.")
def command(name: str, people: int | None, like: str | None, output: Path | None, force: bool) -> None:
    """Write a template called NAME, ready to be edited.

    \b
    multiid templates new our-picnic --people 4
    multiid templates new our-selfie --like couple-selfie

    Change the file, and look at it with `multiid templates preview our-picnic.json -o .`; docs/templates.md says what
    each key means.
    """
    if (people is None) == (like is None):
        raise click.UsageError("Expected either --people with a number, or --like with a template.")
    output = output or Path(f"{name}.json")
    shown = check_outputs(output, force=force, source=Path(like) if like else None)

    import multiid
    from multiid.poses.row import row_template

    if like is not None:
        template = multiid.vary_template(multiid.load_template(like), name=name)
    else:
        template = row_template(people or 1, name=name)
    write_template(template, output)
    click.echo(f"{output}: {template.people} place(s), {template.size}")
    click.echo(shown)
