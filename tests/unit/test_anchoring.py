"""People recorded in one picture, and kept to in others, with the tiny pipeline."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from accelerate import cpu_offload
from diffusers import UNet2DConditionModel
from tinies import SMALL, couple, small_scene, tiny_composer

from multiid import (
    Anchor,
    Cancelled,
    Composer,
    Identity,
    InitImage,
    Person,
    Picture,
    RecipeError,
    SceneError,
    anchor_bytes,
    refine_faces,
)
from multiid.attention.install import self_attention_layers
from multiid.geometry import Box, Size
from multiid.pipeline.recipe import Recipe, read_recipe
from multiid.pipeline.staging import set_stage


def loud_composer() -> Composer:
    """One whose self-attention is not drowned by the rest, as it is in a new network."""
    composer = tiny_composer()
    generator = torch.Generator().manual_seed(3)
    for name, parameter in composer.pipeline.unet.named_parameters():
        if name.endswith("attn1.to_out.0.weight"):
            parameter.data = 3 * torch.randn(parameter.shape, generator=generator)
    return composer


@pytest.fixture(scope="module")
def composer() -> Composer:
    return loud_composer()


@pytest.fixture(scope="module")
def people(composer: Composer) -> list[Identity]:
    return couple(composer)


@pytest.fixture(scope="module")
def lead(composer: Composer, people: list[Identity]) -> Picture:
    return composer.compose(small_scene(people), record=["ada", "isaac"])


@pytest.fixture(scope="module")
def stock(composer: Composer, people: list[Identity]) -> Picture:
    """Another picture of theirs, in which nobody keeps to anything."""
    return composer.compose(small_scene(people, seed=6))


@pytest.fixture(scope="module")
def kept(composer: Composer, people: list[Identity], lead: Picture) -> Picture:
    """The same with one of them keeping to the first."""
    return composer.compose(small_scene(keeping(people, lead, "ada"), seed=6))


def keeping(people: Sequence[Identity], lead: Picture, *names: str, **options: Any) -> list[Person]:
    return [Person(one, anchor=lead.anchors[one.name] if one.name in names else None, **options) for one in people]


def pixels(picture: Picture) -> np.ndarray:
    return np.stack([np.asarray(image, dtype=np.int16) for image in picture.images])


def test_recording_changes_no_pixel(composer: Composer, people: list[Identity], lead: Picture) -> None:
    plain = composer.compose(small_scene(people))
    assert np.array_equal(pixels(lead), pixels(plain))
    assert lead.recipe == plain.recipe
    assert dict(plain.anchors) == {}
    assert set(lead.anchors) == {"ada", "isaac"}


def test_anchors_are_kept_to_and_no_consistency_leaves_them_out(
    composer: Composer, people: list[Identity], lead: Picture, stock: Picture, kept: Picture
) -> None:
    further = composer.compose(small_scene(keeping(people, lead, "ada", consistency=3.0), seed=6))
    silent = composer.compose(small_scene(keeping(people, lead, "ada", consistency=0.0), seed=6))
    assert np.array_equal(pixels(silent), pixels(stock))
    assert not np.array_equal(pixels(kept), pixels(stock))
    assert abs(pixels(further) - pixels(stock)).sum() > abs(pixels(kept) - pixels(stock)).sum()


def test_the_same_anchor_gives_the_same_pixels(composer: Composer, people: list[Identity], kept: Picture) -> None:
    again = composer.compose(small_scene(people), record=["ada"])
    other = composer.compose(small_scene(keeping(people, again, "ada"), seed=6))
    assert np.array_equal(pixels(kept), pixels(other))
    assert kept.recipe == other.recipe


@pytest.mark.parametrize("guidance", [0.0, 5.0])
@pytest.mark.parametrize("scheduler", ["euler", "heun"])
def test_with_and_without_guidance_and_two_evaluations_per_step(
    composer: Composer, people: list[Identity], guidance: float, scheduler: str
) -> None:
    settings = {"guidance": guidance, "scheduler": scheduler}
    picture = composer.compose(small_scene(people, **settings), record=["ada"])
    (count,) = {len(tokens) for tokens in picture.anchors["ada"].tokens.values()}
    assert count == (3 if scheduler == "heun" else 2)
    kept = composer.compose(small_scene(keeping(people, picture, "ada"), seed=6, **settings))
    assert not np.array_equal(pixels(kept), pixels(composer.compose(small_scene(people, seed=6, **settings))))


def test_of_guidance_the_conditional_half_is_recorded(composer: Composer, people: list[Identity]) -> None:
    one, other = (
        composer.compose(small_scene(people, guidance=5.0, steps=1, negative_prompt=negative), record=["ada"])
        for negative in ("rain", "a red bus")
    )
    assert not np.array_equal(pixels(one), pixels(other))
    for name, tokens in one.anchors["ada"].tokens.items():
        assert torch.equal(tokens, other.anchors["ada"].tokens[name])


def test_several_images_keep_to_it_alike(
    composer: Composer, people: list[Identity], lead: Picture, stock: Picture, kept: Picture
) -> None:
    several = composer.compose(small_scene(keeping(people, lead, "ada"), seed=6, images=2))
    alone = composer.compose(small_scene(keeping(people, lead, "ada"), seed=7))
    without = composer.compose(small_scene(people, seed=7))
    for index, (single, plain) in enumerate(((kept, stock), (alone, without))):
        away, apart = (abs(pixels(several)[index] - pixels(other)[0]).max() for other in (single, plain))
        print(f"largest difference to the same by itself {away}, to that without {apart}")
        assert away <= 2 < apart


def test_scenes_of_a_batch_each_keep_to_their_own(
    composer: Composer, people: list[Identity], lead: Picture, stock: Picture, kept: Picture
) -> None:
    scenes = [
        small_scene(people, seed=6),
        small_scene(keeping(people, lead, "ada"), seed=6),
        small_scene(keeping(people, lead, "isaac", "ada"), seed=6),
    ]
    alone = [stock, kept, composer.compose(scenes[2])]
    for one, other in itertools.pairwise(alone):
        assert abs(pixels(one) - pixels(other)).max() > 2
    for together, single in zip(composer.compose_batch(scenes), alone, strict=True):
        assert abs(pixels(together) - pixels(single)).max() <= 2


def test_who_is_kept_to_may_be_recorded_in_turn(
    composer: Composer, people: list[Identity], lead: Picture, kept: Picture
) -> None:
    both = composer.compose(small_scene(keeping(people, lead, "ada"), seed=6), record=["isaac"])
    assert np.array_equal(pixels(both), pixels(kept))
    tokens = both.anchors["isaac"].tokens
    assert any(not torch.equal(tokens[name], lead.anchors["isaac"].tokens[name]) for name in tokens)


def test_a_picture_may_start_from_another(composer: Composer, people: list[Identity]) -> None:
    picture = composer.compose(small_scene(people, steps=4), record=["ada"])
    init = InitImage(picture.image, 0.5)
    anchor = picture.anchors["ada"]
    late = replace(anchor, tokens={name: tokens[2:].repeat(2, 1, 1) for name, tokens in anchor.tokens.items()})
    made = [
        composer.compose(small_scene([Person(people[0], anchor=anchor), people[1]], steps=4, init=init))
        for anchor in (None, anchor, late)
    ]
    assert not np.array_equal(pixels(made[0]), pixels(made[1]))
    assert np.array_equal(pixels(made[1]), pixels(made[2]))  # the last two evaluations alone are heard


def test_refined_faces_leave_anchors_out(composer: Composer, people: list[Identity], lead: Picture) -> None:
    picture = composer.compose(small_scene(people))
    one, other = (
        refine_faces(composer, small_scene(cast), picture, below=1000, strength=0.5)
        for cast in (people, keeping(people, lead, "ada"))
    )
    assert np.array_equal(pixels(one), pixels(other))


def test_a_recipe_names_its_anchors_and_takes_them_again(
    composer: Composer, people: list[Identity], lead: Picture, tmp_path: Any
) -> None:
    kept = composer.compose(small_scene(keeping(people, lead, "ada", consistency=0.5), seed=6))
    kept.save(tmp_path / "kept.png")
    lead.save(tmp_path / "lead.png")
    recipe = read_recipe(tmp_path / "kept.png")
    digest = read_recipe(tmp_path / "lead.png").anchor_digest("ada")
    assert recipe.people[0].anchor == lead.anchors["ada"].digest == digest
    with pytest.raises(RecipeError, match=f"anchor that ada kept to \\({digest[:12]}\\)"):
        recipe.to_scene(people)
    # From files alone: the anchor's picture is made again from its recipe.
    first = composer.compose(read_recipe(tmp_path / "lead.png").to_scene(people), record=["ada"])
    assert np.array_equal(pixels(first), pixels(lead))
    again = composer.compose(recipe.to_scene(people, anchors=list(first.anchors.values())))
    assert np.array_equal(pixels(again), pixels(kept))
    assert again.recipe.anchor_digest("isaac") == recipe.anchor_digest("isaac")


def test_digests_change_with_what_an_anchor_depends_on(
    composer: Composer, people: list[Identity], lead: Picture, stock: Picture, kept: Picture
) -> None:
    def digest(recipe: Recipe) -> str:
        return recipe.anchor_digest("ada")

    others = [
        stock,
        composer.compose(small_scene([Person(people[0], phrase="in a red coat"), people[1]])),
        kept,
        composer.compose(small_scene(keeping(people, lead, "ada", consistency=0.5), seed=6)),
    ]
    digests = [digest(picture.recipe) for picture in (lead, *others)]
    assert len(set(digests)) == len(digests)
    assert lead.recipe.anchor_digest("isaac") != lead.recipe.anchor_digest("ada")


def test_verified_pictures_are_made_once_more_to_record_who_was_kept(
    composer: Composer, people: list[Identity]
) -> None:
    class Blind:
        recogniser = None

        def analyze(self, image: object) -> list[Any]:
            del image
            return []

    picture = composer.compose(small_scene(people), verify=True, attempts=2, judge=Blind(), record=["ada"])
    plain = composer.compose(small_scene(people, seed=picture.recipe.seed), record=["ada"])
    assert picture.anchors["ada"].digest == plain.anchors["ada"].digest == picture.recipe.anchor_digest("ada")
    for name, tokens in plain.anchors["ada"].tokens.items():
        assert torch.equal(tokens, picture.anchors["ada"].tokens[name])


def test_networks_are_as_before_also_when_the_work_is_stopped(
    composer: Composer, people: list[Identity], lead: Picture
) -> None:
    def stop(done: int, total: int) -> None:
        del done, total
        raise Cancelled("enough")

    layers = [layer for layer, _ in self_attention_layers(composer.pipeline.unet).values()]
    before = [layer.processor for layer in layers]
    with pytest.raises(Cancelled):
        composer.compose(small_scene(keeping(people, lead, "ada")), record=["isaac"], progress=stop)
    assert all(layer.processor is processor for layer, processor in zip(layers, before, strict=True))
    assert np.array_equal(pixels(composer.compose(small_scene(people))), pixels(lead))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 3}, "same steps as this picture, 3, but got 2"),
        ({"scheduler": "ddim"}, "same scheduler as this picture, ddim, but got"),
    ],
)
def test_anchors_of_other_sampling_are_refused(
    composer: Composer, people: list[Identity], lead: Picture, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SceneError, match=f"ada's anchor: .*{message}"):
        composer.compose(small_scene(keeping(people, lead, "ada"), **changes))


def test_anchors_of_other_models_or_people_are_refused(
    composer: Composer, people: list[Identity], lead: Picture
) -> None:
    foreign = replace(lead.anchors["ada"], preset="sdxl")
    with pytest.raises(SceneError, match="same models as this picture, tiny, but got sdxl"):
        composer.compose(small_scene([Person(people[0], anchor=foreign), people[1]]))
    with pytest.raises(SceneError, match="isaac's anchor: expected one of the same person, but got one of ada"):
        Person(people[1], anchor=lead.anchors["ada"])


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize(
    ("changes", "record", "message"),
    [
        ({}, ["mia"], "expected people of the scene, ada, isaac, but got 'mia'"),
        ({"images": 2}, ["ada"], "expected 1 where people are recorded, but got 2"),
        ({"init": InitImage(PIL.Image.new("RGB", (192, 128)))}, ["ada"], "starts from noise"),
    ],
)
def test_who_cannot_be_recorded_is_refused(
    composer: Composer, people: list[Identity], changes: dict[str, Any], record: list[str], message: str, verify: bool
) -> None:
    with pytest.raises(SceneError, match=message):
        composer.compose(small_scene(people, **changes), record=record, verify=verify)


def test_of_a_face_alone_nothing_is_recorded(composer: Composer, people: list[Identity], lead: Picture) -> None:
    assert lead.stage.pose is not None
    box = lead.stage.pose.places[0].skeleton.face_box(lead.stage.size)
    with pytest.raises(SceneError, match="ada's fills half of no cell"):
        composer.compose(small_scene([Person(people[0], region=box), people[1]]), record=["ada"])


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("single-portrait", lambda head: Box(head.left, head.bottom, head.right, head.bottom + 0.25 * head.height)),
        ("walking-away-two", lambda head: head),  # from behind there is no face to say where the head is
    ],
    ids=["neck", "head"],
)
def test_of_a_neck_or_a_head_alone_nothing_is_recorded(
    composer: Composer, people: list[Identity], template: str, part: Callable[[Box], Box]
) -> None:
    settings: dict[str, Any] = {"prompt": "a {ada}", "template": template, "width": 768, "height": 768}
    scene = small_scene(people[:1], **settings)
    stage = set_stage(scene, default_size=Size(768, 768), multiple=8, limb_width=4)
    assert stage.pose is not None
    head = stage.pose.places[0].skeleton.head_box(stage.size)
    assert head is not None
    alone = small_scene([Person(people[0], region=part(head))], **settings)
    with pytest.raises(SceneError, match="ada's fills half of no cell"):
        composer.compose(alone, record=["ada"])


def test_compiled_denoisers_are_refused(
    composer: Composer, people: list[Identity], lead: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composer.pipeline, "unet", torch.compile(composer.pipeline.unet, backend="eager"))
    with pytest.raises(SceneError, match="expected a denoiser that is not compiled"):
        composer.compose(small_scene(keeping(people, lead, "ada")))


def test_an_offloaded_pipeline_records_and_keeps_alike(people: list[Identity], lead: Picture, kept: Picture) -> None:
    composer = loud_composer()
    cpu_offload(composer.pipeline.unet, execution_device=torch.device("cpu"))
    picture = composer.compose(small_scene(people), record=["ada"])
    for name, tokens in lead.anchors["ada"].tokens.items():
        torch.testing.assert_close(picture.anchors["ada"].tokens[name], tokens, atol=1e-4, rtol=1e-4)
    again = composer.compose(small_scene(keeping(people, picture, "ada"), seed=6))
    assert abs(pixels(again) - pixels(kept)).max() <= 1


def test_memory_is_bounded_and_known_before(composer: Composer, people: list[Identity]) -> None:
    anchor = composer.compose(
        small_scene(people[:1], prompt="a {ada} in a garden", width=512, height=512, template="single-portrait"),
        record=["ada"],
    ).anchors["ada"]
    bound = anchor_bytes(composer.pipeline.unet, steps=SMALL["steps"])
    print(f"{anchor.nbytes} bytes, at most {bound}")
    assert isinstance(anchor, Anchor)
    assert 0.5 * bound < anchor.nbytes <= bound


def test_what_sdxl_takes_is_as_documented() -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            block_out_channels=(320, 640, 1280),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 10),
            attention_head_dim=(5, 10, 20),
            cross_attention_dim=2048,
            use_linear_projection=True,
        ).half()
    size = anchor_bytes(unet, steps=30)
    print(f"{size / 1e6:.1f} MB")
    assert f"{size / 1e6:.0f} MB in 30 steps" in (anchor_bytes.__doc__ or "")
