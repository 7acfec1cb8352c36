"""Painting a part of a picture anew: the rest is kept among the latents, and pixel by pixel at the end.

Works with any number of latent channels, as it needs no inpainting model: after each step of image-to-image, the
cells outside the part are set to the picture's own, with the noise of the next step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import PIL.Image
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from multiid.pipeline.shot import Shot

__all__ = ["Keeper", "feathered", "pasted"]

_NOISE_SEED_OFFSET = 1 << 62  # so that the noise of what is kept is not the noise of what is made


@dataclass(frozen=True)
class Keeper:
    """Keeps what lies outside the part that is painted anew: a `callback_on_step_end`.

    Attributes:
        clean: latents of the picture.
        noise: unit normal noise, the same at every step.
        anew: 1 in cells that are painted anew, 0 in those that are kept.
    """

    clean: Float[Tensor, "images channels rows columns"]
    noise: Float[Tensor, "images channels rows columns"]
    anew: Float[Tensor, "images 1 rows columns"]

    @classmethod
    def of(cls, pipeline: Any, shots: Sequence[Shot]) -> "Keeper | None":
        """Keeps what these shots' pictures do not paint anew; None where that is nothing.

        A cell is painted anew if any of its pixels is.

        Args:
            pipeline: the image-to-image pipeline that is to run, which encodes the pictures.
            shots: alike, and one picture each to start from.
        """
        parts = [shot.painted_anew for shot in shots for _ in shot.seeds if shot.painted_anew is not None]
        if not parts:
            return None
        seeds = [seed for shot in shots for seed in shot.seeds]
        pictures = [shot.scene.init.image.convert("RGB") for shot in shots for _ in shot.seeds if shot.scene.init]
        clean = pipeline.prepare_latents(
            pipeline.image_processor.preprocess(pictures),
            None,
            len(pictures),
            1,
            pipeline.unet.dtype,
            pipeline._execution_device,  # pyright: ignore[reportPrivateUsage] - where an offloaded pipeline computes
            [torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            add_noise=False,
        )
        noise = [
            torch.randn(clean.shape[1:], generator=torch.Generator("cpu").manual_seed(seed ^ _NOISE_SEED_OFFSET))
            for seed in seeds
        ]
        anew = F.adaptive_max_pool2d(torch.stack(parts)[:, None], (clean.shape[-2], clean.shape[-1]))
        return cls(clean, torch.stack(noise).to(clean), (anew > 0).to(clean))

    def __call__(self, pipeline: Any, index: int, timestep: Any, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """After evaluation `index`: the latents with everything that is to stay as it was."""
        del timestep
        scheduler = pipeline.scheduler
        remaining = scheduler.timesteps[len(scheduler.timesteps) - pipeline.num_timesteps :]
        kept = self.clean
        if index + 1 < len(remaining):
            kept = scheduler.add_noise(self.clean, self.noise, remaining[index + 1].repeat(len(self.clean)))
        latents = tensors["latents"]
        return {"latents": torch.where(self.anew.bool(), latents, kept.to(latents))}


def feathered(part: Float[Tensor, "height width"], *, width: float) -> Float[np.ndarray, "height width"]:
    """How much of a new picture shows: 0 outside the part, rising to 1 over `width` pixels from its edge inwards.

    The edge of the picture is no edge of the part.
    """
    inside = np.pad(part.numpy() > 0, 1, mode="edge").astype(np.uint8)
    if inside.all():
        return np.ones(part.shape, np.float32)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    return np.clip(np.asarray(depth, np.float32) / max(width, 1.0), 0, 1)


def pasted(made: PIL.Image.Image, onto: PIL.Image.Image, shares: Float[np.ndarray, "height width"]) -> PIL.Image.Image:
    """One picture pasted onto another of its size; where its share is 0 the other stays to the last bit."""
    below, above = (np.asarray(image.convert("RGB"), np.float32) for image in (onto, made))
    mixed = below + (above - below) * shares[..., None]
    return PIL.Image.fromarray(np.rint(mixed).astype(np.uint8))
