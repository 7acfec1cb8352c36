"""Reading adapter checkpoints: PhotoMaker's torch files and their safetensors form, as data and never as code.

A torch file is a dict with the keys `id_encoder` and `lora_weights`; the safetensors form has both flat, with these
as prefixes. What a file holds is checked here as far as that needs no network; each refusal says what is wrong.
"""

import os
import pickle
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from multiid.errors import CheckpointError
from multiid.people.tensorfile import read_tensors

__all__ = ["ADVICE", "ENCODER_KEY", "LORA_KEY", "Checkpoint", "few", "read_checkpoint"]

ENCODER_KEY, LORA_KEY = "id_encoder", "lora_weights"

ADVICE = "Use photomaker-v1.bin or photomaker-v2.bin as published, or an adapter saved by multiid."
"""What to do about a checkpoint that is none."""

# A buffer of counted numbers, present in some checkpoints and absent in others.
_POSITION_IDS = "vision_model.embeddings.position_ids"


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds: weights of an ID encoder, LoRA weights, and what multiid notes in files of its own.

    Attributes:
        encoder: weights by state-dict name.
        lora: LoRA weights by name, as diffusers reads them.
        about: `vision_heads`, `perceiver_heads` (V2) and `lora` (false: it is meant to have none), or nothing.
    """

    encoder: Mapping[str, Tensor]
    lora: Mapping[str, Tensor]
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Reads a checkpoint in either form; the form is told from the content, not the name.

    No code in the file is run: torch files are read with `weights_only=True`.

    Raises:
        CheckpointError: when the file is absent, empty, truncated, bears code, or is no such checkpoint.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise CheckpointError(
            f"Expected an adapter checkpoint at {path}, but got: {error.strerror or error}. Check the path."
        ) from error
    if not start:
        raise CheckpointError(f"Expected an adapter checkpoint, but {path} is empty. Get the file again.")
    if start.startswith((b"PK\x03\x04", b"\x80")):
        encoder, lora, about = *_torch_parts(path), {}
    elif start[8:9] == b"{":
        encoder, lora, about = _safetensors_parts(path)
    else:
        raise CheckpointError(f"Expected a torch or safetensors file, but {path} is neither. {ADVICE}")
    encoder = {name: tensor for name, tensor in encoder.items() if name != _POSITION_IDS}
    _check_tensors(path, ENCODER_KEY, encoder)
    _check_tensors(path, LORA_KEY, lora)
    if not lora and about.get("lora") is not False:
        raise CheckpointError(f"Expected LoRA weights, but {path} holds none. {ADVICE}")
    return Checkpoint(encoder, lora, about)


def few(names: Iterable[str], limit: int = 3) -> str:
    """The first names of a list and how many more there are, for messages."""
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more if names else "nothing"


def _torch_parts(path: Path) -> tuple[dict[Any, Any], dict[Any, Any]]:
    content = _unpickled(path)
    if not isinstance(content, Mapping) or set(content) != {ENCODER_KEY, LORA_KEY}:
        came = few(map(str, content)) if isinstance(content, Mapping) else type(content).__name__
        raise CheckpointError(
            f"Expected a dict with the keys {ENCODER_KEY} and {LORA_KEY}, but {path} holds {came}. {ADVICE}"
        )
    for key, part in content.items():
        if not isinstance(part, Mapping):
            raise CheckpointError(
                f"Expected {key} in {path} to be a dict of tensors, but got {type(part).__name__}. {ADVICE}"
            )
    return dict(content[ENCODER_KEY]), dict(content[LORA_KEY])


def _unpickled(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, about strange files; what is wrong with them is said here
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch's reader raise almost anything
        code = re.search(r"GLOBAL ([\w.]+)", str(error)) if isinstance(error, pickle.UnpicklingError) else None
        if code:
            raise CheckpointError(
                f"Expected weights only, but {path} asks to run code ({code[1]}), so it was not opened. {ADVICE}"
            ) from error
        raise CheckpointError(
            f"Expected a whole torch file, but {path} is truncated or damaged. Get the file again."
        ) from error


def _safetensors_parts(path: Path) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
    tensors, about = read_tensors(path, error=CheckpointError)
    parts: dict[str, dict[str, Tensor]] = {ENCODER_KEY: {}, LORA_KEY: {}}
    strangers: list[str] = []
    for name, tensor in tensors.items():
        key, _, rest = name.partition(".")
        if key in parts and rest:
            parts[key][rest] = tensor
        else:
            strangers.append(name)
    if strangers:
        raise CheckpointError(
            f"Expected names that begin with {ENCODER_KEY}. or {LORA_KEY}., but {path} holds {few(strangers)}. {ADVICE}"
        )
    return parts[ENCODER_KEY], parts[LORA_KEY], about


def _check_tensors(path: Path, key: str, part: Mapping[Any, Any]) -> None:
    for name, value in part.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f"Expected named tensors in {key} of {path}, but got {type(value).__name__} at {name!r}. {ADVICE}"
            )
        if not value.is_floating_point() or value.layout != torch.strided:
            raise CheckpointError(
                f"Expected plain floating-point weights in {key} of {path}, but {name} is {value.dtype}. {ADVICE}"
            )
