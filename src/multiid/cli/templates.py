"""`multiid templates`: what pose templates there are, and what they look like."""

from pathlib import Path

import click

from multiid.cli import templates_extract
from multiid.errors import OutputError
from multiid.files import write_whole

__all__ = ["command"]


@click.group()
def command() -> None:
    """Pose templates: list them, show one, draw previews, take one from a photo.

    NAME is a template of the library or the path of a .json file.
    """


@command.command("list")
@click.option("--people", type=click.IntRange(min=1), help="Only templates with places for this many, best fit first.")
@click.option("--tag", help="Only templates with this tag.")
def list_templates(people: int | None, tag: str | None) -> None:
    """List the library: name, people, size and title."""
    import multiid

    names = multiid.template_names() if people is None else multiid.templates_for(people)
    templates = [template for template in map(multiid.load_template, names) if tag is None or tag in template.tags]
    for template in templates:
        click.echo(f"{template.name:<18}{len(template.places):>3}  {template.size!s:<10}{template.title}")
    if not templates:
        click.echo("No template fits. Without options this command lists them all.", err=True)


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Show one template: its description and who stands where."""
    import multiid

    template = multiid.load_template(name)
    pose = template.pose()
    click.echo(f"{template.name}: {template.title}\n{template.description}")
    click.echo(f"size   {template.size}")
    click.echo(f"tags   {', '.join(template.tags)}")
    click.echo("places, from left to right:")
    for index, place in enumerate(pose.places):
        face = place.skeleton.face_box(pose.size)
        seen = f"face {face.width:.0f}x{face.height:.0f} px" if face else "no face"
        click.echo(f"  {index}  {place.role:<6} depth {place.depth:g}, {seen}")


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write NAME.png into.")
def preview(names: tuple[str, ...], output: Path) -> None:
    """Draw skeletons, place numbers and face boxes of the named templates, or of all."""
    import multiid
    from multiid.poses.preview import draw_preview

    templates = [multiid.load_template(name) for name in names or multiid.template_names()]
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Expected a folder to write into, but {output} cannot be one: {error.strerror}.") from error
    for template in templates:
        path = output / f"{template.name}.png"
        with write_whole(path) as temporary:
            draw_preview(template.pose()).save(temporary, format="PNG", optimize=True)
        click.echo(str(path))


command.add_command(templates_extract.command, "extract")
