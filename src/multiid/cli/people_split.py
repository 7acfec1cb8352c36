"""`multiid people split`: a group photo as one portrait per person."""

import glob
from pathlib import Path

import click

from multiid.files import require_place

__all__ = ["command"]


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder for the portraits.")
@click.option(
    "--min-face", type=click.FloatRange(min=1), help="Pass over faces narrower than this, in pixels.  [default: 40]"
)
@click.option(
    "--faces",
    type=click.Choice(["opencv", "insightface", "mini"]),
    default="opencv",
    show_default=True,
    help="Who finds the faces: YuNet, InsightFace (non-commercial research only), or the miniature's, drawn ones.",
)
@click.option("--force", is_flag=True, help="Replace portraits that are there already.")
def command(photo: Path, output: Path, min_face: float | None, faces: str, force: bool) -> None:
    """Cut one portrait per person out of the group photo PHOTO.

    \b
    multiid people split group.jpg -o people/

    People are numbered from left to right: group-1.png, group-2.png and so on; group-contact.png shows who got which
    number. Each portrait is a square with room around the head, as far as it shows nobody else.
    """
    require_place(output / photo.stem if output.exists() else output)

    import multiid
    from multiid.people.photo import Photo
    from multiid.people.split import MIN_FACE

    read = Photo(multiid.load_photo(photo), str(photo))  # before the models: what is wrong with it shows at once
    if faces == "mini":
        from multiid.mini.faces import MiniFaces

        analyzer = MiniFaces()
    else:
        analyzer = multiid.face_analyzer(faces, recognise=False)
    split = multiid.split_group(read, analyzer, min_face=MIN_FACE if min_face is None else min_face)
    files = split.save(output, photo.stem, overwrite=force)
    if split.too_small:
        click.echo(f"note: {len(split.too_small)} smaller face(s) were passed over; see --min-face.", err=True)
    earlier = sorted(set(output.glob(f"{glob.escape(photo.stem)}-[0-9]*.png")) - set(files))
    if earlier:
        click.echo(f"note: {', '.join(file.name for file in earlier)} stayed from an earlier split.", err=True)
    for file in files:
        click.echo(file)
