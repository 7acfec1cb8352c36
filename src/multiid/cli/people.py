"""`multiid people`: identities from photos, as files, and what helps to make them."""

from pathlib import Path

import click

from multiid.cli import people_mix, people_split
from multiid.cli.models import model_options
from multiid.files import require_place

__all__ = ["command"]


@click.group()
def command() -> None:
    """Make, mix and show identity files: what the photos of one person come down to."""


@command.command()
@click.argument("name")
@click.option("--noun", required=True, help='Class noun that the text encoder reads: "woman", "old man".')
@click.option("--photos", "first", multiple=True, required=True, help="Photos or folders of photos, one or more.")
@click.argument("more", nargs=-1, metavar="")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Identity file (.safetensors).")
@click.option(
    "--several-faces",
    type=click.Choice(["largest", "refuse"]),
    default="largest",
    show_default=True,
    help="What to do with a photo that shows several faces.",
)
@model_options("adapter")
def add(
    name: str,
    noun: str,
    first: tuple[str, ...],
    more: tuple[str, ...],
    output: Path,
    several_faces: str,
    preset: str | None,
    adapter: str | None,
) -> None:
    """Make the identity NAME from photos.

    \b
    multiid people add ada --noun woman --photos a.jpg b.jpg -o ada.safetensors

    The file holds embeddings, name and noun; no photo and no path. Treat it like a photo of the person: it is
    biometric data.
    """
    require_place(output)

    import multiid
    from multiid.people.identity import check_words

    # Before the models: what is wrong with words and photos shows at once.
    check_words(name, noun)
    photos = multiid.load_photos([*first, *more])
    chosen = multiid.find_preset(preset or "sdxl")
    identity = multiid.encode_identity(
        name,
        noun,
        photos,
        multiid.load_adapter(chosen, adapter),
        faces=multiid.load_faces(chosen),
        several_faces="refuse" if several_faces == "refuse" else "largest",
    )
    identity.save(output)
    click.echo(f"{output}: {identity.name} ({identity.noun}), {identity.images} photo(s), {identity.tokens} token(s)")


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """Show what an identity FILE holds."""
    import multiid

    identity = multiid.Identity.load(file)
    heard = identity.photo_loudness
    rows = {
        "name": identity.name,
        "noun": identity.noun,
        "photos": identity.images
        if heard is None
        else f"{identity.images}, mixed; heard at " + ", ".join(f"{loudness:.2g}" for loudness in heard.tolist()),
        "tokens": f"{identity.tokens} of {identity.embeddings.shape[2]} numbers",
        "fingerprint": identity.fingerprint,
        "encoder": identity.encoder,
        "faces": ", ".join(identity.face_embeddings) or "no face embeddings: pictures can be checked for count only",
    }
    for key, value in rows.items():
        click.echo(f"{key + ':':<13}{value}")


command.add_command(people_mix.command, "mix")
command.add_command(people_split.command, "split")
