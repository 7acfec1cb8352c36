"""Who should be seen in a picture, and where: as its stage has it, as its recipe has it, or anywhere."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Float64
from torch import Tensor

from multiid.errors import RecipeError
from multiid.evaluation.likeness import mean_direction
from multiid.evaluation.matching import Wanted
from multiid.geometry import Box, Size
from multiid.people.identity import Identity
from multiid.pipeline.recipe import DAMAGE, Recipe
from multiid.pipeline.staging import Stage
from multiid.poses.skeleton import Pose
from multiid.regions import Claim, build_regions

__all__ = ["expected_faces", "wanted_anywhere", "wanted_by_recipe", "wanted_on_stage"]


def wanted_on_stage(stage: Stage, people: Sequence[Identity], *, recogniser: str | None) -> tuple[Wanted, ...]:
    """Everybody where the stage puts them: at their skeleton's face, or else within their region.

    Of whoever the skeleton shows from behind no face is wanted.

    Args:
        stage: of the picture.
        people: one for each place of the stage, in the same order.
        recogniser: whose embeddings of them to compare with; None for nobody's.
    """
    references = [_reference(person, recogniser) for person in people]
    names = [person.name for person in people]
    return _placed(names, references, stage.size, stage.pose, stage.places, stage.regions)


def wanted_by_recipe(recipe: Recipe, people: Sequence[Identity], *, recogniser: str | None) -> tuple[Wanted, ...]:
    """Everybody of a recipe in their place.

    Args:
        recipe: of the picture.
        people: identities among which the recipe's people are found by fingerprint; who is not is not compared.
        recogniser: whose embeddings of them to compare with; None for nobody's.

    Raises:
        RecipeError: when the recipe is damaged.
    """
    known = {identity.fingerprint: identity for identity in people}
    references = [
        _reference(known[person.fingerprint], recogniser) if person.fingerprint in known else None
        for person in recipe.people
    ]
    size, names = recipe.size, [person.name for person in recipe.people]
    try:
        pose = None if recipe.pose is None else recipe.pose.pose()
        places = [
            None if pose is None else index if person.place is None else person.place
            for index, person in enumerate(recipe.people)
        ]
        skeletons = [None if pose is None or place is None else pose.places[place] for place in places]
        claims = [
            Claim(index, skeleton, person.region(size), person.name)
            for index, (person, skeleton) in enumerate(zip(recipe.people, skeletons, strict=True))
        ]
        regions = build_regions(claims, size, people=len(claims))
    except DAMAGE as error:
        raise RecipeError(f"Expected a recipe as multiid writes it, but this one is damaged: {error}") from error
    return _placed(names, references, size, pose, places, regions)


def wanted_anywhere(people: Sequence[Identity], *, recogniser: str | None) -> tuple[Wanted, ...]:
    """Everybody, wherever they are."""
    return tuple(Wanted(person.name, _reference(person, recogniser)) for person in people)


def expected_faces(wanted: Sequence[Wanted]) -> Mapping[str, Box]:
    """Where the faces should be, by name: of a region its extent; those who may be anywhere are left out."""
    boxes = {person.name: person.face or _extent(person.region) for person in wanted}
    return {name: box for name, box in boxes.items() if box is not None}


def _placed(
    names: Sequence[str],
    references: Sequence[Float64[np.ndarray, " channels"] | None],
    size: Size,
    pose: Pose | None,
    places: Sequence[int | None],
    regions: Float[Tensor, "people height width"],
) -> tuple[Wanted, ...]:
    wanted: list[Wanted] = []
    for name, reference, place, region in zip(names, references, places, regions, strict=True):
        skeleton = None if pose is None or place is None else pose.places[place].skeleton
        face = None if skeleton is None else skeleton.face_box(size)
        if skeleton is not None and face is None and skeleton.head_box(size) is not None:
            wanted.append(Wanted(name, reference, from_behind=True))
            continue
        # A pose without a head still says where somebody stands.
        wanted.append(Wanted(name, reference, face, region.numpy() if face is None else None))
    return tuple(wanted)


def _reference(person: Identity, recogniser: str | None) -> Float64[np.ndarray, " channels"] | None:
    faces = None if recogniser is None else person.face_embeddings.get(recogniser)
    return None if faces is None else mean_direction(list(faces.numpy()))


def _extent(region: Float[np.ndarray, "height width"] | None) -> Box | None:
    """The box around what of a region is at least half somebody's."""
    if region is None:
        return None
    rows, columns = np.nonzero(region >= 0.5)
    if not len(rows):
        return None
    return Box(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
