"""Checking pictures' files: against recipes, against people, and what is told where that cannot be."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from drawn import Drawn, as_composed, draw_group, known
from PIL.PngImagePlugin import PngInfo

from multiid import (
    Box,
    Face,
    Identity,
    IdentityError,
    NotAnImageError,
    Person,
    Picture,
    RecipeError,
    Size,
    Verification,
    load_template,
    read_recipe,
    verify_picture,
)
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.trials import Trial
from multiid.mini.world.scene import cast_pose
from multiid.pipeline.verifying import check_image


@pytest.fixture(scope="module")
def faces() -> MiniFaces:
    return MiniFaces()


@pytest.fixture(scope="module")
def group() -> Drawn:
    return draw_group()


@pytest.fixture(scope="module")
def others() -> list[Identity]:
    return draw_group(index=2).people


def statuses(verification: Verification) -> list[str]:
    return [match.status for match in verification.matching.people]


def saved(picture: Picture, folder: Path) -> Path:
    return picture.save(folder / "picture.png")[0]


def without_recipe(picture: Picture, folder: Path, name: str = "plain.png") -> Path:
    picture.image.save(folder / name)
    return folder / name


def test_of_whoever_is_seen_from_behind_no_face_is_wanted(faces: MiniFaces) -> None:
    """In a true render the back of a head is no face; the other is found, and that is all there is to find."""
    pose = load_template("over-the-shoulder").pose().fitted(Size(288, 200))
    cast = cast_pose(pose, seed=3)
    trial = Trial("random", 2, 0, pose, cast, 7, 0, cast.people[0])
    people = [known(person, name, seed=7) for name, person in zip(("ada", "bo"), cast.people, strict=True)]
    drawn = Drawn(trial, people, as_composed(trial, people, {}))
    verification = check_image(drawn.picture, people, faces)
    assert statuses(verification) == ["unseen", "found"]
    assert verification.is_complete
    assert verification.matching.failing == ()
    assert verification.lines[0] == "ada: seen from behind, not checked"
    assert "ada" not in verification.expected
    assert json.loads(verification.to_json())["people"][0]["status"] == "unseen"


def test_everybody_is_found_in_their_place(group: Drawn, faces: MiniFaces, tmp_path: Path) -> None:
    found = verify_picture(saved(group.picture, tmp_path), faces, group.people)
    assert statuses(found) == ["found"] * 3
    assert found.recogniser == "mini"
    assert not found.own_recogniser
    assert found.unchecked == ()
    assert found.attempts == ()
    assert found.kept is None
    for match, person in zip(found.matching.people, group.trial.truth().people, strict=True):
        assert match.in_place
        assert match.face is not None
        assert person.face is not None
        assert match.face.centre == pytest.approx(person.face.centre, abs=0.4 * person.face.width)
        assert found.expected[match.name].overlaps(match.face)


def test_people_come_by_fingerprint_not_by_name(
    group: Drawn, others: list[Identity], faces: MiniFaces, tmp_path: Path
) -> None:
    renamed = [replace(person, name=f"x{index}") for index, person in enumerate(group.people)]
    namesakes = [replace(other, name=person.name) for other, person in zip(others, group.people, strict=True)]
    file = saved(group.picture, tmp_path)
    found = verify_picture(file, faces, [*namesakes, *reversed(renamed)])
    assert statuses(found) == ["found"] * 3
    assert found.unchecked == ()
    with pytest.raises(RecipeError, match=r"Expected the identity files of p1 \(.*, but found p1 \("):
        verify_picture(file, faces, namesakes)


def test_exchanged_people_are_mixed(group: Drawn, faces: MiniFaces, tmp_path: Path) -> None:
    found = verify_picture(saved(group.exchanged(0, 1), tmp_path), faces, group.people)
    assert statuses(found) == ["mixed", "mixed", "found"]
    assert [match.nearest for match in found.matching.people] == ["p2", "p1", "p3"]
    assert not found.is_complete


def test_whoever_is_painted_over_is_missing(group: Drawn, faces: MiniFaces, tmp_path: Path) -> None:
    file = saved(group.painted_over(1), tmp_path)
    assert statuses(verify_picture(file, faces, group.people)) == ["found", "missing", "found"]
    counted = verify_picture(file, faces)
    assert statuses(counted) == ["found", "missing", "found"]
    assert counted.recogniser is None


def test_without_people_faces_are_counted_and_placed(group: Drawn, faces: MiniFaces, tmp_path: Path) -> None:
    found = verify_picture(saved(group.exchanged(0, 1), tmp_path), faces)
    assert statuses(found) == ["found"] * 3, "there is a face for each"
    assert found.recogniser is None
    assert found.unchecked == group.trial.names
    assert all(match.similarity is None for match in found.matching.people)


def test_whoever_is_not_given_is_not_compared(group: Drawn, faces: MiniFaces, tmp_path: Path) -> None:
    found = verify_picture(saved(group.picture, tmp_path), faces, group.people[:2])
    assert statuses(found) == ["found"] * 3
    assert found.unchecked == ("p3",)
    assert [match.similarity is None for match in found.matching.people] == [False, False, True]


@pytest.mark.parametrize("name", ["plain.png", "plain.jpg"])
def test_without_a_recipe_everybody_given_is_looked_for(
    name: str, group: Drawn, others: list[Identity], faces: MiniFaces, tmp_path: Path
) -> None:
    file = without_recipe(group.exchanged(0, 2), tmp_path, name)
    found = verify_picture(file, faces, group.people)
    assert statuses(found) == ["found"] * 3, "wherever they are"
    assert found.expected == {}
    assert verify_picture(file, faces, group.people[:1]).matching.strangers
    strangers = verify_picture(file, faces, others)
    print(f"others: {strangers}")
    assert strangers.matching.faces == 3
    assert "found" not in statuses(strangers)


@pytest.mark.parametrize("painted", [False, True], ids=["boxes", "masks"])
def test_without_a_pose_people_are_expected_in_their_regions(
    painted: bool, group: Drawn, faces: MiniFaces, tmp_path: Path
) -> None:
    size = group.trial.pose.size
    middles = [person.face.centre[0] for person in group.trial.truth().people if person.face is not None]
    edges = [0.0, *((a + b) / 2 for a, b in pairwise(middles)), float(size.width)]
    boxes = [Box(left, 0, right, size.height) for left, right in pairwise(edges)]
    regions = [mask_of(box, group) if painted else box for box in boxes]
    people = [Person(person, region=region) for person, region in zip(group.people, regions, strict=True)]
    boxed = draw_group(pose=None, people=people, width=size.width, height=size.height).picture
    found = verify_picture(saved(boxed, tmp_path), faces, group.people)
    assert statuses(found) == ["found"] * 3
    for name, box in zip(group.trial.names, boxes, strict=True):
        assert found.expected[name].corners == pytest.approx(box.corners, abs=1)
    exchanged = replace(boxed, images=group.exchanged(0, 2).images)
    assert statuses(verify_picture(saved(exchanged, tmp_path), faces, group.people)) == ["mixed", "found", "mixed"]


def mask_of(box: Box, group: Drawn) -> np.ndarray:
    size = group.trial.pose.size
    mask = np.zeros((size.height, size.width), bool)
    left, top, right, bottom = (round(corner) for corner in box.corners)
    mask[top:bottom, left:right] = True
    return mask


def test_somebody_alone_may_be_anywhere(faces: MiniFaces, tmp_path: Path) -> None:
    alone = draw_group(1, 3)
    size = alone.trial.pose.size
    picture = draw_group(1, 3, pose=None, width=size.width, height=size.height).picture
    assert statuses(verify_picture(saved(picture, tmp_path), faces, alone.people)) == ["found"]


def test_people_can_stand_in_other_places(group: Drawn, faces: MiniFaces, tmp_path: Path) -> None:
    people = [Person(person, place=2 - index) for index, person in enumerate(group.people)]
    turned = replace(draw_group(people=people).picture, images=group.exchanged(0, 2).images)
    assert statuses(verify_picture(saved(turned, tmp_path), faces, group.people)) == ["found"] * 3


class InsightFaceLike:
    """The miniature's analyzer under the name of InsightFace's."""

    recogniser = "insightface-buffalo_l"

    def analyze(self, image: PIL.Image.Image) -> list[Face]:
        return MiniFaces().analyze(image)


@pytest.mark.parametrize(("tokens", "own"), [(1, False), (2, True)], ids=["V1", "V2"])
def test_a_recogniser_that_took_part_is_no_independent_judge(
    tokens: int, own: bool, group: Drawn, tmp_path: Path
) -> None:
    people = [
        replace(
            person,
            embeddings=torch.ones(1, tokens, 8),
            face_embeddings={"insightface-buffalo_l": person.face_embeddings["mini"]},
        )
        for person in group.people
    ]
    file = without_recipe(group.picture, tmp_path)
    found = verify_picture(file, InsightFaceLike(), people)
    assert found.own_recogniser == own
    assert any("no independent judge" in line for line in found.lines) == own
    # Without a word of its own there is nothing to warn of.
    assert not verify_picture(file, MiniFaces(), people).own_recogniser


def with_text(picture: Picture, text: str, folder: Path) -> Path:
    info = PngInfo()
    info.add_itxt("multiid", text)
    picture.image.save(folder / "changed.png", pnginfo=info)
    return folder / "changed.png"


def test_what_cannot_be_checked_is_told(group: Drawn, faces: MiniFaces, tmp_path: Path) -> None:
    plain = without_recipe(group.picture, tmp_path)
    with pytest.raises(RecipeError, match="expected a picture with a recipe, or people to look for, but got neither"):
        verify_picture(plain, faces)
    with pytest.raises(RecipeError, match="expected a picture with a recipe, or people to look for, but got neither"):
        verify_picture(plain, faces, [])
    with pytest.raises(IdentityError, match="Expected every name once, but p1 came twice"):
        verify_picture(plain, faces, [group.people[0], replace(group.people[1], name="p1")])
    wide = replace(group.picture, images=(group.image.resize((64, 64)),))
    with pytest.raises(RecipeError, match=r"expected a picture of \d+x\d+ pixels, as its recipe has it, but got 64x64"):
        verify_picture(saved(wide, tmp_path), faces, group.people)
    (tmp_path / "words.png").write_text("words")
    with pytest.raises(NotAnImageError):
        verify_picture(tmp_path / "words.png", faces, group.people)


@pytest.mark.parametrize(
    "damage",
    [
        lambda recipe: recipe["people"][0].update(place=7),
        lambda recipe: recipe["people"][1].update(mask="bm90IGEgcGljdHVyZQ=="),
        lambda recipe: recipe["pose"]["places"][0].update(keypoints=[]),
    ],
    ids=["place", "mask", "keypoints"],
)
def test_a_damaged_recipe_is_told(damage: Any, group: Drawn, faces: MiniFaces, tmp_path: Path) -> None:
    recipe = json.loads(group.picture.recipe.to_json())
    damage(recipe)
    with pytest.raises(RecipeError, match="Expected a recipe as multiid writes it, but this one is damaged"):
        verify_picture(with_text(group.picture, json.dumps(recipe), tmp_path), faces, group.people)


def test_an_unreadable_recipe_is_not_taken_for_none(group: Drawn, faces: MiniFaces, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="multiid-recipe-0"):
        verify_picture(with_text(group.picture, '{"format": "multiid-recipe-0"}', tmp_path), faces, group.people)


def test_older_recipes_with_one_refinement_are_read(group: Drawn, tmp_path: Path) -> None:
    recipe = json.loads(group.picture.recipe.to_json())
    del recipe["refinements"]
    old = {"below": 18.0, "strength": 0.6}
    one = read_recipe(with_text(group.picture, json.dumps({**recipe, "refinement": old}), tmp_path))
    assert [each.model_dump() for each in one.refinements] == [{**old, "people": None}]
    assert read_recipe(with_text(group.picture, json.dumps(recipe), tmp_path)).refinements == ()
    none = read_recipe(with_text(group.picture, json.dumps({**recipe, "refinement": None}), tmp_path))
    assert none.refinements == ()
    for wrong in ({"refinement": {"below": -1, "strength": 0.6}}, {"refinement": old, "refinements": []}):
        with pytest.raises(RecipeError):
            read_recipe(with_text(group.picture, json.dumps({**recipe, **wrong}), tmp_path))


def test_a_newcomer_in_somebodys_place_is_a_stranger(group: Drawn, faces: MiniFaces, tmp_path: Path) -> None:
    newcomer = group.trial.with_newcomer()
    place = group.trial.exchanged
    found = verify_picture(saved(group.showing(newcomer.truth().picture), tmp_path), faces, group.people)
    assert [status == "found" for status in statuses(found)] == [index != place for index in range(3)]
    person = known(newcomer.cast.people[place], "newcomer", seed=newcomer.seed)
    plain = without_recipe(group.showing(newcomer.truth().picture), tmp_path)
    assert statuses(verify_picture(plain, faces, [person])) == ["found"]
