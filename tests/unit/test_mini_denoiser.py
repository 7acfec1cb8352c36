"""The denoiser learns with the very keys, weights and texts that the pipeline shows it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from multiid.attention.install import showing_identities
from multiid.attention.processors import SceneKeys, Showing
from multiid.conditioning import Layout, Member, TextEncoders, condition
from multiid.geometry import Size
from multiid.mini.models import WIDTH, autoencoder, id_encoder, tokenizer
from multiid.mini.training.denoiser import DenoiserSettings, DenoiserStage
from multiid.mini.training.pictures import to_unit
from multiid.mini.training.scenes import PORTRAITS, draw_pool, draw_store
from multiid.mini.training.store import LIMB_WIDTH, Prepared, Shelf
from multiid.mini.training.wording import Part, word_scene
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import is_held_out
from multiid.people.identity import Identity
from multiid.pipeline.presets import PRESETS
from multiid.prompts import SHARED, Subject

SETTINGS = DenoiserSettings(steps=10, batch=4, learning_rate=1e-3, people=30, scenes=6)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    torch.manual_seed(0)
    pool = draw_pool(30, seed=0)
    model = autoencoder().eval()
    shelves = []
    for people, size in ((2, Size(112, 96)), (3, Size(152, 96))):
        scenes, pictures = draw_store(pool, people, size, 4, seed=1, limb_width=LIMB_WIDTH)
        with torch.no_grad():
            latents = model.encode(to_unit(torch.from_numpy(pictures))).latent_dist.mode()
        shelves.append(Shelf(scenes, latents.numpy().astype(np.float16)))
    embeddings = torch.randn(len(pool.people), PORTRAITS, WIDTH).numpy().astype(np.float16)
    return Prepared(pool.people, embeddings, tuple(shelves), tuple(shelves[:1]), model)


@pytest.fixture
def stage(prepared: Prepared) -> DenoiserStage:
    made = DenoiserStage(SETTINGS, prepared, id_encoder())
    for weight in made.networks.parameters():  # nothing is zero, as at first a ControlNet's outputs are
        weight.data += 0.02 * torch.randn_like(weight)
    return made


@pytest.mark.parametrize("layout", ["stack", "inline"])
def test_an_example_is_what_the_pipeline_would_show(stage: DenoiserStage, prepared: Prepared, layout: Layout) -> None:
    shelf, networks = prepared.shelves[0], stage.networks
    parts = [
        Part(Subject("ann", "woman", "in a red coat", 2), 1),
        Part(Subject("bob", "old man", "", 1), 0),
    ]
    wording = word_scene(parts, "beach", layout, _InOrder())
    rng = torch.Generator().manual_seed(3)
    photos = [torch.randn(part.subject.tokens, 1, WIDTH, generator=rng) for part in parts]
    batch = _row(stage, shelf, parts, wording, photos)

    identities = [
        Identity(part.subject.name, part.subject.noun, embeddings, "x" * 64)
        for part, embeddings in zip(parts, photos, strict=True)
    ]
    encoders = TextEncoders(
        (tokenizer(), tokenizer()), (networks["text_encoder"], networks["text_encoder_2"]), torch.device("cpu")
    )
    conditioning = condition(
        "a {ann} and an {bob} at the beach",
        [Member(identity, part.subject.phrase) for identity, part in zip(identities, parts, strict=True)],
        encoders=encoders,
        id_encoder=networks["id_encoder"],
        layout=layout,
    )
    masks = torch.from_numpy(shelf.scenes.regions[0].astype(np.float32) / 255)[[1, 0]]
    latent = tuple(shelf.latents.shape[2:])
    keys = SceneKeys.of(conditioning, masks, latent=latent, levels=[0, 1], dtype=torch.float32)
    noisy, time = torch.randn(1, 16, *latent, generator=rng), torch.tensor([300])
    with torch.no_grad():
        states, pooled = stage._keys(networks, batch)
        learnt = stage._predict(networks, batch, (states, pooled), noisy, time)
        shown = _as_pipeline(networks, conditioning, keys, batch, noisy, time)
    assert torch.allclose(pooled, conditioning.merged_pooled, atol=1e-5)
    difference = (learnt - shown).abs().max().item() / shown.abs().max().item()
    print(f"{layout}: relative difference {difference:.1e}, required 1e-4")
    assert difference < 1e-4


def test_a_place_that_is_not_shown_is_not_heard(stage: DenoiserStage, prepared: Prepared) -> None:
    """Another person's embedding changes nothing outside their region's reach: here, where masks are zero."""
    batch = stage._assemble(prepared.shelves[0], [0], Dice("test", 0), plain=True)
    batch["masks"] = torch.zeros_like(batch["masks"])
    times, noisy = torch.tensor([500]), torch.randn(1, *batch["latents"].shape[1:])
    with torch.no_grad():
        one = stage._predict(stage.networks, batch, stage._keys(stage.networks, batch), noisy, times)
        batch["embeddings"] = torch.randn_like(batch["embeddings"])
        other = stage._predict(stage.networks, batch, stage._keys(stage.networks, batch), noisy, times)
        batch["masks"] = torch.ones_like(batch["masks"])
        heard = stage._predict(stage.networks, batch, stage._keys(stage.networks, batch), noisy, times)
    assert torch.equal(one, other)
    assert not torch.allclose(one, heard)


def test_everything_that_should_learn_has_a_gradient(stage: DenoiserStage) -> None:
    stage.loss(stage.networks, stage.batch(0))["loss"].backward()
    idle = [
        name
        for name, weight in stage.networks.named_parameters()
        if weight.requires_grad and (weight.grad is None or not weight.grad.any())
    ]
    # SDXL reads the last layer but one, and the first encoder is not pooled.
    allowed = ("text_encoder.text_model.encoder.layers.2.", "text_encoder.text_model.final_layer_norm.")
    short = [name for name in idle if not name.replace(".text_model", "").startswith(
        tuple(prefix.replace(".text_model", "") for prefix in allowed)
    )]  # fmt: skip
    assert not [name for name in short if not name.endswith(("k_proj.bias",))]
    frozen = [name for name, weight in stage.networks.named_parameters() if not weight.requires_grad]
    assert frozen
    assert all(name.startswith("id_encoder.") and "fuse_module" not in name for name in frozen)


def test_batches_follow_from_the_step(stage: DenoiserStage) -> None:
    one, again, other = stage.batch(5), stage.batch(5), stage.batch(6)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert any(one[name].shape != other[name].shape or not torch.equal(one[name], other[name]) for name in one)


def test_dropout_shows_all_kinds(stage: DenoiserStage) -> None:
    batches = [stage.batch(step) for step in range(60)]
    told = torch.cat([batch["told"] for batch in batches])
    assert 0.02 < (~told).float().mean() < 0.2
    for batch in batches:
        for row in (~batch["told"]).nonzero():
            assert (batch["owners"][row] < 0).all(), "an unconditional row sees no one"
    photos = {len(batch["fused"]) for batch in batches}
    assert len(photos) > 5


def test_nobody_kept_for_evaluation_is_in_the_pool(prepared: Prepared) -> None:
    assert not any(map(is_held_out, prepared.people))


def test_limbs_are_as_wide_as_the_presets() -> None:
    assert PRESETS["mini"].defaults.limb_width == LIMB_WIDTH


def test_saves_what_the_pack_reads(stage: DenoiserStage, tmp_path: Path) -> None:
    stage.save(stage.networks, tmp_path)
    names = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.safetensors")}
    assert names == {"unet", "controlnet", "text_encoder", "text_encoder_2", "id_encoder"}


class _InOrder(Dice):
    """Dice that never leave the place out or put it first."""

    def __init__(self) -> None:
        super().__init__("in order", 0)

    def chance(self, share: float) -> bool:
        del share
        return False


def _row(stage: DenoiserStage, shelf: Shelf, parts: list[Part], wording: Any, photos: list[torch.Tensor]) -> Any:
    """A batch of one row with these very words and embeddings."""
    batch = stage._assemble(shelf, [0], Dice("test", 0), plain=True)
    owners = [SHARED if owner == SHARED else parts[owner].place for owner in wording.owners]
    fused = [(0, key) for key, person in enumerate(wording.identity) if person != SHARED]
    whose = [wording.identity[key] for _, key in fused]
    flat = torch.cat([photos[person].flatten(end_dim=1) for person in dict.fromkeys(whose)])
    phrases = [phrase.ids for phrase in wording.phrases]
    width = len(phrases[0]) if phrases else 24
    return batch | {
        "scene_ids": torch.tensor([wording.scene.ids]),
        "phrase_ids": torch.tensor(phrases, dtype=torch.int64).reshape(-1, width),
        "sources": torch.tensor([[phrase * width + token for phrase, token in wording.sources]], dtype=torch.int64),
        "owners": torch.tensor([owners]),
        "fused": torch.tensor(fused),
        "embeddings": flat,
    }


def _as_pipeline(networks: Any, conditioning: Any, keys: Any, batch: Any, noisy: Any, time: Any) -> torch.Tensor:
    height, width = batch["control"].shape[1:3]
    added = {
        "text_embeds": conditioning.merged_pooled,
        "time_ids": torch.tensor([[height, width, 0, 0, height, width]], dtype=torch.float32),
    }
    control = batch["control"].permute(0, 3, 1, 2) / 255
    showing = Showing(rows=[0], scenes=[keys])
    with showing_identities(networks["unet"], showing), showing_identities(networks["controlnet"], showing):
        down, middle = networks["controlnet"](
            noisy, time, conditioning.merged_text, control, added_cond_kwargs=added, return_dict=False
        )
        return networks["unet"](
            noisy, time, conditioning.merged_text, added_cond_kwargs=added,
            down_block_additional_residuals=down, mid_block_additional_residual=middle, return_dict=False,
        )[0]  # fmt: skip
