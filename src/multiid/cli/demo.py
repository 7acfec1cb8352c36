"""`multiid demo`: from an installed package to one annotated sheet."""

from pathlib import Path

import click

from multiid.files import require_place, write_whole

__all__ = ["command"]


@click.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("demo.png"), show_default=True,
    help="PNG file to write.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=9, show_default=True, help="Other people, another picture.")
@click.option("--people", type=click.IntRange(min=1), help="How many.  [default: as many as the template is for]")
@click.option("--template", help="Name of a pose template.  [default: family-four, or one for so many people]")
def command(output: Path, seed: int, people: int | None, template: str | None) -> None:
    """Show what masks are for: cartoon people in one picture, with and without, on one sheet.

    Needs nothing but the package: it makes people up, draws two portraits of each for the miniature model, has it
    compose them, and reads with another network who is seen in the picture.
    """
    require_place(output, suffix=".png")

    from multiid.mini.demo.plan import plan_demo

    plan = plan_demo(seed=seed, people=people, template=template)
    click.echo("Drawing people, and composing two pictures of them: a few seconds.", err=True)

    from multiid.mini.demo.sheet import draw_demo
    from multiid.mini.demo.show import show
    from multiid.mini.faces import MiniFaces
    from multiid.pipeline.quiet import quiet_composer

    sheet = draw_demo(show(plan, quiet_composer("mini"), faces=MiniFaces()))
    with write_whole(output) as temporary:
        sheet.save(temporary, format="PNG")
    click.echo(output)
