"""Starting from an existing picture: the stock image-to-image, and a part painted anew while the rest stays."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import PIL.Image
import pytest
import torch
import yaml
from first_layer import changed_halves, first_layer
from tinies import couple, small_scene, tiny_composer, write_scene

from multiid import (
    Box,
    Composer,
    Identity,
    InitImage,
    Person,
    RecipeError,
    RegionError,
    SceneError,
    load_scene_file,
    read_recipe,
)
from multiid.pipeline.inpainting import Keeper, feathered, pasted
from multiid.pipeline.schedulers import make_scheduler
from multiid.pipeline.stock import sister

WIDTH, HEIGHT = 192, 128
HALVES = (Box(0, 0, 96, 128), Box(96, 0, 192, 128))


@pytest.fixture(scope="module")
def composer() -> Composer:
    return tiny_composer()


@pytest.fixture(scope="module")
def people(composer: Composer) -> list[Identity]:
    return couple(composer)


@pytest.fixture(scope="module")
def picture() -> PIL.Image.Image:
    blocks = np.random.default_rng(7).integers(0, 255, (8, 12, 3), dtype=np.uint8)
    return PIL.Image.fromarray(blocks).resize((WIDTH, HEIGHT))


def boxed(people: list[Identity]) -> list[Person]:
    return [Person(person, region=box) for person, box in zip(people, HALVES, strict=True)]


@pytest.mark.parametrize("posed", [True, False])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_strength_zero_is_the_stock_image_to_image_bit_for_bit(
    composer: Composer, people: list[Identity], picture: PIL.Image.Image, posed: bool, strength: float
) -> None:
    cast = [replace(person, strength=0.0) for person in boxed(people)]
    scene = small_scene(
        cast, steps=4, init=InitImage(picture, strength), merge_step=None, **({} if posed else {"template": None})
    )
    made = composer.compose(scene, output_type="latent")
    stock = sister(composer.pipeline, control=posed, init=True)(
        prompt="a woman and a man in a garden",
        image=picture,
        strength=strength,
        **({"control_image": made.stage.control, "controlnet_conditioning_scale": 1.0} if posed else {}),
        num_inference_steps=4,
        guidance_scale=5.0,
        generator=torch.Generator("cpu").manual_seed(5),
        output_type="latent",
    ).images
    assert made.latents is not None
    assert torch.equal(made.latents, stock)


def test_identities_are_there_from_the_first_step_unless_told_otherwise(
    composer: Composer, people: list[Identity], picture: PIL.Image.Image
) -> None:
    init = InitImage(picture, 0.5)
    early = composer.compose(small_scene(people, init=init, steps=4, merge_step=None))
    assert early.recipe.scene.merge_step == -1
    shared = composer.compose(small_scene(people, init=init, steps=4, merge_step=None, style_strength=50))
    assert shared.recipe.scene.merge_step == 1, "half of the two steps that are run"
    assert early.image != shared.image


def test_progress_counts_the_steps_that_are_run(
    composer: Composer, people: list[Identity], picture: PIL.Image.Image
) -> None:
    for scheduler in ("euler", "heun"):
        seen: list[tuple[int, int]] = []
        scene = small_scene(people, init=InitImage(picture, 0.5), steps=4, scheduler=scheduler)
        composer.compose(scene, progress=lambda *step, seen=seen: seen.append(step))
        assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("scheduler", ["euler", "ddim", "dpm++", "heun"])
def test_only_the_masked_part_changes(
    composer: Composer, people: list[Identity], picture: PIL.Image.Image, scheduler: str, images: int
) -> None:
    scene = small_scene(
        people, init=InitImage(picture, 0.8, mask=Box(40, 24, 100, 90)), steps=3, scheduler=scheduler, images=images
    )
    for made in composer.compose(scene).images:
        before, after = np.asarray(picture), np.asarray(made)
        inside = np.zeros((HEIGHT, WIDTH), bool)
        inside[24:90, 40:100] = True
        assert (before == after)[~inside].all()
        assert (before != after)[inside].any(axis=-1).mean() > 0.9


@pytest.mark.parametrize("scheduler", ["euler", "ddim", "dpm++", "heun"])
def test_what_is_kept_stays_among_the_latents_too(
    composer: Composer, people: list[Identity], picture: PIL.Image.Image, scheduler: str
) -> None:
    """The rest of the network must see the picture as it is, and not what it would have made of it."""
    scene = small_scene(people, init=InitImage(picture, 0.8, mask=HALVES[0]), steps=3, scheduler=scheduler)
    made = composer.compose(scene, output_type="latent").latents
    pipeline = sister(composer.pipeline, control=True, init=True)
    clean = pipeline.prepare_latents(
        pipeline.image_processor.preprocess(picture),
        None,
        1,
        1,
        torch.float32,
        torch.device("cpu"),
        [torch.Generator("cpu").manual_seed(5)],
        add_noise=False,
    )
    assert made is not None
    middle = made.shape[-1] // 2
    assert torch.equal(made[..., middle:], clean[..., middle:])
    assert not torch.isclose(made[..., :middle], clean[..., :middle]).all(dim=1).any()


def test_the_kept_part_carries_the_noise_of_the_next_step(
    composer: Composer, people: list[Identity], picture: PIL.Image.Image
) -> None:
    """As if it had been denoised along: by the sampler's own formula for the time that comes next."""
    seen: list[tuple[torch.Tensor, Keeper]] = []
    plain = Keeper.__call__

    def watched(self: Keeper, pipeline: Any, index: int, timestep: Any, tensors: Any) -> Any:
        kept = plain(self, pipeline, index, timestep, tensors)
        seen.append((kept["latents"], self))
        return kept

    scene = small_scene(people, init=InitImage(picture, 1.0, mask=HALVES[0]), steps=4, scheduler="ddim")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "__call__", watched)
        composer.compose(scene)
    scheduler = make_scheduler("ddim", composer.pipeline.scheduler.config)
    scheduler.set_timesteps(4)
    shares = [float(scheduler.alphas_cumprod[time]) for time in scheduler.timesteps[1:]] + [1.0]
    for (latents, keeper), share in zip(seen, shares, strict=True):
        expected = share**0.5 * keeper.clean + (1 - share) ** 0.5 * keeper.noise
        torch.testing.assert_close(latents[..., 12:], expected[..., 12:])


def test_a_persons_region_can_be_the_part(composer: Composer, people: list[Identity], picture: PIL.Image.Image) -> None:
    made = composer.compose(small_scene(people, init=InitImage(picture, 0.8, people=["isaac"]), steps=3))
    region = made.stage.regions[1].numpy() > 0
    changed = (np.asarray(picture) != np.asarray(made.image)).any(axis=-1)
    assert not changed[~region].any()
    assert changed[region].mean() > 0.9


def test_nobody_hears_another_persons_identity(
    composer: Composer, people: list[Identity], picture: PIL.Image.Image
) -> None:
    ada, isaac = boxed(people)
    init = InitImage(picture, 0.5)
    both = first_layer(composer, small_scene([ada, isaac], init=init, steps=2, merge_step=-1))
    quiet = first_layer(composer, small_scene([ada, replace(isaac, strength=0.5)], init=init, steps=2, merge_step=-1))
    assert changed_halves(both, quiet, columns=12) == (False, True)


def test_the_pictures_size_is_the_scenes(composer: Composer, people: list[Identity]) -> None:
    picture = PIL.Image.new("RGB", (160, 96))
    scene = replace(small_scene(people, init=None), init=InitImage(picture), width=None, height=None)
    assert composer.stage(scene).size == (160, 96)
    with pytest.raises(SceneError, match=r"init.image's width: expected a multiple of 8, but got 161: .* 160"):
        composer.stage(replace(scene, init=InitImage(PIL.Image.new("RGB", (161, 96)))))
    with pytest.raises(SceneError, match="expected a picture of the scene's size, 192x128, but got 160x96"):
        small_scene(people, init=InitImage(picture))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"image": "p.png"}, "init.image: expected a picture, but got str"),
        ({"strength": 0}, "init.strength: expected more than 0, but got 0"),
        ({"strength": 1.1}, "init.strength: expected at most 1, but got 1.1"),
        ({"strength": "much"}, "init.strength: expected a number, but got 'much'"),
        ({"mask": "m.png"}, "init.mask: expected a Box, or a mask as picture or array, but got str"),
        ({"people": "ada"}, "init.people: expected a list of names, but got 'ada'"),
        ({"mask": HALVES[0], "people": ["ada"]}, "init: expected either a mask or people, but got both"),
    ],
)
def test_values_are_checked(values: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the tests' type checks would come first
    with pytest.raises(SceneError, match=said):
        InitImage(**({"image": PIL.Image.new("RGB", (192, 128))} | values))


def test_what_does_not_fit_the_scene_is_told(
    composer: Composer, people: list[Identity], picture: PIL.Image.Image
) -> None:
    with pytest.raises(SceneError, match=r"people in the scene \(ada, isaac\), but got mary"):
        composer.compose(small_scene(people, init=InitImage(picture, people=["mary"])))
    with pytest.raises(RegionError, match=r"the box of .*init.mask.* inside the picture"):
        composer.compose(small_scene(people, init=InitImage(picture, mask=Box(0, 0, 193, 20))))
    with pytest.raises(SceneError, match=r"init\.strength: expected at least 0\.500"):
        composer.compose(small_scene(people, init=InitImage(picture, 0.3), steps=2))
    with pytest.raises(SceneError, match="latents: expected none for a scene that starts from a picture"):
        composer.compose(small_scene(people, init=InitImage(picture)), latents=torch.randn(1, 4, 16, 24))


def test_a_bare_picture_is_no_start(
    people: list[Identity], picture: PIL.Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(SceneError, match="init: expected an InitImage, but got Image"):
        small_scene(people, init=picture)


def test_the_recipe_repeats_it_from_the_same_picture_alone(
    composer: Composer, people: list[Identity], picture: PIL.Image.Image, tmp_path: Path
) -> None:
    mask = PIL.Image.new("L", (WIDTH, HEIGHT))
    mask.paste(255, (40, 24, 100, 90))
    for init in (InitImage(picture, 0.8, mask=mask), InitImage(picture, 0.7, people=["ada"])):
        made = composer.compose(small_scene(people, init=init, steps=3))
        file = made.save(tmp_path / "made.png")[0]
        recipe = read_recipe(file)
        again = composer.compose(recipe.to_scene(people, init=picture))
        assert again.image == made.image
        with pytest.raises(RecipeError, match="none was given"):
            recipe.to_scene(people)
        with pytest.raises(RecipeError, match="another one came"):
            recipe.to_scene(people, init=picture.rotate(180))
    plain = composer.compose(small_scene(people))
    with pytest.raises(RecipeError, match="starts from noise"):
        plain.recipe.to_scene(people, init=picture)


def test_a_scene_file_names_it(composer: Composer, picture: PIL.Image.Image, tmp_path: Path) -> None:
    file = write_scene(tmp_path, init={"image": "start.png", "strength": 0.5, "box": [0, 0, 64, 64]})
    picture.save(tmp_path / "start.png")
    scene = load_scene_file(file, defaults=composer.defaults).scene(composer.identity)
    assert scene.init is not None
    assert (scene.init.strength, scene.init.mask, scene.init.size) == (0.5, Box(0, 0, 64, 64), (WIDTH, HEIGHT))
    assert scene.init.image == picture


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"image": "start.png", "mask": "m.png", "people": ["ada"]}, "init: expected a box, a mask or people"),
        ({"image": "start.png", "strength": 2}, "init.strength: expected less than or equal to 1"),
        ({"strength": 0.5}, "init.image: expected"),
        ({"image": "start.png", "people": ["mary"]}, "but got mary"),
    ],
)
def test_a_scene_file_that_is_wrong_about_it(
    picture: PIL.Image.Image, tmp_path: Path, entry: dict[str, Any], said: str
) -> None:
    picture.save(tmp_path / "start.png")
    file = write_scene(tmp_path, init=entry)
    assert yaml.safe_load(file.read_text())["init"] == entry
    with pytest.raises(SceneError, match=said):
        load_scene_file(file)


def test_edges_are_feathered_inwards() -> None:
    part = torch.zeros(40, 60)
    part[10:30, 20:] = 1
    shares = feathered(part, width=5)
    assert (shares[part.numpy() == 0] == 0).all()
    assert shares[20].tolist()[19:26] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1, 1])
    assert shares[20, -1] == 1, "the edge of the picture is no edge of the part"
    assert (feathered(torch.ones(4, 4), width=9) == 1).all()


def test_a_share_of_nothing_leaves_every_bit() -> None:
    below, above = PIL.Image.new("RGB", (2, 1), (10, 20, 30)), PIL.Image.new("RGB", (2, 1), (110, 220, 255))
    shares = np.array([[0.0, 0.5]], np.float32)
    assert np.asarray(pasted(above, below, shares)).tolist() == [[[10, 20, 30], [60, 120, 142]]]
