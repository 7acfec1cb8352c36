"""Checks who is in a picture: in one just made, or in a file, against its recipe or against people."""

import os
from collections.abc import Sequence

import PIL.Image

from multiid.errors import IdentityError, RecipeError
from multiid.evaluation.matching import Wanted, match_faces
from multiid.people.faces import FaceAnalyzer
from multiid.people.identity import Identity
from multiid.people.photo import load_photo
from multiid.pipeline.recipe import carries_recipe, read_recipe
from multiid.pipeline.result import Picture
from multiid.pipeline.verification import Verification
from multiid.pipeline.wanted import expected_faces, wanted_anywhere, wanted_by_recipe, wanted_on_stage

__all__ = ["check_image", "verify_picture"]

_LEAST_SIDE = 16  # pixels: less holds no face that anybody finds


def verify_picture(
    path: str | os.PathLike[str], faces: FaceAnalyzer, people: Sequence[Identity] | None = None
) -> Verification:
    """Checks who is in a picture's file: against its recipe, or without one against `people`, anywhere in it.

    Args:
        path: of a picture: with a recipe it says who should be where; a photo will do too.
        faces: finds faces, and compares them where it has a recogniser.
        people: whom to compare with. With a recipe its people are found among them by fingerprint; None counts and
            places faces alone. Without a recipe everybody given is expected.

    Returns:
        What became of everybody. `unchecked` has those who were not among `people`, or of whom the recogniser has no
        embedding.

    Raises:
        PhotoError: when the file is no picture that can be read.
        RecipeError: when the recipe is damaged or of a picture of another size, nobody of it is among `people`, or
            there is neither a recipe nor anybody to look for.
        IdentityError: when two of the people looked for have one name.
    """
    image = load_photo(path, min_side=_LEAST_SIDE)
    given = list(people or ())
    if carries_recipe(path):
        recipe = read_recipe(path)
        if recipe.size != image.size:
            raise RecipeError(
                f"{path}: expected a picture of {recipe.size} pixels, as its recipe has it, but got {image.width}x"
                f"{image.height}: give the picture as it was saved."
            )
        if people is not None:
            recipe.require_some_of(given)
        prints = {person.fingerprint for person in recipe.people}
        shown = [person for person in given if person.fingerprint in prints]
        wanted = wanted_by_recipe(recipe, shown, recogniser=faces.recogniser)
    elif given:
        _require_names(given)
        shown, wanted = given, wanted_anywhere(given, recogniser=faces.recogniser)
    else:
        raise RecipeError(
            f"{path}: expected a picture with a recipe, or people to look for, but got neither: other programs drop "
            "recipes when they save."
        )
    return _verify(image, wanted, shown, faces)


def check_image(picture: Picture, people: Sequence[Identity], judge: FaceAnalyzer) -> Verification:
    """Who is in the first image of a picture that was made here, each where its stage has them.

    Args:
        picture: with its pixels.
        people: of its scene, in the scene's order.
        judge: finds and compares faces.
    """
    wanted = wanted_on_stage(picture.stage, people, recogniser=judge.recogniser)
    return _verify(picture.image, wanted, people, judge)


def _verify(
    image: PIL.Image.Image, wanted: Sequence[Wanted], people: Sequence[Identity], judge: FaceAnalyzer
) -> Verification:
    """Who is in a picture; where nobody can be compared, faces are counted and placed."""
    unchecked = tuple(person.name for person in wanted if person.reference is None)
    recogniser = judge.recogniser if len(unchecked) < len(wanted) else None
    # ID encoder V2, which reads InsightFace's embeddings, gives two tokens a photo, V1 one.
    by_insightface = any(person.embeddings.shape[1] > 1 for person in people)
    return Verification(
        match_faces(judge.analyze(image), wanted, recogniser=recogniser),
        expected=expected_faces(wanted),
        unchecked=unchecked,
        own_recogniser=by_insightface and recogniser is not None and recogniser.startswith("insightface"),
    )


def _require_names(people: Sequence[Identity]) -> None:
    names = [person.name for person in people]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise IdentityError(f"Expected every name once, but {', '.join(twice)} came twice: take one file of each away.")
