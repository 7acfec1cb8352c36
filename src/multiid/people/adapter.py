"""The identity adapter: what one checkpoint gives, an ID encoder and a LoRA for the UNet."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor

from multiid.people.checkpoint import ENCODER_KEY, LORA_KEY, read_checkpoint
from multiid.people.encoders import EncoderV2Config, IDEncoder, IDEncoderV2
from multiid.people.lora import LORA_PREFIX, install_lora, lora_modules, uninstall_lora
from multiid.people.rebuild import build_encoder
from multiid.people.tensorfile import fingerprint, write_tensors

__all__ = ["Adapter"]


@dataclass(frozen=True, eq=False)
class Adapter:
    """An ID encoder and the LoRA that teaches a UNet to read its embeddings.

    Attributes:
        encoder: makes ID embeddings of photos and fuses them with text.
        lora: the UNet's LoRA weights by name; may be empty for a UNet trained as a whole.
        fingerprint: tells this encoder from others: 64 hexadecimal digits over its weights as they were when the
            adapter was made, the same for every file form, and for half and single precision of the same numbers.

    Raises:
        CheckpointError: when `lora` holds anything but a UNet's LoRA weights.
    """

    encoder: IDEncoder
    lora: Mapping[str, Tensor]
    fingerprint: str = field(init=False)
    _lora_name: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        lora_modules(self.lora)
        object.__setattr__(self, "fingerprint", fingerprint(self.encoder.state_dict()))
        # peft names adapters without dots; the name tells LoRAs apart, so the same one is never loaded twice.
        object.__setattr__(self, "_lora_name", LORA_PREFIX + fingerprint(self.lora)[:12])

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Adapter":
        """Reads a checkpoint: photomaker-v1.bin, photomaker-v2.bin, the safetensors form of either, or one of `save`.

        No code in the file is run. Sizes follow the weights' shapes, so a small checkpoint gives a small encoder;
        the encoder is in float32 on the CPU.

        Raises:
            CheckpointError: when the file is absent, truncated, bears code or is no adapter checkpoint.
        """
        checkpoint = read_checkpoint(path)
        return cls(build_encoder(checkpoint), checkpoint.lora)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the adapter as safetensors, with the numbers of attention heads, which shapes do not tell.

        Raises:
            OutputError: when the file cannot be written; one that was there before is then unchanged.
        """
        config = self.encoder.config
        about: dict[str, Any] = {"vision_heads": config.vision_heads, "lora": bool(self.lora)}
        if isinstance(config, EncoderV2Config):
            about["perceiver_heads"] = config.perceiver_heads
        parts = {ENCODER_KEY: self.encoder.state_dict(), LORA_KEY: self.lora}
        tensors = {f"{key}.{name}": tensor for key, part in parts.items() for name, tensor in part.items()}
        write_tensors(path, tensors, about)

    @property
    def version(self) -> Literal["v1", "v2"]:
        """Which of PhotoMaker's two encoders it is."""
        return "v2" if isinstance(self.encoder, IDEncoderV2) else "v1"

    def install(self, pipeline: DiffusionPipeline) -> None:
        """Makes the LoRA active in a stock SDXL pipeline's UNet, loading it where it is not loaded yet.

        To call it again, also from another `Adapter` of the same checkpoint, is harmless. LoRAs that the user had
        active stay so, with the weights they had; of several adapters the one installed last is active. On any
        failure the pipeline is left as it was.

        Raises:
            CheckpointError: when the LoRA does not fit the UNet.
            PresetError: when the pipeline's LoRAs are disabled, or fused while still loaded.
        """
        install_lora(pipeline, self._lora_name, self.lora)

    def uninstall(self, pipeline: DiffusionPipeline) -> None:
        """Takes the LoRA out of the UNet again, which is then exactly as without it.

        Raises:
            PresetError: when the LoRA is fused.
        """
        uninstall_lora(pipeline, self._lora_name)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "Adapter":
        """Moves the encoder in place; what is None stays. A narrower dtype rounds the weights for good."""
        self.encoder.to(device=device, dtype=dtype)
        return self

    @contextmanager
    def ready(
        self,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        release: bool = False,
    ) -> Generator[IDEncoder]:
        """The encoder where and as it is needed.

        Args:
            device: where the pipeline computes; None leaves the encoder where it is.
            dtype: what it computes in; None leaves the encoder's.
            release: bring it back to the CPU at the end, as an offloaded pipeline does with its parts.
        """
        try:
            self.to(device, dtype)
            yield self.encoder
        finally:
            if release:
                self.to("cpu")
