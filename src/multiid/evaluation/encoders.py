"""Encoders that compare pictures with pictures and with words: CLIP and DINO, from a folder or from the hub.

Any other object with the same methods serves as well; the miniature has its own in `mini.heads`. What is measured
with one encoder says nothing beside what is measured with another, so each bears a name for the report.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float64

from multiid.errors import ModelFileError
from multiid.modelfiles import is_repository, local_source

__all__ = ["CLIP", "DINO", "CLIPEncoder", "DINOEncoder", "ImageEncoder", "TextImageEncoder"]

CLIP = "openai/clip-vit-large-patch14"
"""The CLIP that FastComposer's evaluation uses; its licence is MIT."""

DINO = "facebook/dino-vits16"
"""The DINO that DreamBooth introduced for this (arXiv 2208.12242), and PhotoMaker takes; its licence is Apache-2.0."""

_BATCH = 16


@runtime_checkable
class ImageEncoder(Protocol):
    """Makes pictures comparable: the cosine of two vectors says how alike their pictures are."""

    @property
    def name(self) -> str:
        """What to call it in a report: the model, and what of it is read."""
        ...

    def encode_images(self, images: Sequence[PIL.Image.Image]) -> Float64[np.ndarray, "images channels"]:
        """One vector of length 1 for each picture of any size; not numbers for one that it cannot read."""
        ...


@runtime_checkable
class TextImageEncoder(ImageEncoder, Protocol):
    """Makes pictures and words comparable with each other, too."""

    def encode_texts(self, texts: Sequence[str]) -> Float64[np.ndarray, "texts channels"]:
        """One vector of length 1 for each text, as long as those of pictures."""
        ...


class CLIPEncoder:
    """CLIP (arXiv 2103.00020): pictures and words in one space.

    A picture is brought to the model's size and its middle cut out, as the model's own processor says; of a text the
    first 77 tokens are read. The model is loaded when the first picture or text comes.

    Args:
        source: a folder or a hub repository in transformers' format.
        device: what to compute on.

    Raises:
        ModelFileError: by the first picture or text, when the model is absent and cannot be downloaded, or damaged.
    """

    def __init__(self, source: str = CLIP, *, device: str = "cpu") -> None:
        self.source, self.device = source, device

    @property
    def name(self) -> str:
        """Such as "CLIP openai/clip-vit-large-patch14"."""
        return f"CLIP {self.source}"

    def encode_images(self, images: Sequence[PIL.Image.Image]) -> Float64[np.ndarray, "images channels"]:
        """One vector of length 1 for each picture of any size."""
        model, processor, _ = self._parts
        return _encode(
            images, lambda batch: model.get_image_features(**_pixels(processor, batch, self.device)).pooler_output
        )

    def encode_texts(self, texts: Sequence[str]) -> Float64[np.ndarray, "texts channels"]:
        """One vector of length 1 for each text."""
        model, _, tokenizer = self._parts

        def encode(batch: Sequence[str]) -> torch.Tensor:
            tokens = tokenizer(list(batch), padding=True, truncation=True, return_tensors="pt").to(self.device)
            return model.get_text_features(**tokens).pooler_output

        return _encode(texts, encode)

    @cached_property
    def _parts(self) -> tuple[Any, Any, Any]:
        from transformers import CLIPModel, CLIPTokenizer

        model = _load(self.source, CLIPModel, "a CLIP model").to(self.device)
        return model, _load_processor(self.source), _load(self.source, CLIPTokenizer, "a CLIP tokenizer")


class DINOEncoder:
    """DINO (arXiv 2104.14294) or DINOv2: pictures by what is in them, without words.

    What is read is the class token after the last layer norm. The model is loaded when the first picture comes.

    Args:
        source: a folder or a hub repository in transformers' format.
        device: what to compute on.

    Raises:
        ModelFileError: by the first picture, when the model is absent and cannot be downloaded, or damaged.
    """

    def __init__(self, source: str = DINO, *, device: str = "cpu") -> None:
        self.source, self.device = source, device

    @property
    def name(self) -> str:
        """Such as "DINO facebook/dino-vits16"."""
        return f"DINO {self.source}"

    def encode_images(self, images: Sequence[PIL.Image.Image]) -> Float64[np.ndarray, "images channels"]:
        """One vector of length 1 for each picture of any size."""
        model, processor = self._parts
        return _encode(images, lambda batch: model(**_pixels(processor, batch, self.device)).last_hidden_state[:, 0])

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        from transformers import AutoModel

        return _load(self.source, AutoModel, "a DINO model").to(self.device), _load_processor(self.source)


def _pixels(processor: Any, images: Sequence[PIL.Image.Image], device: str) -> Any:
    return processor(images=[image.convert("RGB") for image in images], return_tensors="pt").to(device)


def _encode(items: Sequence[Any], encode: Any) -> Float64[np.ndarray, "items channels"]:
    """Vectors of length 1, made batch by batch."""
    batches: list[np.ndarray] = []
    with torch.inference_mode():
        for start in range(0, len(items), _BATCH):
            vectors = encode(items[start : start + _BATCH]).double()
            batches.append(torch.nn.functional.normalize(vectors, dim=1).cpu().numpy())
    return np.concatenate(batches) if batches else np.zeros((0, 0))


def _load_processor(source: str) -> Any:
    from transformers import AutoImageProcessor

    # Pillow's resizing is what published figures were made with; torchvision's differs in the last digits.
    return _load(source, AutoImageProcessor, "an image processor", backend="pil")


def _load(source: str, kind: Any, what: str, **options: Any) -> Any:
    """A part in transformers' format, ready to be used, from a folder or the hub."""
    local = local_source(source)
    if local is None and not is_repository(source):
        raise ModelFileError(
            f"Expected {what} in a folder or a hub repository owner/name, but there is no {source}; correct the "
            "path, or name a repository."
        )
    try:
        part = kind.from_pretrained(str(local or source), **options)
    except Exception as error:  # on absent or damaged files transformers raises almost anything
        reason = str(error).strip().split("\n")[0].rstrip(".")
        remedy = f"get the files of {source} again" if local else f"be online, or give a folder that holds {source}"
        raise ModelFileError(
            f"Expected {what} in {local or source}, but cannot load it ({reason}); {remedy}."
        ) from error
    return part.eval() if isinstance(part, torch.nn.Module) else part
