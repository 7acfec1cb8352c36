"""`multiid templates vary`: a template mirrored, in another order, on another canvas, in another framing."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from multiid.cli.template_output import check_outputs, name_of_file, write_template
from multiid.geometry import Size
from multiid.poses.views import Framing

if TYPE_CHECKING:
    from multiid import Template

__all__ = ["command"]


class _Numbers(click.ParamType):
    """Places with commas between them: 1,0,2."""

    name = "places"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        text = str(value)
        if not re.fullmatch(r"\d{1,4}(,\d{1,4})*", text):
            self.fail(f"expected places with commas between them, such as 1,0,2, but got {text}.", param, ctx)
        return tuple(map(int, text.split(",")))


class _Canvas(click.ParamType):
    """Width and height: 1216x832."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Size:
        found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", str(value))
        if found is None:
            self.fail(f"expected width and height in pixels, such as 1216x832, but got {value}.", param, ctx)
        return Size(int(found[1]), int(found[2]))


@click.command()
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="Template to write (.json); the .png beside it shows it.",
)  # fmt: skip
@click.option("--remove", type=_Numbers(), metavar="PLACES", help="Leave these places out: 2 or 0,2.")
@click.option("--order", type=_Numbers(), metavar="PLACES", help="The people's new order from left to right: 1,0,2.")
@click.option("--mirror", is_flag=True, help="Exchange left and right.")
@click.option("--size", type=_Canvas(), metavar="WIDTHxHEIGHT", help="Another canvas; nobody is distorted.")
@click.option("--framing", type=click.Choice(get_args(Framing)), default="wide", help="How much of them is seen.")
@click.option("--look-at", type=_Numbers(), metavar="PLACES", help="Whom the camera looks at. [default: everybody]")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def command(
    name: str,
    output: Path,
    remove: tuple[int, ...] | None,
    order: tuple[int, ...] | None,
    mirror: bool,
    size: Size | None,
    framing: Framing,
    look_at: tuple[int, ...] | None,
    force: bool,
) -> None:
    """Make a new template of the template NAME.

    \b
    multiid templates vary family-four -o ours.json --remove 2 --order 1,0,2
    multiid templates vary couple-bench -o bench.json --mirror --size 1216x832
    multiid templates vary wedding-eight -o pair.json --framing medium --look-at 3,4

    What is asked for is done in the order in which `--help` lists it, and each step counts places as the one before
    left them. On another canvas everybody's face stays, and what was seen above the hips. Framings are wide (all there
    is), full (head to toe), medium (to the hips) and close-up (head and shoulders); whoever's face is outside is left
    out.
    """
    if not (remove or order or mirror or size or framing != "wide"):
        raise click.UsageError("Expected something to change: --remove, --order, --mirror, --size or --framing.")
    if look_at is not None and framing == "wide":
        raise click.UsageError("Expected --framing full, medium or close-up with --look-at.")
    shown = check_outputs(output, force=force, source=Path(name))

    import multiid

    template = multiid.vary_template(
        multiid.load_template(name),
        name=name_of_file(output) or "varied",
        remove=remove or (),
        order=order,
        mirror=mirror,
        size=size,
        framing=framing,
        places=look_at,
    )
    write_template(template, output)
    click.echo(f"{output}: {_counted(template)}, {template.size}")
    click.echo(shown)


def _counted(template: "Template") -> str:
    extras = len(template.places) - template.people
    return f"{template.people} place(s)" + (f" and {extras} extra(s)" if extras else "")
