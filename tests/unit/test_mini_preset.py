"""The preset "mini": its settings reach the picture, its recipes repeat, and real photos are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import skimage.data
import torch
from click.testing import CliRunner
from conftest import needs
from minis import SHIPPED, load_miniature, random_parts
from photos import blocks

from multiid import (
    PRESETS,
    Composer,
    Identity,
    PhotoError,
    Picture,
    Scene,
    Size,
    encode_identity,
    load_adapter,
    load_faces,
    load_photos,
)
from multiid.cli import main
from multiid.mini.pack import pack
from multiid.mini.world.people import make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.pipeline.recipe import Recipe


@pytest.fixture(scope="module")
def composer(tmp_path_factory: pytest.TempPathFactory) -> Composer:
    """The preset with random weights: what settings do shows without any skill."""
    folder = tmp_path_factory.mktemp("mini") / "weights"
    pack(random_parts(), folder)
    return load_miniature(folder)


@pytest.fixture(scope="module")
def people(composer: Composer) -> list[Identity]:
    return [composer.identity("ada", "woman", blocks(0)), composer.identity("isaac", "old man", blocks(1))]


def small(picture: Picture) -> np.ndarray:
    return np.asarray(picture.images[0])


@pytest.fixture(scope="module")
def picture(composer: Composer, people: list[Identity]) -> Picture:
    return composer.compose(Scene("{ada} and {isaac} on the moon", people, template="couple-standing", seed=3, steps=3))


def test_its_settings_reach_the_recipe(composer: Composer, picture: Picture) -> None:
    settings = picture.recipe.scene
    assert (settings.width, settings.height) == picture.images[0].size == (160, 160)
    assert (settings.guidance, settings.layout, settings.merge_step, settings.scheduler) == (2.0, "stack", -1, None)
    assert composer.defaults == PRESETS["mini"].defaults
    assert any("cartoon people" in note and "sdxl" in note for note in picture.notes)


def test_it_comes_from_the_package() -> None:
    preset = PRESETS["mini"]
    assert preset.base is not None
    assert preset.base.source == str(SHIPPED)
    assert (preset.defaults.steps, preset.defaults.style_strength) == (8, None)
    assert set(preset.licences.values()) == {"Apache-2.0"}


def test_a_recipe_makes_the_same_pixels(composer: Composer, people: list[Identity], picture: Picture) -> None:
    """With the size in it, whatever the rule for sizes says by then."""
    recipe = Recipe.model_validate_json(picture.recipe.to_json())
    again = recipe.to_scene(people)
    assert np.array_equal(small(composer.compose(again)), small(picture))
    assert not np.array_equal(small(composer.compose(replace(again, seed=4))), small(picture))
    large = composer.compose(replace(again, width=192, height=160))
    assert large.images[0].size == Size(192, 160)


def test_people_and_pose_change_the_picture(composer: Composer, people: list[Identity], picture: Picture) -> None:
    again = picture.recipe.to_scene(people)
    changed = {
        "people": replace(again, people=list(reversed(again.people)), prompt="{ada} and {isaac} on the moon"),
        "pose": replace(again, control_scale=0.0),
    }
    for what, scene in changed.items():
        distance = np.abs(small(composer.compose(scene)).astype(float) - small(picture)).mean()
        print(f"{what}: {distance:.2f} grey levels")
        assert distance > 0.1


def test_the_package_holds_the_preset(tmp_path: Path) -> None:
    shipped = Composer.from_preset("mini", device="cpu")
    assert shipped.preset == "mini"
    assert type(shipped.pipeline).__name__ == "StableDiffusionXLControlNetPipeline"
    assert shipped.pipeline.unet.dtype == torch.float32
    assert load_adapter(PRESETS["mini"]).fingerprint == shipped.adapter.fingerprint
    portrait = draw_portrait(make_person(2_000_000), seed=1, size=96).picture
    assert shipped.identity("ada", "woman", portrait).face_embeddings
    portrait.save(tmp_path / "ada.png")
    add = ["people", "add", "ada", "--preset", "mini", "--noun", "woman", "--photos", str(tmp_path / "ada.png")]
    result = CliRunner().invoke(main, [*add, "-o", str(tmp_path / "ada.safetensors")])
    assert result.exit_code == 0, result.stderr


def test_real_photos_are_refused(tmp_path: Path) -> None:
    pictures: list[PIL.Image.Image | Path] = [
        PIL.Image.fromarray(skimage.data.astronaut()),
        *sorted(needs("photos", "newton").glob("*.jpg")),
    ]
    adapter, faces = load_adapter(PRESETS["mini"]), load_faces(PRESETS["mini"])
    for picture in pictures:
        with pytest.raises(PhotoError, match=r"looks like a photo of a real person: use the preset sdxl or sdxl-v2\.$"):
            encode_identity("ada", "woman", load_photos(picture), adapter, faces=faces)
    add = ["people", "add", "ada", "--preset", "mini", "--noun", "woman", "--photos", str(pictures[-1])]
    result = CliRunner().invoke(main, [*add, "-o", str(tmp_path / "ada.safetensors")])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "sdxl or sdxl-v2" in result.stderr
