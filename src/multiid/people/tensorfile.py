"""Safetensors files of our own: written whole or not at all, the same bytes for the same content, never pickled.

What is not a tensor goes as one JSON object into the header. (One, because safetensors writes several header
entries in changing order.)
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from multiid.errors import MultiIDError, OutputError
from multiid.files import write_whole

__all__ = ["fingerprint", "first_line", "read_tensors", "write_tensors"]

_HEADER_KEY = "multiid"


def fingerprint(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, shapes and values, as 64 hexadecimal digits.

    Values count as float32, so weights stored in half precision and the same weights held in float32 agree; order,
    device and memory layout do not matter.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(json.dumps([name, list(tensor.shape)]).encode())
        digest.update(tensor.detach().to("cpu", torch.float32).contiguous().view(-1).numpy().data)
    return digest.hexdigest()


def write_tensors(path: str | os.PathLike[str], tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Writes tensors and one JSON object; byte for byte the same for the same content.

    Raises:
        OutputError: when the file cannot be written; one that was there before is then unchanged.
    """
    # Clones, because safetensors refuses tensors that share memory.
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    header = {_HEADER_KEY: json.dumps(about, sort_keys=True, ensure_ascii=False)}
    try:
        with write_whole(path) as temporary:
            save_file(plain, temporary, metadata=header)
    except SafetensorError as error:
        raise OutputError(f"Cannot write {Path(path)}: {first_line(error)}.") from error


def read_tensors(
    path: str | os.PathLike[str], *, error: type[MultiIDError]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a safetensors file and its JSON object (empty where a file of other origin has none).

    Args:
        path: the file.
        error: what to raise.

    Raises:
        MultiIDError: of the class `error`, when the file is absent, no safetensors file, damaged or truncated.
    """
    place = Path(path)
    if not place.is_file():
        what = "is a folder" if place.is_dir() else "is not there"
        raise error(f"Expected a safetensors file, but {place} {what}: check the path.")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            about = json.loads((file.metadata() or {}).get(_HEADER_KEY, "{}"))
    except (OSError, SafetensorError, ValueError, RuntimeError) as cause:
        raise error(
            f"Expected a whole safetensors file, but {place} cannot be read: {first_line(cause)}. "
            "Check the path, or get the file again."
        ) from cause
    if not isinstance(about, dict):
        raise error(f"Expected a JSON object in the header of {place}, but got {type(about).__name__}.")
    return tensors, about


def first_line(error: BaseException) -> str:
    """What an exception says, fit to stand inside a message of one line."""
    lines = (str(error).strip() or type(error).__name__).splitlines()
    # A headline says nothing without the first line below it.
    return " ".join(line.strip() for line in lines[: 2 if lines[0].endswith(":") else 1]).rstrip(".:")
