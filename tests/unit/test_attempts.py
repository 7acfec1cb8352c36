"""Checking what was composed, and mending it: what is tried in which order, what is kept, and that it can be repeated.

The generator is tiny and its pictures are noise: who is seen in them is told by an analyzer with a list of answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from tinies import couple, small_scene, tiny_composer

from multiid import (
    Attempt,
    Box,
    Cancelled,
    Composer,
    Face,
    Identity,
    Person,
    Picture,
    Scene,
    SceneError,
    Verification,
    read_recipe,
    refine_faces,
)

EVERYBODY = {"ada": "ada", "isaac": "isaac"}
ADA_ALONE = {"ada": "ada"}
EXCHANGED = {"ada": "isaac", "isaac": "ada"}
BLENDED = {"ada": "ada", "isaac": "both"}
DIRECTIONS = {"ada": (1.0, 0.0, 0.0), "isaac": (0.0, 1.0, 0.0), "both": (1.0, 1.0, 0.0), "nobody": (0.0, 0.0, 1.0)}


class Answers:
    """Sees, in picture after picture, at somebody's place the face of whoever its list names."""

    def __init__(self, places: Mapping[str, Box], *answers: Mapping[str, str], recogniser: str | None = "list") -> None:
        self.places, self.answers, self.recogniser = places, list(answers), recogniser
        self.seen: list[PIL.Image.Image] = []

    def analyze(self, image: PIL.Image.Image) -> list[Face]:
        self.seen.append(image)
        answer = self.answers.pop(0)
        return [
            Face(self.places[at], ((1.0, 1.0),) * 5, 1.0, np.array(DIRECTIONS[whose]) if self.recogniser else None)
            for at, whose in answer.items()
        ]


@pytest.fixture(scope="module")
def composer() -> Composer:
    return tiny_composer()


@pytest.fixture(scope="module")
def people(composer: Composer) -> list[Identity]:
    """The couple, as a recogniser knows them."""
    return [
        replace(person, face_embeddings={"list": torch.tensor([DIRECTIONS[person.name]])})
        for person in couple(composer)
    ]


@pytest.fixture(scope="module")
def scene(people: list[Identity]) -> Scene:
    return small_scene(people, steps=2)


@pytest.fixture(scope="module")
def places(composer: Composer, scene: Scene) -> dict[str, Box]:
    stage = composer.stage(scene)
    assert stage.pose is not None
    boxes = [place.skeleton.face_box(stage.size) for place in stage.pose.places]
    found = {name: box for name, box in zip(("ada", "isaac"), boxes, strict=True) if box is not None}
    # Somewhere that is nobody's place.
    return {**found, "elsewhere": Box(2, 100, 20, 122)}


@pytest.fixture(scope="module")
def plain(composer: Composer, scene: Scene) -> Picture:
    return composer.compose(scene)


def verification(picture: Picture) -> Verification:
    assert picture.verification is not None
    return picture.verification


def tried(picture: Picture) -> list[tuple[int, tuple[str, ...], int]]:
    """Seed, whose faces were refined and how many people were found, for each attempt."""
    return [
        (attempt.seed, attempt.refined, sum(match.status == "found" for match in attempt.matching.people))
        for attempt in verification(picture).attempts
    ]


def pixels(picture: Picture) -> np.ndarray:
    return np.stack([np.asarray(image) for image in picture.images])


def repeated(composer: Composer, people: Sequence[Identity], picture: Picture) -> PIL.Image.Image:
    """The picture made again from its recipe, as the command does it."""
    scene = picture.recipe.to_scene(people)
    again = composer.compose(scene).only(picture.recipe.index)
    for refinement in picture.recipe.refinements:
        again = refine_faces(composer, scene, again, **refinement.model_dump())
    return again.image


def test_a_complete_picture_is_left_as_it_is(
    composer: Composer, scene: Scene, places: dict[str, Box], plain: Picture
) -> None:
    picture = composer.compose(scene, verify=True, judge=Answers(places, EVERYBODY))
    assert np.array_equal(pixels(picture), pixels(plain))
    assert picture.recipe == plain.recipe
    assert tried(picture) == [(5, (), 2)]
    found = verification(picture)
    assert found.is_complete
    assert found.kept == 0
    assert found.recogniser == "list"
    assert found.unchecked == ()
    assert not found.own_recogniser
    assert found.matching is found.attempts[0].matching
    assert [match.similarity for match in found.matching.people] == pytest.approx([1, 1])
    assert plain.verification is None
    assert plain.verifications == ()


@pytest.mark.parametrize("first", [ADA_ALONE, BLENDED], ids=["missing", "mixed"])
def test_first_the_failing_faces_alone_are_painted_anew(
    composer: Composer,
    people: list[Identity],
    scene: Scene,
    places: dict[str, Box],
    plain: Picture,
    first: dict[str, str],
) -> None:
    judge = Answers(places, first, EVERYBODY)
    picture = composer.compose(scene, verify=True, judge=judge)
    assert tried(picture) == [(5, (), 1), (5, ("isaac",), 2)]
    assert verification(picture).kept == 1
    assert judge.seen[0] == plain.image
    assert judge.seen[1] == picture.image, "what was looked at is what is returned"
    changed = (pixels(picture)[0] != pixels(plain)[0]).any(axis=-1)
    assert changed.any()
    assert not changed[picture.stage.regions[0].numpy() > 0].any(), "Ada was as she should be"
    (refinement,) = picture.recipe.refinements
    assert refinement.people == ("isaac",)
    assert repeated(composer, people, picture) == picture.image


def test_then_another_seed_is_tried(
    composer: Composer, people: list[Identity], scene: Scene, places: dict[str, Box]
) -> None:
    judge = Answers(places, ADA_ALONE, ADA_ALONE, EVERYBODY)
    picture = composer.compose(scene, verify=True, judge=judge)
    assert tried(picture) == [(5, (), 1), (5, ("isaac",), 1), (6, (), 2)]
    assert verification(picture).kept == 2
    assert picture.recipe.seed == 6
    assert picture.recipe.refinements == ()
    assert picture.image == composer.compose(replace(scene, seed=6)).image
    assert repeated(composer, people, picture) == picture.image


def test_the_other_seeds_picture_is_mended_too(
    composer: Composer, people: list[Identity], scene: Scene, places: dict[str, Box], tmp_path: Path
) -> None:
    judge = Answers(places, {}, {}, EXCHANGED, EVERYBODY)
    picture = composer.compose(scene, verify=True, judge=judge)
    both = ("ada", "isaac")
    assert tried(picture) == [(5, (), 0), (5, both, 0), (6, (), 0), (6, both, 2)]
    assert verification(picture).kept == 3
    recipe = read_recipe(picture.save(tmp_path / "a.png")[0])
    assert (recipe.seed, [each.people for each in recipe.refinements]) == (6, [both])
    assert repeated(composer, people, picture) == picture.image


@pytest.mark.parametrize(
    ("answers", "kept"),
    [
        # Most people found, ...
        ([{}, ADA_ALONE, EXCHANGED, {}], 1),
        ([{}, BLENDED, {}, {}], 1),
        # ... then fewest mixed or doubled, ...
        ([{"ada": "both"}, {}, EXCHANGED, {"ada": "isaac"}], 1),
        ([BLENDED, {**ADA_ALONE, "elsewhere": "ada"}, ADA_ALONE, BLENDED], 2),
        # ... then the earliest.
        ([ADA_ALONE, ADA_ALONE, ADA_ALONE, ADA_ALONE], 0),
    ],
)
def test_the_best_is_kept(
    composer: Composer, scene: Scene, places: dict[str, Box], answers: list[dict[str, str]], kept: int
) -> None:
    judge = Answers(places, *answers)
    picture = composer.compose(scene, verify=True, attempts=2, judge=judge)
    found = verification(picture)
    assert len(found.attempts) == len(answers) == len(judge.seen)
    assert found.kept == kept
    assert not found.is_complete
    assert found.matching == found.attempts[kept].matching
    assert picture.image == judge.seen[kept]


def test_among_equals_the_most_similar_is_kept(
    composer: Composer, scene: Scene, places: dict[str, Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DIRECTIONS, "faint", (1.0, 0.0, 1.0))
    judge = Answers(places, {"ada": "faint"}, {}, ADA_ALONE, {"ada": "faint"})
    picture = composer.compose(scene, verify=True, attempts=2, judge=judge)
    assert verification(picture).kept == 2


@pytest.mark.parametrize("attempts", [1, 3])
def test_no_more_pictures_are_made_than_allowed(
    composer: Composer, scene: Scene, places: dict[str, Box], attempts: int
) -> None:
    watched: list[Attempt] = []
    judge = Answers(places, *[ADA_ALONE] * (2 * attempts))
    picture = composer.compose(scene, verify=True, attempts=attempts, judge=judge, watch=watched.append)
    assert sorted({attempt.seed for attempt in watched}) == [5 + number for number in range(attempts)]
    assert tuple(watched) == verification(picture).attempts
    assert str(watched[1]) == "seed 5, isaac refined: 1 of 2 found, isaac missing"


def test_whoever_is_doubled_elsewhere_needs_another_seed(
    composer: Composer, scene: Scene, places: dict[str, Box]
) -> None:
    """Their own face is right; there is no place of anybody's to paint anew."""
    judge = Answers(places, {**EVERYBODY, "elsewhere": "ada"}, EVERYBODY)
    picture = composer.compose(scene, verify=True, judge=judge)
    assert tried(picture) == [(5, (), 1), (6, (), 2)]


def test_whoever_is_doubled_at_anothers_place_makes_room(
    composer: Composer, scene: Scene, places: dict[str, Box]
) -> None:
    judge = Answers(places, {"ada": "ada", "isaac": "ada"}, EVERYBODY)
    picture = composer.compose(scene, verify=True, judge=judge)
    assert [refined for _, refined, _ in tried(picture)] == [(), ("isaac",)]


def test_each_image_is_mended_by_itself(
    composer: Composer, people: list[Identity], scene: Scene, places: dict[str, Box], tmp_path: Path
) -> None:
    several = replace(scene, images=3)
    judge = Answers(places, EVERYBODY, ADA_ALONE, ADA_ALONE, EVERYBODY, ADA_ALONE, EVERYBODY)
    plain = composer.compose(several)
    picture = composer.compose(several, verify=True, judge=judge)
    assert [[(each.seed, each.refined) for each in one.attempts] for one in picture.verifications] == [
        [(5, ())],
        [(6, ()), (6, ("isaac",)), (9, ())],  # 7 and 8 are other images' seeds
        [(7, ()), (7, ("isaac",))],
    ]
    assert picture.images[0] == plain.images[0]
    assert picture.images[1] == composer.compose(replace(scene, seed=9)).image
    assert all(one.is_complete for one in picture.verifications)
    assert picture.only(2).verification == picture.verifications[2]
    for index, file in enumerate(picture.save(tmp_path / "a.png")):
        assert read_recipe(file) == picture.recipes[index]
        assert repeated(composer, people, picture.only(index)) == picture.images[index]


def test_faces_are_refined_before_they_are_checked(
    composer: Composer, people: list[Identity], scene: Scene, places: dict[str, Box]
) -> None:
    finish = partial(refine_faces, composer, scene, below=1000.0, strength=0.5)
    judge = Answers(places, ADA_ALONE, ADA_ALONE, ADA_ALONE, EVERYBODY)
    picture = composer.compose(scene, verify=True, judge=judge, finish=finish)
    assert [refined for _, refined, _ in tried(picture)] == [(), ("isaac",), (), ("isaac",)]
    assert judge.seen[0] == finish(composer.compose(scene)).image
    assert [each.people for each in picture.recipe.refinements] == [None, ("isaac",)]
    assert repeated(composer, people, picture) == picture.image
    assert composer.compose(scene, finish=finish).image == judge.seen[0], "without verifying too"


def test_without_a_recogniser_faces_are_counted_and_placed(
    composer: Composer, scene: Scene, places: dict[str, Box]
) -> None:
    judge = Answers(places, {"isaac": "ada", "elsewhere": "ada"}, EXCHANGED, recogniser=None)
    picture = composer.compose(scene, verify=True, judge=judge)
    assert [refined for _, refined, _ in tried(picture)] == [(), ("ada",)]
    found = verification(picture)
    assert found.is_complete, "there is a face for each"
    assert found.recogniser is None
    assert found.unchecked == ("ada", "isaac")
    assert "identity was not checked: faces were counted and placed, but compared with nobody" in found.lines
    assert found.attempts[0].matching.strangers == (places["elsewhere"],)


def test_whoever_the_recogniser_does_not_know_is_named(
    composer: Composer, people: list[Identity], places: dict[str, Box]
) -> None:
    stranger = replace(people[1], face_embeddings={"another": torch.ones(1, 3)})
    wanted = small_scene([people[0], stranger])
    found = verification(
        composer.compose(wanted, verify=True, judge=Answers(places, {"ada": "ada", "isaac": "nobody"}))
    )
    assert found.is_complete
    assert found.recogniser == "list"
    assert found.unchecked == ("isaac",)
    assert found.lines[1].endswith(", not compared")
    assert "not compared, for want of an embedding by list: isaac" in found.lines


def test_without_a_pose_people_are_where_their_boxes_are(
    composer: Composer, people: list[Identity], places: dict[str, Box]
) -> None:
    halves = (Box(0, 0, 96, 128), Box(96, 0, 192, 128))
    boxed = [Person(person, region=box) for person, box in zip(people, halves, strict=True)]
    wanted = small_scene(boxed, template=None)
    # Nobody's place can be painted anew: neither a pose nor the composer says where the face is.
    picture = composer.compose(
        wanted, verify=True, judge=Answers(places, {"ada": "isaac", "isaac": "nobody"}, EVERYBODY)
    )
    assert tried(picture) == [(5, (), 0), (6, (), 2)]
    assert verification(picture).expected == dict(zip(("ada", "isaac"), halves, strict=True))
    finding = Composer(
        composer.pipeline,
        composer.adapter,
        Answers(places, EXCHANGED, EXCHANGED, EVERYBODY),
        defaults=composer.defaults,
    )
    # It looks three times: to check, to find the faces that are painted anew, to check again.
    again = finding.compose(wanted, verify=True)
    assert [refined for _, refined, _ in tried(again)] == [(), ("ada", "isaac")]


def test_one_step_is_enough_to_mend(composer: Composer, people: list[Identity], places: dict[str, Box]) -> None:
    wanted = small_scene(people, steps=1, merge_step=-1)
    picture = composer.compose(wanted, verify=True, judge=Answers(places, ADA_ALONE, EVERYBODY))
    assert verification(picture).kept == 1


def test_seeds_go_on_from_the_beginning(composer: Composer, people: list[Identity], places: dict[str, Box]) -> None:
    last = 2**63 - 65
    wanted = small_scene(people, seed=last)
    judge = Answers(places, *[ADA_ALONE] * 4)
    picture = composer.compose(wanted, verify=True, attempts=2, judge=judge)
    assert [seed for seed, _, _ in tried(picture)] == [last, last, 0, 0]


def test_changed_pixels_are_no_longer_verified(composer: Composer, scene: Scene, places: dict[str, Box]) -> None:
    picture = composer.compose(scene, verify=True, judge=Answers(places, EVERYBODY))
    assert refine_faces(composer, scene, picture, below=1000).verification is None


def test_watching_can_stop_the_work(composer: Composer, scene: Scene, places: dict[str, Box]) -> None:
    def stop(attempt: Attempt) -> None:
        raise Cancelled(str(attempt))

    with pytest.raises(Cancelled, match="seed 5: 1 of 2 found, isaac missing"):
        composer.compose(scene, verify=True, judge=Answers(places, ADA_ALONE), watch=stop)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "verify: expected a face analyzer to check the picture with, but this composer has none"),
        ({"judge": Answers({}), "attempts": 0}, "attempts: expected at least 1, but got 0"),
        ({"judge": Answers({}), "output_type": "latent"}, "verify: expected pictures to check, but latents alone"),
        (
            {"judge": Answers({}), "latents": torch.zeros(1, 4, 16, 24)},
            "attempts: expected 1 where latents are given, since no other seed can change them, but got 3",
        ),
    ],
)
def test_what_cannot_be_verified_is_told_before_the_work(
    composer: Composer, scene: Scene, arguments: dict[str, Any], message: str
) -> None:
    steps: list[tuple[int, int]] = []
    with pytest.raises(SceneError, match=message):
        composer.compose(scene, verify=True, progress=lambda *step: steps.append(step), **arguments)
    assert not steps


def test_given_latents_can_be_mended(composer: Composer, scene: Scene, places: dict[str, Box]) -> None:
    latents = torch.randn(1, composer.pipeline.unet.config.in_channels, 16, 24)
    judge = Answers(places, ADA_ALONE, EVERYBODY)
    picture = composer.compose(scene, latents, verify=True, attempts=1, judge=judge)
    assert tried(picture) == [(5, (), 1), (5, ("isaac",), 2)]
