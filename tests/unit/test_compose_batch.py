"""Several scenes in one batch, each row with its own people and words."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tinies import couple, small_scene, tiny_composer

from multiid import Box, Composer, Identity, InitImage, Picture, Scene, SceneError


@pytest.fixture(scope="module")
def composer() -> Composer:
    return tiny_composer()


@pytest.fixture(scope="module")
def people(composer: Composer) -> list[Identity]:
    return couple(composer)


def pixels(picture: Picture) -> np.ndarray:
    return np.asarray(picture.image).astype(np.int16)


def three(people: list[Identity], **changes: Any) -> list[Scene]:
    """Other people, words, numbers of people and seeds; one of nobody."""
    ada, isaac = people
    return [
        small_scene([ada, isaac], **changes),
        small_scene([isaac], prompt="a {isaac} at the beach", seed=9, **changes),
        small_scene([], prompt="a garden", seed=11, **changes),
    ]


@pytest.mark.parametrize("layout", ["stack", "inline"])
@pytest.mark.parametrize("changes", [{"merge_step": -1}, {"merge_step": 0}, {"guidance": 1.0}, {"images": 2}])
def test_each_row_is_the_picture_it_would_be_alone(
    composer: Composer, people: list[Identity], layout: str, changes: dict[str, Any]
) -> None:
    scenes = three(people, layout=layout, **changes)
    made = composer.compose_batch(scenes)
    for scene, picture in zip(scenes, made, strict=True):
        alone = composer.compose(scene)
        assert len(picture.images) == len(alone.images) == scene.images
        for one, other in zip(picture.images, alone.images, strict=True):
            assert np.abs(np.asarray(one).astype(int) - np.asarray(other)).max() <= 1
        assert picture.names == alone.names
        assert picture.recipe.scene == alone.recipe.scene
    assert np.abs(pixels(made[0]) - pixels(made[1])).max() > 10


def test_a_controlnet_of_text_alone_reads_each_rows_own(composer: Composer, people: list[Identity]) -> None:
    scenes = three(people, control_identity=False, merge_step=-1)
    for scene, picture in zip(scenes, composer.compose_batch(scenes), strict=True):
        assert np.abs(pixels(picture) - pixels(composer.compose(scene))).max() <= 1


def test_pictures_to_start_from_are_each_rows_own(composer: Composer, people: list[Identity]) -> None:
    starts = [composer.compose(scene).image for scene in three(people)]
    scenes = [
        replace(scene, init=InitImage(start, 0.5, mask=Box(8 * index, 0, 96, 96)))
        for index, (scene, start) in enumerate(zip(three(people, steps=4), starts, strict=True))
    ]
    for scene, picture in zip(scenes, composer.compose_batch(scenes), strict=True):
        assert np.abs(pixels(picture) - pixels(composer.compose(scene))).max() <= 1


def test_progress_is_that_of_all(composer: Composer, people: list[Identity]) -> None:
    seen: list[tuple[int, int]] = []
    composer.compose_batch(three(people), progress=lambda *step: seen.append(step))
    assert seen == [(1, 2), (2, 2)]


def test_recipes_say_that_they_were_made_in_a_batch(composer: Composer, people: list[Identity]) -> None:
    made = composer.compose_batch(three(people))
    assert [picture.recipe.beside for picture in made] == [2, 2, 2]
    assert "in a batch with other scenes" in made[0].recipe.notes[-1]
    assert not composer.compose(three(people)[0]).recipe.notes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": 3}, "steps: expected the same in all scenes of a batch, but got 2 and 3"),
        ({"guidance": 2.0}, "guidance: expected the same"),
        ({"merge_step": -1}, "merge_step: expected the same"),
        ({"width": 256}, "size: expected the same in all scenes of a batch, but got 192x128 and 256x128"),
        ({"template": None}, "pose: expected the same"),
        ({"negative_prompt": "rain"}, "negative_prompt: expected the same"),
        ({"control_scale": 0.5}, "control_scale: expected the same"),
        ({"images": 2}, "images: expected the same"),
    ],
)
def test_scenes_that_are_not_alike_are_refused(
    composer: Composer, people: list[Identity], changes: dict[str, Any], said: str
) -> None:
    ada = people[:1]
    with pytest.raises(SceneError, match=said):
        composer.compose_batch([small_scene(ada, prompt="{ada}"), small_scene(ada, prompt="{ada}", **changes)])


def test_an_empty_batch_is_refused(composer: Composer) -> None:
    with pytest.raises(SceneError, match="scenes: expected at least one, but got none"):
        composer.compose_batch([])
