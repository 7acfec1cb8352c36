"""Stage "autoencoder": pictures to latents and back."""

import copy
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, UInt8
from pydantic import Field
from torch import Tensor, nn

from multiid.mini.models import autoencoder
from multiid.mini.training.examples import known_person, known_scene
from multiid.mini.training.latents import decode, encode
from multiid.mini.training.loop import Batch
from multiid.mini.training.pictures import grid, psnr, to_pixels, to_unit
from multiid.mini.training.settings import StageSettings
from multiid.mini.world.dice import Dice
from multiid.mini.world.groups import make_group
from multiid.mini.world.portrait import draw_portrait

__all__ = ["AutoencoderSettings", "AutoencoderStage", "build_autoencoder", "face_crops", "reconstruction", "round_trip"]

_HELD_OUT = 2_000_000  # first seed of the examples for figures
_CROPS_PER_SCENE = 5
_HEAD_WEIGHT = 3.0  # eyes and glasses are a few pixels, walls are many


class AutoencoderSettings(StageSettings):
    """The settings of this stage."""

    crop: int = Field(default=64, ge=32, multiple_of=8)
    """Side of the square pieces it learns from, in pixels."""
    portraits: float = Field(default=0.125, ge=0, le=1)
    """Share of pieces that are portraits."""
    divergence: float = Field(default=5e-4, ge=0)
    """Weight of the Kullback-Leibler term, per number of a latent."""


class AutoencoderStage:
    """Trains the autoencoder on pieces of scenes around heads, and on portraits.

    Attributes:
        networks: the autoencoder.
    """

    def __init__(self, settings: AutoencoderSettings) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.networks = nn.ModuleDict({"autoencoder": autoencoder()})

    def batch(self, step: int) -> Batch:
        """Pieces "pictures" (batch, side, side, 3) as bytes, and "weights" (batch, side, side)."""
        dice = Dice("autoencoder", self.settings.seed * 1_000_003 + step)
        pictures, weights = face_crops(dice, self.settings.batch, self.settings.crop, portraits=self.settings.portraits)
        return {"pictures": torch.from_numpy(pictures), "weights": torch.from_numpy(weights)}

    def loss(self, networks: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Absolute and squared differences, heavier on heads, and the divergence from a unit normal."""
        model = _model(networks)
        pictures = to_unit(batch["pictures"]).to(model.dtype)
        posterior = encode(model, pictures)
        made = decode(model, posterior.sample()).float()
        parts = reconstruction(made, pictures.float(), batch["weights"])
        divergence = posterior.kl().float().mean() / posterior.mean[0].numel()
        return {**parts, "loss": parts["loss"] + self.settings.divergence * divergence, "divergence": divergence}

    def sample(self, networks: nn.ModuleDict) -> PIL.Image.Image:
        """Pieces in the upper rows, what comes back of them in the lower."""
        pictures, _ = face_crops(Dice("autoencoder sheet", _HELD_OUT), 16, self.settings.crop, portraits=0.25)
        made = round_trip(_model(networks), pictures)
        return grid([*pictures[:8], *made[:8], *pictures[8:], *made[8:]], columns=8, zoom=2)

    def figures(self, networks: nn.ModuleDict) -> dict[str, float]:
        """The peak signal-to-noise ratio in decibels, over all pixels and over those of heads."""
        pictures, weights = face_crops(Dice("autoencoder figures", _HELD_OUT), 64, self.settings.crop, portraits=0.25)
        made = round_trip(_model(networks), pictures)
        heads = weights > 1
        return {"psnr": psnr(made, pictures), "psnr_heads": psnr(made[heads], pictures[heads])}

    def save(self, networks: nn.ModuleDict, folder: Path) -> None:
        """In diffusers' layout; the scaling factor gives latents unit variance."""
        model = _model(networks)
        pictures, _ = face_crops(Dice("autoencoder scale", _HELD_OUT), 128, self.settings.crop, portraits=0.25)
        latents = encode(model, to_unit(torch.from_numpy(pictures)).to(model.device)).mode()
        model.register_to_config(scaling_factor=round(1 / latents.std().item(), 4))
        copy.deepcopy(model).half().save_pretrained(folder)


def build_autoencoder(settings: AutoencoderSettings) -> AutoencoderStage:
    """The stage; it needs no other."""
    return AutoencoderStage(settings)


def reconstruction(
    made: Float[Tensor, "batch 3 height width"],
    true: Float[Tensor, "batch 3 height width"],
    weights: Float[Tensor, "batch height width"],
) -> dict[str, Tensor]:
    """How far pictures are from what they should be: absolute and squared differences, heavier where `weights` say,
    and the difference of edges, which keeps lines sharp."""
    difference = made - true
    absolute = (weights[:, None] * difference.abs()).mean()
    squared = (weights[:, None] * difference.square()).mean()
    edges = difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()
    return {"loss": absolute + 2 * squared + 0.5 * edges, "absolute": absolute, "squared": squared}


def face_crops(
    dice: Dice, count: int, side: int, *, portraits: float
) -> tuple[UInt8[np.ndarray, "count side side 3"], Float[np.ndarray, "count side side"]]:
    """Square pieces of scenes, most of them around somebody's head, and some portraits.

    Returns:
        The pieces, and how much each pixel matters: more on heads.
    """
    pictures: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    while len(pictures) < count:
        if dice.chance(portraits):
            portrait = draw_portrait(known_person(dice.seed()), seed=dice.seed(), size=side)
            weight = np.ones((side, side), np.float32)
            weight[side // 5 : -side // 8, side // 5 : -side // 5] = _HEAD_WEIGHT
            pictures.append(np.asarray(portrait.picture))
            weights.append(weight)
            continue
        pose = make_group(1 + int(dice.between(0, 8)), dice.seed())
        scene = known_scene(pose, seed=dice.seed())
        picture = np.asarray(scene.picture)
        heads = [person.head for person in scene.people if person.head is not None]
        weight = np.ones(picture.shape[:2], np.float32)
        for head in heads:
            left, top, right, bottom = (max(0, round(corner)) for corner in head.corners)
            weight[top:bottom, left:right] = _HEAD_WEIGHT
        for _ in range(min(_CROPS_PER_SCENE, 1 + len(heads), count - len(pictures))):
            x, y = dice.pick(heads).centre if heads and dice.chance(0.8) else (dice.between(0, picture.shape[1]), 0.0)
            x, y = x + dice.between(-0.4, 0.4) * side, y + dice.between(-0.4, 0.4) * side
            left = max(0, min(picture.shape[1] - side, round(x - side / 2)))
            top = max(0, min(picture.shape[0] - side, round(y - side / 2)))
            pictures.append(picture[top : top + side, left : left + side])
            weights.append(weight[top : top + side, left : left + side])
    return np.stack(pictures), np.stack(weights)


def round_trip(
    model: AutoencoderKL, pictures: UInt8[np.ndarray, "batch height width 3"]
) -> UInt8[np.ndarray, "batch height width 3"]:
    """Pictures as they come back from their latents."""
    latents = encode(model, to_unit(torch.from_numpy(pictures)).to(model.device)).mode()
    return to_pixels(decode(model, latents))


def _model(networks: nn.ModuleDict) -> AutoencoderKL:
    model = networks["autoencoder"]
    if not isinstance(model, AutoencoderKL):
        raise TypeError(f"Expected an AutoencoderKL, but got {type(model).__name__}.")
    return model
