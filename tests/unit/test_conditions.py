"""Further ControlNets, T2I-Adapters and IP-Adapters beside the stack, on the stock pipelines that have them."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import jaxtyping
import numpy as np
import PIL.Image
import pytest
import torch
from conftest import load_example
from diffusers import ControlNetModel, T2IAdapter
from first_layer import changed_halves, first_layer
from safetensors.torch import save_file
from tinies import couple, small_scene
from torch import nn
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from multiid import Box, Composer, Control, Identity, InitImage, Person, SceneError, refine_faces
from multiid.attention.install import cross_attention_layers
from multiid.attention.processors import MaskedAttnProcessor, Showing
from multiid.pipeline.tiny import tiny_adapter, tiny_pipeline

HALVES = (Box(0, 0, 96, 128), Box(96, 0, 192, 128))
TEXT = "a woman and a man in a garden"


def depth(seed: int = 0) -> PIL.Image.Image:
    """Something like a depth map."""
    blocks = np.random.default_rng(seed).integers(0, 255, (4, 6), dtype=np.uint8)
    return PIL.Image.fromarray(blocks).resize((192, 128)).convert("RGB")


def two_controlnets(script: ModuleType) -> Composer:
    """The tiny pipeline with a second ControlNet, unlike the first, as the example makes it."""
    tiny = Composer(tiny_pipeline(), tiny_adapter())
    second = ControlNetModel.from_config(tiny.pipeline.controlnet.config)
    torch.manual_seed(4)
    for parameter in second.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.1)
    composer = script.with_second_controlnet(tiny, second.eval())
    composer.pipeline.set_progress_bar_config(disable=True)
    return composer


def with_t2i_adapter(script: ModuleType) -> Composer:
    """The tiny pipeline with a T2I-Adapter in place of the ControlNet, as the example makes it."""
    torch.manual_seed(4)
    adapter = T2IAdapter(
        channels=[16, 16, 32], num_res_blocks=1, downscale_factor=16, adapter_type="full_adapter_xl"
    ).eval()
    composer = script.with_t2i_adapter(Composer(tiny_pipeline(), tiny_adapter()), adapter)
    composer.pipeline.set_progress_bar_config(disable=True)
    return composer


def with_ip_adapter(folder: Path) -> Composer:
    """The tiny pipeline with a random IP-Adapter, loaded from a file of the published format."""
    pipeline = tiny_pipeline()
    torch.manual_seed(4)
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        projection_dim=12,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
    )
    pipeline.register_modules(
        image_encoder=CLIPVisionModelWithProjection(vision).eval(),
        feature_extractor=CLIPImageProcessor(size=32, crop_size=32),
    )
    width, tokens = pipeline.unet.config.cross_attention_dim, 4
    state = {
        "image_proj.proj.weight": torch.randn(tokens * width, 12),
        "image_proj.proj.bias": torch.randn(tokens * width),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }
    layers = [name for name in pipeline.unet.attn_processors if name.endswith("attn2.processor")]
    for number, name in enumerate(layers):
        layer = pipeline.unet.get_submodule(name.removesuffix(".processor"))
        for part in ("k", "v"):
            state[f"ip_adapter.{2 * number + 1}.to_{part}_ip.weight"] = torch.randn(layer.to_q.out_features, width)
    save_file(state, folder / "ip-adapter.safetensors")
    pipeline.load_ip_adapter(str(folder), subfolder="", weight_name="ip-adapter.safetensors", image_encoder_folder=None)
    pipeline.set_progress_bar_config(disable=True)
    return Composer(pipeline, tiny_adapter())


@pytest.fixture(scope="module")
def styled(tmp_path_factory: pytest.TempPathFactory) -> Composer:
    return with_ip_adapter(tmp_path_factory.mktemp("ip-adapter"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_example("conditions")


@pytest.fixture(scope="module")
def two(script: ModuleType) -> Composer:
    return two_controlnets(script)


@pytest.fixture(scope="module")
def adapted(script: ModuleType) -> Composer:
    return with_t2i_adapter(script)


@pytest.fixture(scope="module")
def people(two: Composer) -> list[Identity]:
    return couple(two)


def boxed(people: list[Identity], strengths: tuple[float, float]) -> list[Person]:
    return [
        Person(person, region=box, strength=strength)
        for person, box, strength in zip(people, HALVES, strengths, strict=True)
    ]


def latents(composer: Composer, scene: Any) -> torch.Tensor:
    made = composer.compose(scene, output_type="latent").latents
    assert made is not None
    return made


def test_two_controlnets_without_identity_are_the_stock_pipeline(two: Composer, people: list[Identity]) -> None:
    scene = small_scene(
        boxed(people, (0, 0)), control_scale=0.8, control_end=0.5, controls=[Control(depth(), 0.6, 1.0)], merge_step=-1
    )
    stock = two.pipeline(
        prompt=TEXT,
        image=[two.stage(scene).control, depth()],
        controlnet_conditioning_scale=[0.8, 0.6],
        control_guidance_end=[0.5, 1.0],
        num_inference_steps=2,
        width=192,
        height=128,
        generator=torch.Generator("cpu").manual_seed(5),
        output_type="latent",
    ).images
    assert torch.equal(latents(two, scene), stock)


def test_the_second_controlnet_is_heard(two: Composer, people: list[Identity]) -> None:
    scene = small_scene(people, controls=[Control(depth())])
    plain = latents(two, scene)
    for other in (Control(depth(1)), Control(depth(), scale=0.5), Control(depth(), end=0.5)):
        assert not torch.allclose(latents(two, replace(scene, controls=[other])), plain, rtol=1e-3)


def test_both_controlnets_see_the_identities(two: Composer, people: list[Identity]) -> None:
    scene = small_scene(people, controls=[Control(depth())], merge_step=-1)
    assert not torch.equal(latents(two, scene), latents(two, replace(scene, control_identity=False)))


@pytest.mark.parametrize("kind", ["two", "adapted", "styled"])
def test_masks_hold(kind: str, people: list[Identity], request: pytest.FixtureRequest) -> None:
    composer: Composer = request.getfixturevalue(kind)
    more: dict[str, Any] = {
        "two": {"controls": [Control(depth())]},
        "adapted": {},
        "styled": {"style_image": depth()},
    }[kind] | {"merge_step": -1}
    both = first_layer(composer, small_scene(boxed(people, (1, 1)), **more))
    quiet = first_layer(composer, small_scene(boxed(people, (1, 0.5)), **more))
    assert changed_halves(both, quiet, columns=12) == (False, True)


def test_scenes_of_a_batch_have_control_images_of_their_own(two: Composer, people: list[Identity]) -> None:
    scenes = [
        small_scene(people, controls=[Control(depth(number))], template=template, seed=number)
        for number, template in enumerate(("couple-standing", "friends-six"))
    ]
    for scene, picture in zip(scenes, two.compose_batch(scenes), strict=True):
        difference = np.asarray(picture.image).astype(int) - np.asarray(two.compose(scene).image)
        assert np.abs(difference).max() <= 1
    shown: list[torch.Tensor] = []

    def look(_: Any, args: Any, kwargs: dict[str, Any]) -> None:
        shown.append(kwargs["controlnet_cond"] if "controlnet_cond" in kwargs else args[3])

    handle = two.pipeline.controlnet.nets[1].register_forward_pre_hook(look, with_kwargs=True)
    try:
        two.compose_batch(scenes)
    finally:
        handle.remove()
    rows = shown[0][-2:]
    for row, number in zip(rows, range(2), strict=True):
        expected = torch.from_numpy(np.asarray(depth(number)).copy()).permute(2, 0, 1) / 255
        torch.testing.assert_close(row, expected)


def test_the_number_of_control_images_must_fit(two: Composer, people: list[Identity]) -> None:
    with pytest.raises(SceneError, match=r"controls: expected 1, .* but got 0"):
        two.compose(small_scene(people))
    alone = Composer(tiny_pipeline(), tiny_adapter())
    with pytest.raises(SceneError, match=r"controls: expected 0, .* but got 1"):
        alone.compose(small_scene(people, controls=[Control(depth())]))


def test_pictures_to_start_from_go_with_two_controlnets(two: Composer, people: list[Identity]) -> None:
    scene = small_scene(people, controls=[Control(depth())], init=InitImage(depth(3), 0.5, mask=HALVES[0]), steps=4)
    made = np.asarray(two.compose(scene).image)
    assert (made[:, 96:] == np.asarray(depth(3))[:, 96:]).all()
    assert (made[:, :88] != np.asarray(depth(3))[:, :88]).any(axis=-1).mean() > 0.9


def test_what_was_given_by_hand_is_told_in_the_recipe(two: Composer, people: list[Identity]) -> None:
    assert two.compose(small_scene(people, controls=[Control(depth())])).recipe.unrecorded == ("controls",)


def test_values_are_checked(people: list[Identity], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the tests' type checks would come first
    picture: Any = "depth.png"
    with pytest.raises(SceneError, match=r"controls\.image: expected a picture, but got str"):
        Control(picture)
    with pytest.raises(SceneError, match=r"controls\.scale: expected at most 2, but got 3"):
        Control(depth(), scale=3)
    with pytest.raises(SceneError, match="controls: expected a list of Control"):
        small_scene(people, controls=[depth()])


def test_a_t2i_adapter_without_identity_is_the_stock_pipeline(adapted: Composer, people: list[Identity]) -> None:
    scene = small_scene(boxed(people, (0, 0)), control_scale=0.7, control_end=0.5, merge_step=-1)
    stock = adapted.pipeline(
        prompt=TEXT,
        image=adapted.stage(scene).control,
        adapter_conditioning_scale=0.7,
        adapter_conditioning_factor=0.5,
        num_inference_steps=2,
        width=192,
        height=128,
        generator=torch.Generator("cpu").manual_seed(5),
        output_type="latent",
    ).images
    assert torch.equal(latents(adapted, scene), stock)
    assert not torch.allclose(latents(adapted, replace(scene, control_scale=0.0)), stock, rtol=1e-3)


def test_a_t2i_adapters_progress_is_told(adapted: Composer, people: list[Identity]) -> None:
    seen: list[tuple[int, int]] = []
    adapted.compose(small_scene(people, steps=3, merge_step=-1), progress=lambda *step: seen.append(step))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_what_a_t2i_adapters_pipeline_cannot_do_is_told(adapted: Composer, people: list[Identity]) -> None:
    with pytest.raises(SceneError, match="merge_step: expected -1 with a T2I-Adapter"):
        adapted.compose(small_scene(people, merge_step=0))
    with pytest.raises(SceneError, match="a T2I-Adapter's starts from noise only"):
        adapted.compose(small_scene(people, init=InitImage(depth())))
    with pytest.raises(SceneError, match="images: expected 1 in a batch"):
        adapted.compose_batch([small_scene(people, images=2, merge_step=-1)] * 2)
    # Nobody is left out who has no identity to merge.
    adapted.compose(small_scene([replace(p, strength=0.0) for p in boxed(people, (0, 0))], merge_step=0))


def test_a_batch_with_a_t2i_adapter(adapted: Composer, people: list[Identity]) -> None:
    scenes = [
        small_scene(people, template=template, seed=number, merge_step=-1)
        for number, template in enumerate(("couple-standing", "friends-six"))
    ]
    for scene, picture in zip(scenes, adapted.compose_batch(scenes), strict=True):
        difference = np.asarray(picture.image).astype(int) - np.asarray(adapted.compose(scene).image)
        assert np.abs(difference).max() <= 1


def test_an_ip_adapter_without_identity_is_the_stock_pipeline(styled: Composer, people: list[Identity]) -> None:
    scene = small_scene(boxed(people, (0, 0)), style_image=depth(), merge_step=-1)
    stock = styled.pipeline(
        prompt=TEXT,
        image=styled.stage(scene).control,
        ip_adapter_image=depth(),
        num_inference_steps=2,
        width=192,
        height=128,
        generator=torch.Generator("cpu").manual_seed(5),
        output_type="latent",
    ).images
    assert torch.equal(latents(styled, scene), stock)


def test_a_style_is_heard_beside_the_identities(styled: Composer, people: list[Identity]) -> None:
    scene = small_scene(people, style_image=depth(), merge_step=-1)
    made = latents(styled, scene)
    assert not torch.allclose(latents(styled, replace(scene, style_image=depth(1))), made, rtol=1e-3)
    quiet = [Person(person, strength=0.5) for person in people]
    assert not torch.allclose(latents(styled, replace(scene, people=quiet)), made, rtol=1e-5)


def test_a_style_of_no_scale_changes_nothing(styled: Composer, people: list[Identity]) -> None:
    scene = small_scene(people, style_image=depth(), merge_step=-1)
    styled.pipeline.set_ip_adapter_scale(0.0)
    try:
        silent = latents(styled, scene)
    finally:
        styled.pipeline.set_ip_adapter_scale(1.0)
    plain = Composer(tiny_pipeline(), tiny_adapter())
    plain.pipeline.set_progress_bar_config(disable=True)
    assert torch.equal(silent, latents(plain, replace(scene, style_image=None)))


def test_the_formula_is_the_stock_processors(styled: Composer) -> None:
    """Without a stack, our processor gives what the IP-Adapter's own does, whatever the scale."""
    layer = cross_attention_layers(styled.pipeline.unet)[0][0]
    original = layer.processor
    hidden, text = torch.randn(2, 24, layer.to_q.in_features), torch.randn(2, 77, 48)
    pictures = [torch.randn(2, 1, 4, 48)]
    ours = MaskedAttnProcessor(original, level=1, showing=Showing([None, None], []))
    for scale in (0.3, 1.0):
        original.scale = [scale]
        torch.testing.assert_close(ours(layer, hidden, (text, pictures)), original(layer, hidden, (text, pictures)))


def test_the_ip_adapters_weights_stay_part_of_the_network(styled: Composer, people: list[Identity]) -> None:
    """Or offloading would leave them behind; afterwards everything is as it was."""
    unet = styled.pipeline.unet
    before = {name: weight.data_ptr() for name, weight in unet.named_parameters()}
    during: set[int] = set()
    handle = unet.register_forward_pre_hook(lambda *_: during.update(w.data_ptr() for w in unet.parameters()))
    try:
        styled.compose(small_scene(people, style_image=depth(), merge_step=-1))
    finally:
        handle.remove()
    assert during == set(before.values())
    assert {name: weight.data_ptr() for name, weight in unet.named_parameters()} == before


def test_style_and_ip_adapter_belong_together(styled: Composer, two: Composer, people: list[Identity]) -> None:
    with pytest.raises(SceneError, match="style_image: expected a picture for the pipeline's IP-Adapter"):
        styled.compose(small_scene(people))
    with pytest.raises(SceneError, match="style_image: expected a pipeline with an IP-Adapter"):
        two.compose(small_scene(people, controls=[Control(depth())], style_image=depth()))
    assert styled.compose(small_scene(people, style_image=depth())).recipe.unrecorded == ("style_image",)


def test_refining_cuts_the_further_control_images_too(two: Composer, people: list[Identity]) -> None:
    scene = small_scene(people, controls=[Control(depth())], steps=4)
    picture = two.compose(scene)
    shown: list[torch.Tensor] = []
    handle = two.pipeline.controlnet.nets[1].register_forward_pre_hook(
        lambda _, args, kwargs: shown.append(kwargs["controlnet_cond"] if "controlnet_cond" in kwargs else args[3]),
        with_kwargs=True,
    )
    try:
        refined = refine_faces(two, scene, picture, people=["ada"], below=1000)
    finally:
        handle.remove()
    assert refined.image != picture.image
    side = two.defaults.refine_side
    whole = torch.from_numpy(np.asarray(depth().resize((side, side))).copy()).permute(2, 0, 1) / 255
    assert (shown[0][-1] - whole).abs().mean() > 0.05, "a part of it, not the whole"
