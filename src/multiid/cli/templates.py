"""`multiid templates`: what pose templates there are, and what they look like."""

from collections import Counter
from pathlib import Path

import click

from multiid.cli import templates_extract, templates_new, templates_sheet, templates_vary
from multiid.errors import OutputError
from multiid.files import write_whole

__all__ = ["command"]


@click.group()
def command() -> None:
    """Pose templates: find them, show one, draw previews, make one anew, of another, or from a photo.

    NAME is a template of the library or the path of a .json file.
    """


@command.command("list")
@click.option("--people", type=click.IntRange(min=1), help="Only templates with places for this many, best fit first.")
@click.option("--tag", "tags", multiple=True, help="Only templates with this tag; several for those with all of them.")
@click.option("--search", metavar="TEXT", default="", help="Only templates that these words describe best.")
def list_templates(people: int | None, tags: tuple[str, ...], search: str) -> None:
    """List the library: name, people, size and title.

    \b
    multiid templates list --search "two people sitting"
    multiid templates list --people 4 --tag family

    Words are looked for in names, tags, titles, descriptions and roles.
    """
    import multiid
    from multiid.poses.library import why_none

    templates = multiid.find_templates(search, people=people, tags=tags)
    width = max((len(template.name) for template in templates), default=0) + 2
    for template in templates:
        click.echo(f"{template.name:<{width}}{template.people:>3}  {template.size!s:<10}{template.title}")
    if not templates:
        click.echo(why_none(search, people=people, tags=tags), err=True)


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Show one template: its description, who stands where, and whom each place is for."""
    import multiid
    from multiid.pipeline.casting import whom_for

    template = multiid.load_template(name)
    pose = template.pose()
    extras = len(template.places) - template.people
    click.echo(f"{template.name}: {template.title}\n{template.description}")
    click.echo(f"size   {template.size}")
    click.echo(f"tags   {', '.join(template.tags)}")
    click.echo(f"people {template.people}" + (f" and {extras} extra(s)" if extras else ""))
    click.echo("places, from left to right, then extras:" if extras else "places, from left to right:")
    for index, place in enumerate(pose.places):
        face = place.skeleton.face_box(pose.size)
        seen = f"face {face.width:.0f}x{face.height:.0f} px" if face else "seen from behind"
        click.echo(f"  {index}  {place.role:<6} depth {place.depth:g}, {seen}; for {whom_for(place)}")


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write NAME.png into.")
def preview(names: tuple[str, ...], output: Path) -> None:
    """Draw skeletons, place numbers and face boxes of the named templates, or of all."""
    import multiid
    from multiid.poses.preview import draw_preview

    templates = [multiid.load_template(name) for name in dict.fromkeys(names) or multiid.template_names()]
    name, count = Counter(template.name for template in templates).most_common(1)[0]
    if count > 1:
        raise OutputError(f"Expected templates of different names, for a NAME.png each, but {count} are called {name}.")
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
command.add_command(templates_new.command, "new")
command.add_command(templates_sheet.command, "sheet")
command.add_command(templates_vary.command, "vary")
