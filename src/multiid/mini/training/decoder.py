"""Stage "decoder": the autoencoder's decoder goes on learning, after the latents are settled."""

import copy
from typing import cast

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import interpolate
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from multiid.mini.training.autoencoder import (
    AutoencoderSettings,
    AutoencoderStage,
    face_crops,
    reconstruction,
)
from multiid.mini.training.latents import decode, encode
from multiid.mini.training.loop import Batch
from multiid.mini.training.pictures import to_unit
from multiid.mini.training.sources import Sources
from multiid.mini.world.dice import Dice
from multiid.people.encoders import IDEncoder

__all__ = ["DecoderSettings", "DecoderStage", "build_decoder"]


class DecoderSettings(AutoencoderSettings):
    """The settings of this stage."""

    likeness: float = Field(default=0.1, ge=0)
    """Weight of the difference that the ID encoder sees. Not the recogniser: it marks the results."""
    noise: float = Field(default=0.1, ge=0)
    """Noise added to the latents, in their standard deviations: a denoiser's are not perfect either."""


class DecoderStage(AutoencoderStage):
    """Trains the decoder; the encoder, and so every latent the denoiser has learnt, stays as it is.

    Attributes:
        networks: the autoencoder, of which the decoder learns.
    """

    def __init__(self, settings: DecoderSettings, model: AutoencoderKL, encoder: IDEncoder) -> None:
        super().__init__(settings)
        self.settings: DecoderSettings = settings
        model.requires_grad_(False)
        model.decoder.requires_grad_(True)
        self.networks = nn.ModuleDict({"autoencoder": model})
        self._encoder = copy.deepcopy(encoder).requires_grad_(False)

    def batch(self, step: int) -> Batch:
        """As the autoencoder's."""
        dice = Dice("decoder", self.settings.seed * 1_000_003 + step)
        pictures, weights = face_crops(dice, self.settings.batch, self.settings.crop, portraits=self.settings.portraits)
        return {"pictures": torch.from_numpy(pictures), "weights": torch.from_numpy(weights)}

    def loss(self, networks: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """As the autoencoder's, without divergence, and what the ID encoder sees of the difference."""
        model = cast(AutoencoderKL, networks["autoencoder"])
        pictures = to_unit(batch["pictures"])
        with torch.no_grad():
            latents = encode(model, pictures.to(model.dtype)).mode()
            latents = latents + self.settings.noise * latents.std() * torch.randn_like(latents)
        made = decode(model, latents).float()
        parts = reconstruction(made, pictures, batch["weights"])
        likeness = (self._seen(made) - self._seen(pictures)).square().mean()
        return {**parts, "loss": parts["loss"] + self.settings.likeness * likeness, "likeness": likeness}

    def _seen(self, pictures: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch patches width"]:
        """What the ID encoder's transformer makes of pictures from -1 to 1, patch by patch."""
        encoder = self._encoder.to(pictures.device)
        side = encoder.config.image_size
        mean, spread = (
            torch.tensor(numbers, device=pictures.device)[:, None, None]
            for numbers in (OPENAI_CLIP_MEAN, OPENAI_CLIP_STD)
        )
        pixels = ((interpolate(pictures, size=(side, side), mode="bilinear") + 1) / 2 - mean) / spread
        return encoder.vision_model(pixel_values=pixels).last_hidden_state


def build_decoder(settings: DecoderSettings, sources: Sources) -> DecoderStage:
    """The stage; it needs the autoencoder and the ID encoder."""
    return DecoderStage(settings, sources.autoencoder(), sources.id_encoder())
