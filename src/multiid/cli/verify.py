"""`multiid verify`: who is in a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from multiid.errors import OutputError, PresetError
from multiid.files import require_place, write_whole

if TYPE_CHECKING:
    from multiid import FaceAnalyzer, Identity, Recipe

__all__ = ["command"]

_LACKING = 3  # exit code


@click.command()
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("--people", type=click.Path(path_type=Path), help="Folder with identity files to compare faces with.")
@click.option(
    "--faces",
    type=click.Choice(["opencv", "insightface", "mini"]),
    help="Who finds and compares faces: YuNet and SFace, InsightFace (non-commercial research only), or the "
    "miniature's, drawn ones.  [default: the preset's, or whoever knows the people of the folder]",
)
@click.option("--preset", help="The preset whose face analyzer to take.  [default: the one in the picture's recipe]")
@click.option("--explain", type=click.Path(path_type=Path), help="Picture to write (.png): a frame for each person.")
@click.option("--json", "as_json", is_flag=True, help="Print everything found as JSON.")
@click.pass_context
def command(
    context: click.Context,
    picture: Path,
    people: Path | None,
    faces: str | None,
    preset: str | None,
    explain: Path | None,
    as_json: bool,
) -> None:
    """Check who is in PICTURE: whether everybody is there, in their place, and nobody mixed with another.

    \b
    multiid verify tea.png --people people/
    multiid verify party.jpg --people people/ --faces opencv --explain who.png

    A picture of multiid's says itself who should be where; its people are found in the folder by fingerprint, and
    without one faces are only counted and placed. In any other picture everybody in the folder is looked for. The exit
    code is 3 where somebody is missing, mixed or there twice.
    """
    if faces is not None and preset is not None:
        raise click.UsageError("Expected either --faces or --preset, but got both.")
    if explain is not None:
        if explain.suffix.lower() != ".png":
            raise OutputError(f"Expected a file name ending in .png for --explain, but got {explain}.")
        require_place(explain)

    import multiid
    from multiid.pipeline.recipe import carries_recipe

    # Before any model: what is wrong with the files shows at once.
    image = multiid.load_photo(picture, min_side=1)
    if explain is not None and explain.exists() and explain.samefile(picture):
        raise OutputError(
            f"Expected another file than the picture itself for --explain, but got {explain}, which would lose it and "
            "its recipe: choose another name."
        )
    recipe = multiid.read_recipe(picture) if carries_recipe(picture) else None
    if recipe is None and people is None:
        raise click.UsageError(f"Expected --people with {picture}, which carries no recipe that says who is in it.")
    identities = None if people is None else multiid.find_identities(people)
    analyzer = _analyzer(recipe, identities, faces, preset)
    verification = multiid.verify_picture(picture, analyzer, identities)
    if explain is not None:
        with write_whole(explain) as temporary:
            verification.explain(image).save(temporary, format="PNG")
    click.echo(verification.to_json(indent=2) if as_json else verification)
    if explain is not None:
        click.echo(explain, err=as_json)
    if not verification.is_complete:
        context.exit(_LACKING)


def _analyzer(
    recipe: "Recipe | None", people: "Sequence[Identity] | None", faces: str | None, preset: str | None
) -> "FaceAnalyzer":
    """As asked for; or else of the preset that made the picture, or one that knows the people."""
    import multiid

    if faces is None and preset is None:
        preset = _preset_of(recipe)
    if faces is None and preset is None:
        known = {kind.partition("-")[0] for person in people or () for kind in person.face_embeddings}
        faces = next((kind for kind in ("mini", "insightface") if known == {kind}), "opencv")
    if faces in ("opencv", "insightface"):
        return multiid.face_analyzer(faces, recognise=people is not None)
    chosen = multiid.find_preset(preset or "mini")
    analyzer = multiid.load_faces(chosen)
    if analyzer is None:
        raise PresetError(f"Expected a preset with a face analyzer, but {chosen.name} has none: give --faces.")
    return analyzer


def _preset_of(recipe: "Recipe | None") -> str | None:
    """The preset that made a picture, where it is here and has a face analyzer."""
    import multiid

    if recipe is None or recipe.preset is None:
        return None
    try:
        return recipe.preset if multiid.find_preset(recipe.preset).faces is not None else None
    except PresetError:  # somebody else's own
        return None
