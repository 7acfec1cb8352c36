"""Stage "denoiser": UNet, ControlNet, text encoders and the fuse module together, with stacks and masks."""

import copy
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from multiid.attention.weights import grid_masks, key_weights
from multiid.mini.models import controlnet, scheduler, text_encoders, unet
from multiid.mini.training.latents import decode
from multiid.mini.training.loop import Batch
from multiid.mini.training.pictures import grid, to_pixels
from multiid.mini.training.rows import showing_rows
from multiid.mini.training.scenes import PORTRAITS
from multiid.mini.training.settings import StageSettings
from multiid.mini.training.sources import Sources
from multiid.mini.training.store import Prepared, Shelf
from multiid.mini.training.wording import PHRASE_WINDOW, Part, draw_kind, word_scene
from multiid.mini.world.dice import Dice
from multiid.people.encoders import IDEncoder
from multiid.prompts import SHARED, Subject

__all__ = ["DenoiserSettings", "DenoiserStage", "build_denoiser"]

_LEVELS = 2
_HEAD_WEIGHT = 3.0  # beside 1 for everything else
_BEARDS = 3  # of so many scenes the one with most beards is taken, in one of two draws: beards are rare, and small
_EXTRA_SCENES, _EXTRA_PEOPLE = 0.15, 0.4  # scenes with extras, and how many of their people are
_BARE_PHRASES = 0.2  # people whose clothes are not told
_UNGUIDED = 0.03  # rows that see no ControlNet


class DenoiserSettings(StageSettings):
    """The settings of this stage."""

    people: int = Field(default=12_000, gt=0)
    """People in the pool."""
    scenes: int = Field(default=24_000, gt=0)
    """Scenes in the store."""
    cells: int = Field(default=320, gt=0)
    """Latent cells of a scene for which `batch` holds; larger scenes come in smaller batches."""
    guidance: float = Field(default=2.0, ge=1)
    """Guidance of the sample sheets."""


class DenoiserStage:
    """Trains what makes pictures of the miniature.

    Attributes:
        networks: unet, controlnet, text_encoder, text_encoder_2 and id_encoder, of which the fuse module learns.
    """

    def __init__(self, settings: DenoiserSettings, prepared: Prepared, encoder: IDEncoder) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.prepared = prepared
        first, second = text_encoders()
        encoder.requires_grad_(False)
        encoder.fuse_module.requires_grad_(True)
        self.networks = nn.ModuleDict({
            "unet": unet(),
            "controlnet": controlnet(),
            "text_encoder": first,
            "text_encoder_2": second,
            "id_encoder": encoder,
        })  # fmt: skip
        self._alphas = cast(Any, scheduler()).alphas_cumprod

    def batch(self, step: int) -> Batch:
        """Scenes of one size; see `_assemble` for what is in it."""
        dice = Dice("denoiser", self.settings.seed * 1_000_003 + step)
        shelves = self.prepared.shelves
        # Neighbours are of one size, so that two processes which share a step take equally long.
        pair = Dice("denoiser shelf", self.settings.seed * 1_000_003 + step // 2)
        shelf = pair.pick(shelves, [len(shelf.latents) * shelf.cells for shelf in shelves])
        count = max(2, round(self.settings.batch * self.settings.cells / shelf.cells))
        chosen = [self._choose(shelf, dice) for _ in range(count)]
        return self._assemble(shelf, chosen, dice)

    def _choose(self, shelf: Shelf, dice: Dice) -> int:
        """A scene of a shelf."""
        scenes = [int(dice.between(0, len(shelf.latents))) for _ in range(dice.pick((1, _BEARDS)))]

        def beards(scene: int) -> int:
            return sum(self.prepared.people[person].beard != "none" for person in shelf.scenes.people[scene])

        return max(scenes, key=beards)

    def _assemble(self, shelf: Shelf, chosen: list[int], dice: Dice, *, plain: bool = False) -> Batch:
        """Tensors of a batch.

        `latents`, `control`, `heads`, `masks` (rows, people, h, w; zero where there is nobody), `scene_ids`
        (rows, 77), `phrase_ids` (phrases, 24), `sources` (rows, keys: a place in the phrases' tokens, or -1),
        `owners` (rows, text and stack keys; -1 shared, -2 padding), `fused` (places, 2: row and key), `embeddings`
        (places, width), `told` (rows: whether there are words) and `guided` (rows: whether the ControlNet is heard).
        """
        wordings, owners_of, told, guided, unmasked = [], [], [], [], []
        embeddings: list[np.ndarray] = []
        fused: list[tuple[int, int]] = []
        phrase_ids: list[tuple[int, ...]] = []
        for row, scene in enumerate(chosen):
            kind = "stack" if plain else draw_kind(dice)
            parts = self._parts(shelf, scene, dice, plain=plain)
            wording = word_scene(parts, shelf.scenes.place_of(scene), kind, dice)
            photos = [dice.some(range(PORTRAITS), part.subject.tokens) for part in parts]
            seen = [0] * len(parts)
            for key, person in enumerate(wording.identity):
                if person == SHARED:
                    continue
                photo = photos[person][seen[person]]
                seen[person] += 1
                fused.append((row, key))
                embeddings.append(self.prepared.embeddings[shelf.scenes.people[scene, parts[person].place], photo])
            offset = len(phrase_ids)
            phrase_ids.extend(phrase.ids for phrase in wording.phrases)
            wordings.append((wording, offset))
            owners_of.append([SHARED if owner == SHARED else parts[owner].place for owner in wording.owners])
            told.append(kind != "unconditional")
            guided.append(plain or not dice.chance(_UNGUIDED))
            unmasked.append(kind == "unmasked")
        text = len(wordings[0][0].scene.ids)
        keys = _round_up(max(len(owners) for owners in owners_of))
        phrase_ids.extend(phrase_ids[:1] * (_round_up(len(phrase_ids)) - len(phrase_ids)))  # read by nobody
        owners = np.full((len(chosen), keys), _PADDING, np.int64)
        sources = np.full((len(chosen), keys - text), -1, np.int64)
        for row, (wording, offset) in enumerate(wordings):
            owners[row, : len(owners_of[row])] = owners_of[row]
            places = [(offset + phrase) * PHRASE_WINDOW + token for phrase, token in wording.sources]
            sources[row, : len(places)] = places
        masks = shelf.scenes.regions[chosen].astype(np.float32) / 255
        masks[np.array(unmasked)] = 1
        width = self.prepared.embeddings.shape[-1]
        return {
            "latents": torch.from_numpy(shelf.latents[chosen].astype(np.float32)),
            "control": torch.from_numpy(shelf.scenes.control[chosen]),
            "heads": torch.from_numpy(shelf.scenes.heads[chosen].astype(np.float32) / 255),
            "masks": torch.from_numpy(masks),
            "scene_ids": torch.tensor([wording.scene.ids for wording, _ in wordings]),
            "phrase_ids": torch.tensor(phrase_ids, dtype=torch.int64).reshape(-1, PHRASE_WINDOW),
            "sources": torch.from_numpy(sources),
            "owners": torch.from_numpy(owners),
            "fused": torch.tensor(fused, dtype=torch.int64).reshape(-1, 2),
            "embeddings": torch.from_numpy(np.array(embeddings, np.float32).reshape(-1, width)),
            "told": torch.tensor(told),
            "guided": torch.tensor(guided),
        }

    def _parts(self, shelf: Shelf, scene: int, dice: Dice, *, plain: bool) -> list[Part]:
        """Who is shown with identity, in random order; the others are extras."""
        people = list(range(shelf.scenes.people.shape[1]))
        if not plain and dice.chance(_EXTRA_SCENES):
            people = [person for person in people if not dice.chance(_EXTRA_PEOPLE)]
        parts: list[Part] = []
        for person in dice.some(people, len(people)):
            who = self.prepared.people[shelf.scenes.people[scene, person]]
            clothes = "" if not plain and dice.chance(_BARE_PHRASES) else str(shelf.scenes.clothes_of(scene, person))
            photos = 2 if plain else dice.pick((1, 2, 3, 4), (0.4, 0.25, 0.15, 0.2))
            parts.append(Part(Subject(f"p{person}", who.noun, clothes, photos), person))
        return parts

    def loss(self, networks: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """The squared error of v, heavier on heads; times are spread evenly over the batch."""
        latents = batch["latents"]
        rows = len(latents)
        steps = len(self._alphas)
        offset = torch.rand(1)
        times = (((torch.arange(rows) + offset) / rows) % 1 * steps).long()[torch.randperm(rows)].to(latents.device)
        noise = torch.randn(latents.shape).to(latents.device)
        alphas = self._alphas.to(latents.device)[times][:, None, None, None]
        noisy = alphas.sqrt() * latents + (1 - alphas).sqrt() * noise
        velocity = alphas.sqrt() * noise - (1 - alphas).sqrt() * latents
        made = self._predict(networks, batch, self._keys(networks, batch), noisy, times).float()
        errors = (made - velocity).square().mean(dim=1)
        weights = 1 + _HEAD_WEIGHT * batch["heads"]
        heads = (errors * batch["heads"]).sum() / batch["heads"].sum().clamp_min(1)
        return {"loss": (errors * weights).sum() / weights.sum(), "plain": errors.mean(), "heads": heads}

    def _keys(self, networks: nn.ModuleDict, batch: Batch) -> tuple[Tensor, Tensor]:
        """The states of all keys, (rows, keys, width), and the pooled text, (rows, width)."""
        scene, pooled = _encode(networks, batch["scene_ids"])
        told = batch["told"].to(scene.dtype)
        stack = scene.new_zeros(*batch["sources"].shape, scene.shape[-1])
        if len(batch["phrase_ids"]):
            phrases = _encode(networks, batch["phrase_ids"])[0].flatten(end_dim=1)
            stack = phrases[batch["sources"].clamp_min(0)] * (batch["sources"] >= 0)[..., None]
        states = torch.cat([scene * told[:, None, None], stack], dim=1)
        if len(batch["fused"]):
            row, key = batch["fused"].T
            encoder = cast(IDEncoder, networks["id_encoder"])
            states = states.clone()
            states[row, key] = encoder.fuse(batch["embeddings"], states[row, key])
        return states, pooled * told[:, None]

    def _predict(
        self,
        networks: nn.ModuleDict,
        batch: Batch,
        keys: tuple[Tensor, Tensor],
        noisy: Float[Tensor, "rows channels height width"],
        times: Tensor,
    ) -> Float[Tensor, "rows channels height width"]:
        """The networks' v, each row with its own people and regions."""
        states, pooled = keys
        noisy = noisy.to(states.dtype)
        height, width = batch["control"].shape[1:3]
        added = {
            "text_embeds": pooled,
            "time_ids": states.new_tensor([[height, width, 0, 0, height, width]]).expand(len(noisy), -1),
        }
        weights = _log_weights(batch, states.dtype)
        # A copy of the row's own cells, so that a residual of zero means "not heard".
        control = batch["control"].permute(0, 3, 1, 2).to(states.dtype) / 255
        guided = batch["guided"].to(states.dtype)[:, None, None, None]
        with ExitStack() as stack:
            for name in ("unet", "controlnet"):
                stack.enter_context(showing_rows(networks[name], weights))
            down, middle = networks["controlnet"](
                noisy, times, states, control, added_cond_kwargs=added, return_dict=False
            )
            return networks["unet"](
                noisy,
                times,
                states,
                added_cond_kwargs=added,
                down_block_additional_residuals=[residual * guided for residual in down],
                mid_block_additional_residual=middle * guided,
                return_dict=False,
            )[0]

    def sample(self, networks: nn.ModuleDict) -> PIL.Image.Image:
        """Scenes that are not among the examples, true ones above those made, three sizes."""
        pairs: list[np.ndarray] = []
        for number, shelf in enumerate(self.prepared.held_out):
            chosen = list(range(min(4, len(shelf.latents))))
            batch = self._assemble(shelf, chosen, Dice("denoiser sheet", number), plain=True)
            made = self._draw(networks, batch, steps=15)
            for latents in (batch["latents"], made):
                pictures = self._decode(latents)
                pairs.append(np.concatenate(list(pictures), axis=1))
        width = max(pair.shape[1] for pair in pairs)
        return _stacked([grid([pair], columns=1) for pair in pairs], width)

    def figures(self, networks: nn.ModuleDict) -> dict[str, float]:
        """The loss on held-out scenes, with the same noise each time."""
        torch.manual_seed(0)
        losses: list[dict[str, Tensor]] = []
        for number, shelf in enumerate(self.prepared.held_out):
            chosen = list(range(len(shelf.latents)))
            batch = self._assemble(shelf, chosen, Dice("denoiser figures", number), plain=True)
            losses.append(self.loss(networks, batch))
        return {name: float(torch.stack([loss[name] for loss in losses]).mean()) for name in losses[0]}

    def save(self, networks: nn.ModuleDict, folder: Path) -> None:
        """The parts in diffusers' and transformers' layout, the ID encoder as a state dict."""
        for name in ("unet", "controlnet", "text_encoder", "text_encoder_2"):
            half = copy.deepcopy(networks[name]).half()
            cast(Any, half).save_pretrained(folder / name)
        from safetensors.torch import save_file

        (folder / "id_encoder").mkdir(exist_ok=True)
        state = {name: value.half().contiguous() for name, value in networks["id_encoder"].state_dict().items()}
        save_file(state, str(folder / "id_encoder" / "model.safetensors"))

    def _draw(self, networks: nn.ModuleDict, batch: Batch, *, steps: int) -> Tensor:
        """Pictures' latents by DDIM with guidance, from fixed noise."""
        sampler = cast(Any, scheduler())
        sampler.set_timesteps(steps)
        states, pooled = self._keys(networks, batch)
        silent = {**batch, "owners": batch["owners"].where(batch["owners"] == SHARED, torch.tensor(_PADDING))}
        latents = torch.randn(batch["latents"].shape, generator=torch.Generator().manual_seed(1))
        for time in sampler.timesteps:
            times = time.expand(len(latents))
            told = self._predict(networks, batch, (states, pooled), latents, times)
            untold = self._predict(networks, silent, (states * 0, pooled * 0), latents, times)
            velocity = untold + self.settings.guidance * (told - untold)
            latents = sampler.step(velocity.float(), time, latents).prev_sample
        return latents

    def _decode(self, latents: Tensor) -> np.ndarray:
        model = self.prepared.autoencoder
        return to_pixels(decode(model, latents / model.config["scaling_factor"]))


_PADDING = -2


def _round_up(count: int) -> int:
    """Few lengths instead of many: kernels are made for each."""
    return -(-count // 16) * 16


def build_denoiser(settings: DenoiserSettings, sources: Sources) -> DenoiserStage:
    """The stage; it needs the autoencoder and the ID encoder, and draws its scenes where they are not there yet."""
    return DenoiserStage(settings, Prepared.make(settings, sources), sources.id_encoder())


def _encode(networks: nn.ModuleDict, ids: Tensor) -> tuple[Tensor, Tensor]:
    """As SDXL reads text: the last hidden layer but one of both encoders side by side; pooled is the second's."""
    first = networks["text_encoder"](ids, output_hidden_states=True)
    second = networks["text_encoder_2"](ids, output_hidden_states=True)
    return torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1), second.text_embeds


def _log_weights(batch: Batch, dtype: torch.dtype) -> Mapping[int, Tensor]:
    """For each level (rows, 1, queries, keys)."""
    levels: dict[int, Tensor] = {}
    grids = [grid_masks(masks, masks.shape[-2:], _LEVELS) for masks in batch["masks"]]
    for level in range(_LEVELS):
        rows: list[Tensor] = []
        for row, owners in enumerate(batch["owners"]):
            weights = key_weights(
                grids[row][level], owners.clamp_min(SHARED), torch.ones_like(owners, dtype=torch.float)
            )
            rows.append(weights.masked_fill(owners == _PADDING, 0.0))
        levels[level] = torch.stack(rows)[:, None].log().to(dtype)
    return levels


def _stacked(sheets: list[PIL.Image.Image], width: int) -> PIL.Image.Image:
    height = sum(sheet.height for sheet in sheets)
    whole = PIL.Image.new("RGB", (width, height), "white")
    y = 0
    for sheet in sheets:
        whole.paste(sheet, (0, y))
        y += sheet.height
    return whole.resize((2 * width, 2 * height), PIL.Image.Resampling.NEAREST)
