"""`multiid templates extract`: a template from a photo of people."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from multiid.cli.template_output import check_outputs, name_of_file, write_template

if TYPE_CHECKING:
    from PIL.Image import Image

    from multiid import ExtractedPose, PoseReader

__all__ = ["command"]


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="Template to write (.json); the .png beside it shows it.",
)  # fmt: skip
@click.option("--title", help='A few words for lists. [default: "3 people, from a photo"]')
@click.option("--hands", is_flag=True, help="Read 21 points of each hand too, and draw them; takes longer.")
@click.option("--face", is_flag=True, help="Read 70 points of each face too, and draw them.")
@click.option(
    "--smallest", type=click.FloatRange(0, 1), default=0.04, show_default=True,
    help="Leave out people whose face is smaller than this share of the photo's shorter side.",
)  # fmt: skip
@click.option(
    "--weights", type=click.Path(path_type=Path),
    help="Folder with OpenPose's networks. [default: $MULTIID_MODELS_DIR, else the hub's lllyasviel/Annotators]",
)  # fmt: skip
@click.option("--over-photo", is_flag=True, help="Show the photo, dimmed, in the .png: to check what was read.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def command(
    photo: Path,
    output: Path,
    title: str | None,
    hands: bool,
    face: bool,
    smallest: float,
    weights: Path | None,
    over_photo: bool,
    force: bool,
) -> None:
    """Make a template of how the people in a PHOTO stand.

    \b
    multiid templates extract party.jpg -o party.json --over-photo

    People are numbered from left to right; who is nearer is estimated from their faces. The template holds points
    alone, nothing of the photo; look at the .png, and change what was misread.

    It takes the package controlnet-aux (pip install "multiid[openpose]") and CMU's OpenPose networks: for
    NON-COMMERCIAL RESEARCH ONLY. Templates of the library and your own bodies (docs/templates.md) need neither.
    """
    shown = check_outputs(output, force=force, source=photo, kind="photo")

    import multiid

    image = multiid.load_photo(photo)
    reader = multiid.OpenPoseReader(weights, hands=hands, face=face)
    click.echo("note: OpenPose's networks and code are for non-commercial research only (CMU's licence).", err=True)
    found = _extract(image, reader, smallest)
    people = len(found.pose.places)
    template = multiid.Template.of(
        found.pose,
        name=name_of_file(output) or "from-photo",
        title=title or f"{people} {'person' if people == 1 else 'people'}, from a photo",
        tags=("photo",),
    )
    write_template(template, output, backdrop=found.backdrop(image) if over_photo else None)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{output}: {people} place(s), {template.size}")
    click.echo(shown)


def _extract(image: "Image", reader: "PoseReader", smallest: float) -> "ExtractedPose":
    import multiid

    click.echo("Looking for people ...", err=True)
    if not reader.reads_details:
        return multiid.extract_pose(image, reader, smallest=smallest)
    with click.progressbar(length=1, label="hands and faces", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        return multiid.extract_pose(image, reader, smallest=smallest, progress=progress)
