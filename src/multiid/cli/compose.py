"""`multiid compose`: from a scene file to a picture, or from a picture to the same picture again."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from multiid.cli.models import model_options
from multiid.errors import OutputError, RecipeError
from multiid.files import require_place, write_whole

__all__ = ["command"]

_LEAST_SIDE = 64  # pixels; of a scene
_ATTEMPTS = 3
_LACKING = 3  # exit code


@click.command()
@click.argument("scene", type=click.Path(path_type=Path), required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Picture to write (.png).")
@click.option("--from", "source", type=click.Path(path_type=Path), help="Make this picture again, from its recipe.")
@click.option("--people", type=click.Path(path_type=Path), help="Folder with the identity files of --from.")
@click.option("--init", type=click.Path(path_type=Path), help="The picture that --from's was made from, if it was.")
@click.option("--refine", is_flag=True, help="Paint small faces anew afterwards, each enlarged and by itself.")
@click.option("--refine-below", type=click.FloatRange(min=1), help="Faces less wide than this, in pixels, are small.")
@click.option("--verify", is_flag=True, help="Check who is in the picture, and try to mend what is wrong.")
@click.option(
    "--attempts", type=click.IntRange(1, 100), help=f"Pictures to try at most with --verify.  [default: {_ATTEMPTS}]"
)
@click.option("--save-people", type=click.Path(path_type=Path), help="Folder to write the scene's identities into.")
@click.option("--explain", is_flag=True, help="Also write NAME-explain.png: control image, regions, names, picture.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed, instead of the scene's.")
@click.option("--images", type=click.IntRange(1, 64), help="Pictures to make at once, instead of the scene's.")
@model_options("base", "vae", "controlnet", "adapter", "device", "dtype", "offload", "vae_tiling")
@click.pass_context
def command(
    context: click.Context,
    scene: Path | None,
    output: Path,
    source: Path | None,
    people: Path | None,
    init: Path | None,
    refine: bool,
    refine_below: float | None,
    verify: bool,
    attempts: int | None,
    save_people: Path | None,
    explain: bool,
    seed: int | None,
    images: int | None,
    preset: str | None,
    **models: Any,
) -> None:
    """Make the picture of a SCENE file, with its recipe inside.

    \b
    multiid compose scene.yaml -o tea.png
    multiid compose --from tea.png --people people/ -o again.png

    See `multiid schema scene` for what a scene file may say, and `multiid templates list` for poses. With --verify the
    exit code is 3 where the best picture still lacks somebody; it is written all the same.
    """
    if (scene is None) == (source is None):
        raise click.UsageError("Expected either a scene file, or a picture after --from.")
    if source is not None and people is None:
        raise click.UsageError("Expected --people with the folder of identity files, which --from takes people from.")
    if source is None and people is not None:
        raise click.UsageError("Expected --from with --people: a scene file names its identity files itself.")
    if source is None and init is not None:
        raise click.UsageError("Expected --from with --init: a scene file names the picture it starts from itself.")
    if source is not None and (seed is not None or images is not None or refine or verify):
        raise click.UsageError("Expected --from alone: it repeats the picture's own seed, images and refining.")
    if refine_below is not None and not refine:
        raise click.UsageError("Expected --refine with --refine-below.")
    if attempts is not None and not verify:
        raise click.UsageError("Expected --verify with --attempts.")
    explained = _check_outputs(output, explain, save_people)

    import torch

    import multiid
    from multiid.pipeline.result import picture_files

    recipe = wanted = document = None
    notes: list[str] = []
    if source is not None and people is not None:
        recipe = multiid.read_recipe(source)
        wanted = recipe.to_scene(
            multiid.find_identities(people), None if init is None else multiid.load_photo(init, min_side=_LEAST_SIDE)
        )
        preset = preset or recipe.preset
        if preset is None:
            raise RecipeError(f"{source}: expected a recipe that names its preset, but it names none: give --preset.")
        notes += recipe.notes
    elif scene is not None:
        document = multiid.load_scene_file(scene, defaults=multiid.find_preset(preset or "sdxl").defaults)
    dtype = models.pop("dtype")
    composer = multiid.Composer.from_preset(preset or "sdxl", dtype=getattr(torch, dtype) if dtype else None, **models)
    if document is not None:
        wanted = document.scene(composer.identity)
    if wanted is None:
        raise click.UsageError("Expected a scene.")
    changes = {key: value for key, value in {"seed": seed, "images": images}.items() if value is not None}
    wanted = replace(wanted, **changes)
    # Places whose names the scene gives: looked at before the long work, not after it.
    identities = [] if save_people is None else [person.identity for person in wanted.cast]
    people_files = [(save_people or Path()) / f"{identity.name}.safetensors" for identity in identities]
    for file in (*picture_files(output, wanted.images if recipe is None else 1), *people_files):
        require_place(file)
    picture = composer.compose(
        wanted,
        finish=partial(multiid.refine_faces, composer, wanted, below=refine_below) if refine else None,
        verify=verify,
        attempts=attempts or _ATTEMPTS,
        watch=lambda attempt: click.echo(f"tried {attempt}", err=True),
    )
    if recipe is not None:
        picture = picture.only(recipe.index)
    for refinement in () if recipe is None else recipe.refinements:
        picture = multiid.refine_faces(composer, wanted, picture, **refinement.model_dump())
    files = picture.save(output)
    if explained is not None:
        with write_whole(explained) as temporary:
            picture.explain().save(temporary)
        files.append(explained)
    for identity, file in zip(identities, people_files, strict=True):
        identity.save(file)
        files.append(file)
    for note in (*notes, *picture.notes):
        click.echo(f"note: {note}", err=True)
    for file in files:
        click.echo(file)
    for number, verification in enumerate(picture.verifications, start=1):
        if len(picture.verifications) > 1:
            click.echo(f"picture {number}:")
        click.echo(verification)
    if not all(verification.is_complete for verification in picture.verifications):
        context.exit(_LACKING)


def _check_outputs(output: Path, explain: bool, save_people: Path | None) -> Path | None:
    """Finds what is wrong with names and folders before any model is loaded; returns where the explanation goes."""
    if output.suffix.lower() != ".png":
        raise OutputError(f"Expected a file name ending in .png, which carries the recipe, but got {output}.")
    explained = output.with_stem(f"{output.stem}-explain") if explain else None
    for file in (output, explained, save_people and save_people / "name.safetensors"):
        if file is not None:
            require_place(file)
    return explained
