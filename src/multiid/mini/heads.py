"""Heads of the miniature's world compared: what stands there for CLIP's picture encoder and for LPIPS.

Neither can be set beside published figures, and each says so by its name.
"""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from multiid.evaluation.likeness import mean_direction
from multiid.geometry import Box
from multiid.mini.faces import MiniFaces
from multiid.mini.faces.analyzer import load_recogniser
from multiid.mini.faces.crops import cut_head, to_crop
from multiid.mini.faces.networks import EMBEDDING

__all__ = ["HeadDistance", "HeadEncoder", "cut_heads"]

_STAGES = (1, 3, 5)  # of the recogniser's trunk: after each block


class HeadEncoder:
    """Pictures by the heads they show: the direction between the recogniser's embeddings of all of them.

    It stands for CLIP's picture encoder, but sees nothing except who is there. An `ImageEncoder`.

    Args:
        faces: finds and embeds heads.
    """

    name = "miniature's recogniser, the mean of all heads"

    def __init__(self, faces: MiniFaces) -> None:
        self.faces = faces

    def encode_images(self, images: Sequence[PIL.Image.Image]) -> Float64[np.ndarray, "images channels"]:
        """One vector of length 1 for each picture; not numbers for one without a head."""
        vectors = np.full((len(images), EMBEDDING), np.nan)
        for row, image in zip(vectors, images, strict=True):
            found = [face.embedding for face in self.faces.analyze(image) if face.embedding is not None]
            if (direction := mean_direction(found)) is not None:
                row[:] = direction
        return vectors


class HeadDistance:
    """How unlike two heads look, as LPIPS (arXiv 1801.03924) measures it, by the recogniser's own features.

    At three depths the features of each place are brought to length 1 and compared: the squared distance, a mean over
    places and depths. From 0, the same, to 4. Unlike LPIPS it has no weights learnt from people's judgement. A
    `PictureDistance` of heads cut by `cut_heads`.

    Args:
        folder: holds recogniser.safetensors; the package's own unless given.

    Raises:
        ModelFileError: when the file is missing or damaged.
    """

    name = "miniature's recogniser, features compared as LPIPS does"

    def __init__(self, folder: Path | None = None) -> None:
        own = Path(str(resources.files("multiid.mini") / "weights" / "faces"))
        self._trunk = load_recogniser(folder or own).trunk

    def distance(self, one: PIL.Image.Image, other: PIL.Image.Image) -> float:
        """0 for a head and itself, more for unlike ones."""
        apart = [
            (first - second).square().sum(1).mean()
            for first, second in zip(self._features(one), self._features(other), strict=True)
        ]
        return float(torch.stack(apart).mean())

    @torch.inference_mode()
    def _features(self, head: PIL.Image.Image) -> list[Float[Tensor, "1 channels height width"]]:
        pixels = to_crop(np.asarray(head.convert("RGB")))
        x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1
        features: list[Tensor] = []
        for number, layer in enumerate(self._trunk):
            x = layer(x)
            if number in _STAGES:
                features.append(torch.nn.functional.normalize(x, dim=1))
        return features


def cut_heads(image: PIL.Image.Image, faces: Sequence[Box]) -> list[PIL.Image.Image]:
    """Faces with their hair, as the recogniser reads them, 64 pixels a side."""
    pixels = np.asarray(image.convert("RGB"))
    return [PIL.Image.fromarray(cut_head(pixels, face)) for face in faces]
