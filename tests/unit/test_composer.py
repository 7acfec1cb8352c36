"""The composer on the tiny pipeline: what it does to pictures, networks, threads and schedulers."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jaxtyping
import numpy as np
import PIL.Image
import pytest
import torch
from diffusers import StableDiffusionXLImg2ImgPipeline
from first_layer import changed_halves, first_layer

from multiid import (
    PRESETS,
    Adapter,
    Box,
    Cancelled,
    Composer,
    EncoderMismatchError,
    Identity,
    Lora,
    Person,
    PresetError,
    Scene,
    SceneError,
    Stage,
)
from multiid.attention.install import cross_attention_layers
from multiid.pipeline.stock import sister
from multiid.pipeline.tiny import tiny_adapter, tiny_pipeline

SIZE = {"width": 192, "height": 128}


def photo(seed: int) -> PIL.Image.Image:
    """A photo of coloured blocks, unlike any other."""
    blocks = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return PIL.Image.fromarray(blocks).resize((96, 96))


@pytest.fixture(scope="module")
def composer() -> Composer:
    pipeline = tiny_pipeline()
    pipeline.set_progress_bar_config(disable=True)
    return Composer(pipeline, tiny_adapter())


@pytest.fixture(scope="module")
def people(composer: Composer) -> list[Identity]:
    names = ("ada", "isaac", "mary", "max")
    return [composer.identity(name, "woman" if i % 2 == 0 else "man", photo(i)) for i, name in enumerate(names)]


def scene(people: Sequence[Identity | Person], **changes: Any) -> Scene:
    settings: dict[str, Any] = {
        "template": "couple-standing",
        "layout": "stack",
        "steps": 3,
        "merge_step": 0,
        "seed": 5,
        **SIZE,
    }
    names = [person.identity.name if isinstance(person, Person) else person.name for person in people]
    prompt = " and ".join(f"a {{{name}}}" for name in names) + " in a garden"
    return Scene(prompt, people=people, **(settings | changes))


def latents(composer: Composer, wanted: Scene) -> torch.Tensor:
    result = composer.compose(wanted, output_type="latent").latents
    assert result is not None
    return result


def stock(composer: Composer, wanted: Scene, text: str) -> torch.Tensor:
    """The same call to the stock pipeline, by hand."""
    control = composer.stage(wanted).control
    pipeline = composer.pipeline if control is not None else sister(composer.pipeline, control=False, init=False)
    return pipeline(
        prompt=text,
        **({} if control is None else {"image": control}),
        num_inference_steps=wanted.steps,
        guidance_scale=5.0 if wanted.guidance is None else wanted.guidance,
        num_images_per_prompt=wanted.images,
        generator=[torch.Generator("cpu").manual_seed(5 + i) for i in range(wanted.images)],
        output_type="latent",
        **SIZE,
    ).images


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


@pytest.mark.parametrize("layout", ["stack", "inline", "auto"])
@pytest.mark.parametrize("guidance", [5.0, 1.0, 0.0])
@pytest.mark.parametrize("posed", [True, False])
def test_strength_zero_is_the_stock_pipeline_bit_for_bit(
    composer: Composer, people: list[Identity], layout: str, guidance: float, posed: bool
) -> None:
    cast = [Person(people[0], "in a red coat", strength=0), Person(people[1], strength=0)]
    changes: dict[str, Any] = {"layout": layout, "guidance": guidance, "merge_step": -1}
    if not posed:
        cast = [Person(p.identity, p.phrase, 0, Box(*box)) for p, box in zip(cast, HALVES, strict=True)]
        changes["template"] = None
    wanted = scene(cast, **changes)
    assert torch.equal(latents(composer, wanted), stock(composer, wanted, "a woman and a man in a garden"))


# What identities change in a picture of random networks is small beside its noise, yet far above rounding.
SEEN, ROUNDING = 5e-6, 3e-7

HALVES = ((0, 0, 96, 128), (96, 0, 192, 128))


@pytest.mark.parametrize("layout", ["stack", "inline"])
def test_identities_phrases_and_strength_change_the_picture(
    composer: Composer, people: list[Identity], layout: str
) -> None:
    ada, isaac, mary, _ = people
    plain = latents(composer, scene([ada, isaac], layout=layout))
    for other in (
        [Person(ada, strength=0), Person(isaac, strength=0)],
        [Person(ada, strength=0.5), isaac],
        [Person(ada, "in a red coat"), isaac],
        [mary, isaac],
        [Person(ada, place=1), Person(isaac, place=0)],
    ):
        assert relative(latents(composer, scene(other, layout=layout)), plain) > SEEN


@pytest.mark.parametrize("layout", ["stack", "inline"])
def test_merging_waits_for_its_step(composer: Composer, people: list[Identity], layout: str) -> None:
    def at(step: int) -> torch.Tensor:
        return latents(composer, scene(people[:2], layout=layout, merge_step=step))

    never = latents(composer, scene([Person(p, strength=0) for p in people[:2]], layout=layout))
    assert torch.equal(at(2), never)
    distances = [relative(at(step), never) for step in (-1, 0, 1)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] > ROUNDING


def test_style_strength_is_a_share_of_the_steps(composer: Composer, people: list[Identity]) -> None:
    by_share = composer.compose(scene(people[:2], merge_step=None, style_strength=50, steps=4)).recipe.scene
    assert by_share.merge_step == 2
    assert composer.compose(scene(people[:2], merge_step=None, steps=5)).recipe.scene.merge_step == 1


def test_identities_may_be_there_from_the_first_step(people: list[Identity]) -> None:
    """For denoisers that learnt with them; what a scene says counts more."""
    early = Composer(tiny_pipeline(), tiny_adapter(), defaults=replace(PRESETS["tiny"].defaults, style_strength=None))
    early.pipeline.set_progress_bar_config(disable=True)
    assert early.compose(scene(people[:2], merge_step=None)).recipe.scene.merge_step == -1
    assert early.compose(scene(people[:2], merge_step=None, style_strength=0)).recipe.scene.merge_step == 0


@pytest.mark.parametrize("merge_step", [-1, 0, 1])
def test_two_evaluations_of_one_step_are_one_step(composer: Composer, people: list[Identity], merge_step: int) -> None:
    seen: list[tuple[int, int]] = []
    wanted = scene(people[:2], scheduler="heun", merge_step=merge_step)
    heun = composer.compose(wanted, output_type="latent", progress=lambda *step: seen.append(step)).latents
    assert seen == [(1, 3), (2, 3), (3, 3)]
    never = latents(composer, scene([Person(p, strength=0) for p in people[:2]], scheduler="heun"))
    assert heun is not None
    assert relative(heun, never) > ROUNDING
    assert torch.equal(latents(composer, scene(people[:2], scheduler="heun", merge_step=2)), never)


def test_a_scheduler_whose_steps_cannot_be_told_apart_is_refused() -> None:
    from diffusers import PNDMScheduler

    pipeline = tiny_pipeline()
    pipeline.scheduler = PNDMScheduler.from_config(pipeline.scheduler.config, skip_prk_steps=True)
    own = Composer(pipeline, tiny_adapter())
    ada = own.identity("ada", "woman", photo(0))
    with pytest.raises(SceneError, match="PNDMScheduler makes 4 in 3 steps"):
        own.compose(scene([ada]))
    own.compose(scene([ada], merge_step=-1))


def test_pictures_of_a_batch_are_nearly_those_made_alone(composer: Composer, people: list[Identity]) -> None:
    batch = latents(composer, scene(people[:2], images=3))
    assert batch.shape[0] == 3
    for index in range(3):
        alone = latents(composer, scene(people[:2], seed=5 + index))
        assert relative(batch[index : index + 1], alone) < 1e-3
    assert relative(batch[:1], batch[1:2]) > 0.1


def test_the_controlnet_sees_identities_unless_told_otherwise(composer: Composer, people: list[Identity]) -> None:
    for layout in ("stack", "inline"):
        with_stack = latents(composer, scene(people[:2], layout=layout))
        text_alone = latents(composer, scene(people[:2], layout=layout, control_identity=False))
        assert relative(text_alone, with_stack) > ROUNDING


@pytest.mark.parametrize("layout", ["stack", "inline"])
@pytest.mark.parametrize("guidance", [5.0, 1.0])
def test_a_controlnet_of_text_alone_reads_the_plain_text_in_every_step(
    composer: Composer, people: list[Identity], layout: str, guidance: float
) -> None:
    wanted = scene(people[:2], layout=layout, guidance=guidance, control_identity=False, merge_step=-1)
    plain, _, pooled, _ = composer.pipeline.encode_prompt(
        "a woman and a man in a garden", do_classifier_free_guidance=False
    )
    seen: list[bool] = []

    def look(_: Any, args: Any, kwargs: dict[str, Any]) -> None:
        del args
        text, added = kwargs["encoder_hidden_states"], kwargs["added_cond_kwargs"]["text_embeds"]
        seen.append(torch.equal(text[-1], plain[0]) and torch.equal(added[-1], pooled[0]))

    # A hook of forward itself, which runs after those that the composer puts in.
    controlnet = composer.pipeline.controlnet
    forward = controlnet.forward
    controlnet.forward = lambda *args, **kwargs: (look(None, args, kwargs), forward(*args, **kwargs))[1]
    try:
        composer.compose(wanted, output_type="latent")
    finally:
        del controlnet.forward
    assert seen == [True] * 3


@pytest.mark.parametrize("layout", ["stack", "inline"])
@pytest.mark.parametrize("guidance", [1.0, 0.0])
def test_without_guidance_identities_are_shown_all_the_same(
    composer: Composer, people: list[Identity], layout: str, guidance: float
) -> None:
    changes = {"layout": layout, "guidance": guidance, "images": 2}
    plain = latents(composer, scene([Person(p, strength=0) for p in people[:2]], **changes))
    shown = latents(composer, scene(people[:2], **changes))
    assert min(relative(shown[i], plain[i]) for i in range(2)) > ROUNDING


@pytest.mark.parametrize(("width", "height"), [(200, 136), (136, 264), (128, 128)])
def test_any_shape_that_latents_can_have(composer: Composer, people: list[Identity], width: int, height: int) -> None:
    for layout in ("stack", "inline"):
        changes = {"layout": layout, "width": width, "height": height, "merge_step": -1}
        plain = latents(composer, scene([Person(p, strength=0) for p in people[:2]], **changes))
        shown = latents(composer, scene(people[:2], **changes))
        assert shown.shape == (1, 4, height // 8, width // 8)
        assert relative(shown, plain) > ROUNDING
        assert shown.isfinite().all()


def network_state(composer: Composer) -> list[Any]:
    pipeline = composer.pipeline
    networks = (pipeline.unet, pipeline.controlnet)
    layers = [layer.processor for network in networks for layer, _ in cross_attention_layers(network)]
    hooks = [len(network._forward_pre_hooks) for network in networks]
    return [*map(id, layers), *hooks, id(pipeline.scheduler), *map(repr, networks)]


def test_the_pipeline_is_left_as_it_was(composer: Composer, people: list[Identity]) -> None:
    before = network_state(composer)
    for layout in ("stack", "inline"):
        composer.compose(scene(people[:2], layout=layout, scheduler="ddim", control_identity=False))
        assert network_state(composer) == before


def test_progress_counts_steps_and_may_stop_the_work(composer: Composer, people: list[Identity]) -> None:
    before = network_state(composer)
    seen: list[tuple[int, int]] = []

    def stop(done: int, steps: int) -> None:
        seen.append((done, steps))
        if done == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        composer.compose(scene(people[:2]), progress=stop)
    assert seen == [(1, 3), (2, 3)]
    assert network_state(composer) == before


def test_threads_on_shared_networks_make_what_they_make_alone(composer: Composer, people: list[Identity]) -> None:
    other = Composer(sister(composer.pipeline, control=False, init=False), composer.adapter)
    boxes = [Person(p, region=Box(*box)) for p, box in zip(people[:2], HALVES, strict=True)]
    wanted = [scene(people[:2]), scene(people[2:]), scene(boxes, template=None, scheduler="ddim")]
    composers = [composer, composer, other]
    alone = [latents(c, w) for c, w in zip(composers, wanted, strict=True)]
    together: dict[int, torch.Tensor] = {}

    def work(index: int) -> None:
        together[index] = latents(composers[index], wanted[index])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, expected in enumerate(alone):
        assert torch.equal(together[index], expected)


def test_an_offloaded_pipeline_makes_the_same_picture(
    composer: Composer, people: list[Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    released: list[bool] = []
    ready = Adapter.ready

    def recording(self: Adapter, **where: Any) -> Any:
        released.append(where["release"])
        return ready(self, **where)

    monkeypatch.setattr(Adapter, "ready", recording)
    expected = latents(composer, scene(people[:2]))
    pipeline = tiny_pipeline()
    pipeline.enable_model_cpu_offload(device="cpu")
    own = Composer(pipeline, tiny_adapter())
    identities = [own.identity(person.name, person.noun, photo(i)) for i, person in enumerate(people[:2])]
    assert relative(latents(own, scene(identities)), expected) < 1e-6
    # With an accelerator the encoder goes back to main memory after use, as the pipeline's own models do.
    assert released == [False] + [True] * 3


def test_half_precision_and_tiling() -> None:
    own = Composer.from_preset("tiny", device="cpu", dtype=torch.bfloat16, vae_tiling=True)
    ada = own.identity("ada", "woman", photo(0))
    picture = own.compose(scene([ada]))
    assert picture.image.size == (192, 128)
    assert np.asarray(picture.image).std() > 1


def test_another_encoders_identity_is_refused(composer: Composer, people: list[Identity]) -> None:
    stranger = replace(people[0], encoder="0" * 64)
    with pytest.raises(EncoderMismatchError, match="ada"):
        composer.compose(scene([stranger]))


def test_other_kinds_of_pipelines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the tests' type checks would come first
    parts = {name: part for name, part in tiny_pipeline().components.items() if name != "controlnet"}
    with pytest.raises(PresetError, match="StableDiffusionXLImg2ImgPipeline"):
        Composer(StableDiffusionXLImg2ImgPipeline(**parts), tiny_adapter())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 190, "height": 128}, "multiple of 8, but got 190: the nearest is 192"),
        ({"template": None}, "kept apart: templates that fit are "),
        ({"template": "single-portrait"}, "at most 1, one per place, but got 2"),
        ({"scheduler": "eular"}, "did you mean 'euler'"),
        ({"loras": [Lora("nowhere.safetensors")]}, "loras: expected a LoRA"),
    ],
)
def test_what_does_not_fit_is_said(
    composer: Composer, people: list[Identity], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SceneError, match=message):
        composer.compose(scene(people[:2], **changes))


def test_latents_of_another_size_are_refused(composer: Composer, people: list[Identity]) -> None:
    with pytest.raises(SceneError, match=r"\(1, 4, 16, 24\), but got \(1, 4, 24, 16\)"):
        composer.compose(scene(people[:2]), latents=torch.zeros(1, 4, 24, 16))


def test_each_composer_brings_its_own_lora(composer: Composer, people: list[Identity]) -> None:
    expected = latents(composer, scene(people[:2]))
    unet = composer.pipeline.unet
    path = "mid_block.attentions.0.transformer_blocks.0.attn2.to_v"
    inputs = unet.get_submodule(path).in_features
    lora = {
        f"unet.{path}.lora_A.weight": torch.ones(1, inputs),
        f"unet.{path}.lora_B.weight": torch.ones(unet.get_submodule(path).out_features, 1),
    }
    other = Composer(composer.pipeline, Adapter(composer.adapter.encoder, lora))
    assert relative(latents(other, scene(people[:2])), expected) > ROUNDING
    assert relative(latents(composer, scene(people[:2])), expected) < ROUNDING
    other.adapter.uninstall(composer.pipeline)


def test_places_are_taken_once_and_the_rest_are_extras(composer: Composer, people: list[Identity]) -> None:
    with pytest.raises(SceneError, match="ada and isaac both stand in 0"):
        composer.stage(scene([people[0], Person(people[1], place=0)], template="family-four"))
    with pytest.raises(SceneError, match="expected 0 to 1, but ada asks for 2"):
        composer.stage(scene([Person(people[0], place=2)]))
    stage = composer.stage(scene([Person(people[0], place=2), people[1]], template="family-four"))
    assert stage.places == (2, 1)
    assert stage.regions.shape == (2, 128, 192)
    centres = [(mask.sum(0) * torch.arange(192)).sum() / mask.sum() for mask in stage.regions]
    assert centres[0] > centres[1]
    assert stage.pose is not None
    assert len(stage.pose.places) == 4


def test_one_person_without_a_pose_has_the_whole_picture(composer: Composer, people: list[Identity]) -> None:
    stage = composer.stage(scene(people[:1], template=None))
    assert stage.control is None
    assert (stage.regions == 1).all()


def test_the_rule_decides_whether_others_are_excluded(composer: Composer, people: list[Identity]) -> None:
    """InstantFamily's eq. 6 as printed lets a person be heard in another's region, as no masks do; the additive rule
    does not."""
    ada, isaac = (Person(p, region=Box(*box)) for p, box in zip(people[:2], HALVES, strict=True))
    max_instead = replace(isaac, identity=replace(people[3], name="isaac"))
    touched: dict[str, tuple[bool, bool]] = {}
    for rule in ("additive", "multiplicative", "none"):
        wanted = scene([ada, isaac], merge_step=-1, mask_rule=rule)
        other = replace(wanted, people=[ada, max_instead])
        touched[rule] = changed_halves(first_layer(composer, wanted), first_layer(composer, other), columns=12)
    assert touched == {"additive": (False, True), "multiplicative": (True, True), "none": (True, True)}


class Filled(Composer):
    """With regions that are the whole picture for everybody."""

    def stage(self, scene: Scene) -> Stage:
        stage = super().stage(scene)
        return replace(stage, regions=torch.ones_like(stage.regions))


def test_without_masks_everybody_is_heard_everywhere(composer: Composer, people: list[Identity]) -> None:
    """The very pixels that come of filled regions; the stage still says who belongs where."""
    wanted = scene(people[:2], merge_step=-1)
    made = composer.compose(replace(wanted, mask_rule="none"))
    assert made.stage.regions.sum(dim=0).max() == 1
    filled = Filled(composer.pipeline, composer.adapter).compose(wanted)
    assert made.image.tobytes() == filled.image.tobytes()
    assert made.image.tobytes() != composer.compose(wanted).image.tobytes()


def test_an_unknown_rule_is_told(people: list[Identity], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the tests' type checks would come first
    with pytest.raises(SceneError, match='mask_rule: expected one of additive, multiplicative, none, but got "add"'):
        scene(people[:2], mask_rule="add")
