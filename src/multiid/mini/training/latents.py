"""Pictures to latents and back through an autoencoder."""

from typing import Any, cast

from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from jaxtyping import Float
from torch import Tensor

__all__ = ["decode", "encode"]


def encode(model: AutoencoderKL, pictures: Float[Tensor, "batch 3 height width"]) -> DiagonalGaussianDistribution:
    """Where the latents of pictures from -1 to 1 lie, not scaled by the model's `scaling_factor`."""
    return cast(Any, model).encode(pictures).latent_dist


def decode(
    model: AutoencoderKL, latents: Float[Tensor, "batch channels rows columns"]
) -> Float[Tensor, "batch 3 height width"]:
    """Pictures from such latents, about -1 to 1."""
    return cast(Any, model).decode(latents).sample
