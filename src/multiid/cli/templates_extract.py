"""`multiid templates extract`: a template from a photo of people."""

import re
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from multiid.errors import OutputError
from multiid.files import require_place, write_whole

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
    shown = _check_outputs(photo, output, force=force)

    import multiid
    from multiid.poses.preview import draw_preview

    image = multiid.load_photo(photo)
    reader = multiid.OpenPoseReader(weights, hands=hands, face=face)
    click.echo("note: OpenPose's networks and code are for non-commercial research only (CMU's licence).", err=True)
    found = _extract(image, reader, smallest)
    people = len(found.pose.places)
    template = multiid.Template.of(
        found.pose,
        name=_name(output),
        title=title or f"{people} {'person' if people == 1 else 'people'}, from a photo",
        tags=("photo",),
    )
    with write_whole(output) as written, write_whole(shown) as drawn:
        written.write_text(template.to_json(), encoding="utf-8")
        draw_preview(found.pose, backdrop=found.backdrop(image) if over_photo else None).save(drawn, format="PNG")
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


def _check_outputs(photo: Path, output: Path, *, force: bool) -> Path:
    """Finds what is wrong with the names before any work; returns where the preview goes."""
    if output.suffix.lower() != ".json":
        raise OutputError(f"Expected a file name ending in .json for the template, but got {output}.")
    shown = output.with_suffix(".png")
    for file in (output, shown):
        require_place(file)
        if file.exists() and _same(file, photo):
            raise OutputError(f"Expected another name for the template, or {shown} would replace the photo itself.")
        if file.exists() and not force:
            raise OutputError(f"Expected the name of a new file, but {file} exists; name another or add --force.")
    return shown


def _same(file: Path, photo: Path) -> bool:
    try:
        return file.samefile(photo)
    except (OSError, ValueError):  # no photo there, or no name that one can have: `load_photo` says so
        return False


def _name(output: Path) -> str:
    """A template's name out of a file's: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", output.stem).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain)) or "from-photo"
