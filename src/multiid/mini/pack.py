"""The miniature as it is shipped: from the folders of a training run to one folder of weights.

The folder is laid out as diffusers saves a pipeline, with its ControlNet inside; beside it are the adapter checkpoint
and the face networks. All networks are safetensors in 16 bits.
"""

import copy
import json
import shutil
import tempfile
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from diffusers import AutoencoderKL, ControlNetModel, StableDiffusionXLControlNetPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from multiid.errors import OutputError, TrainingError
from multiid.mini.models import id_encoder, scheduler, tokenizer
from multiid.people.adapter import Adapter
from multiid.people.checkpoint import few
from multiid.people.encoders import IDEncoder
from multiid.people.tensorfile import first_line, read_tensors

__all__ = ["ADAPTER_FILE", "FACES_FOLDER", "LARGEST_FILE", "LARGEST_FOLDER", "Parts", "collect", "pack"]

ADAPTER_FILE = "adapter.safetensors"
"""The ID encoder with its fuse module, as `Adapter.save` writes it."""

FACES_FOLDER = "faces"
"""The finder's and the recogniser's files."""

LARGEST_FILE, LARGEST_FOLDER = 16_000_000, 25_000_000
"""Bytes that one file, and all together, may have: the weights are part of the package."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """What the miniature is made of, trained.

    Attributes:
        vae: the autoencoder.
        unet: the denoiser.
        controlnet: its ControlNet.
        text_encoder: the first text encoder.
        text_encoder_2: the second, which pools as well.
        id_encoder: the ID encoder with its fuse module.
        faces: the face networks' files; none to leave them out.
    """

    vae: AutoencoderKL
    unet: UNet2DConditionModel
    controlnet: ControlNetModel
    text_encoder: CLIPTextModel
    text_encoder_2: CLIPTextModelWithProjection
    id_encoder: IDEncoder
    faces: Sequence[Path] = ()


def collect(run: Path) -> Parts:
    """The parts that the stages of a training run have saved.

    Each stage keeps its own in `run`/STAGE/weights: "decoder", or "autoencoder" as long as the decoder is not trained
    again, the autoencoder; "denoiser" the folders unet, controlnet, text_encoder, text_encoder_2 and id_encoder;
    "recogniser" and "finder" their own network.

    Raises:
        TrainingError: when a part is absent or cannot be read.
    """
    retrained = (run / "decoder" / "weights").is_dir()
    return Parts(
        vae=_read(AutoencoderKL, run, "decoder" if retrained else "autoencoder"),
        unet=_read(UNet2DConditionModel, run, "denoiser", "unet"),
        controlnet=_read(ControlNetModel, run, "denoiser", "controlnet"),
        text_encoder=_read(CLIPTextModel, run, "denoiser", "text_encoder"),
        text_encoder_2=_read(CLIPTextModelWithProjection, run, "denoiser", "text_encoder_2"),
        id_encoder=_read_id_encoder(_weights(run, "denoiser", "id_encoder") / "model.safetensors"),
        faces=[_weights(run, stage) / f"{stage}.safetensors" for stage in ("recogniser", "finder")],
    )


def pack(parts: Parts, folder: Path) -> Mapping[str, int]:
    """Writes the miniature, whole or not at all; one that was packed there before is replaced.

    Args:
        parts: to write; they stay as they are.
        folder: where to; its parent must exist.

    Returns:
        Each file's path within the folder, and its bytes.

    Raises:
        OutputError: when a file or all together are too large, the folder holds something else, or cannot be written.
    """
    with _beside(folder) as fresh:
        words = tokenizer()
        StableDiffusionXLControlNetPipeline(
            vae=_half(parts.vae),
            text_encoder=_half(parts.text_encoder),
            text_encoder_2=_half(parts.text_encoder_2),
            tokenizer=words,
            tokenizer_2=words,
            unet=_half(parts.unet),
            controlnet=_half(parts.controlnet),
            scheduler=cast(Any, scheduler()),
            add_watermarker=False,
        ).save_pretrained(fresh)
        _forget_paths(fresh)
        Adapter(_half(parts.id_encoder), {}).save(fresh / ADAPTER_FILE)
        (fresh / FACES_FOLDER).mkdir()
        for file in parts.faces:
            shutil.copy(file, fresh / FACES_FOLDER)
        files = {
            str(file.relative_to(fresh)): file.stat().st_size for file in sorted(fresh.rglob("*")) if file.is_file()
        }
        _check_sizes(files)
        _remove_miniature(folder, {entry.name for entry in fresh.iterdir()})
        fresh.rename(folder)
    return files


def _half(network: Any) -> Any:
    """The network in 16 bits; a copy where it is not yet, for diffusers remarks on every cast."""
    return network if network.dtype == torch.float16 else copy.deepcopy(network).half()


def _forget_paths(folder: Path) -> None:
    """Removes from the configurations the folders that networks were loaded from: they are nobody's business."""
    for file in folder.glob("*/config.json"):
        config = json.loads(file.read_text(encoding="utf-8"))
        config.pop("_name_or_path", None)
        file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _weights(run: Path, stage: str, part: str = "") -> Path:
    folder = run / stage / "weights" / part
    if not folder.is_dir():
        raise TrainingError(f"Expected the stage's weights in {folder}, but there are none: train {stage} first.")
    return folder


def _read(kind: Any, run: Path, stage: str, part: str = "") -> Any:
    folder = _weights(run, stage, part)
    try:
        return kind.from_pretrained(folder, use_safetensors=True, dtype=torch.float16)
    except Exception as error:  # on wrong or damaged weights the stock loaders raise almost anything
        raise TrainingError(
            f"Expected a {kind.__name__} in {folder}, but it cannot be loaded: {first_line(error)}."
        ) from error


def _read_id_encoder(file: Path) -> IDEncoder:
    encoder = id_encoder()
    tensors, _ = read_tensors(file, error=TrainingError)
    try:
        encoder.load_state_dict(tensors)
    except RuntimeError as error:
        raise TrainingError(f"Expected the miniature's ID encoder in {file}, but got other weights.") from error
    return encoder


@contextmanager
def _beside(folder: Path) -> Generator[Path]:
    """An empty folder on the same disk, which goes again unless it is renamed."""
    try:
        fresh = Path(tempfile.mkdtemp(prefix=".multiid-", dir=folder.parent))
        fresh.chmod(0o755)
        try:
            yield fresh
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"Cannot write {folder}: {error.strerror or error}.") from error


def _remove_miniature(folder: Path, known: Collection[str]) -> None:
    """Removes a folder that holds nothing but what a miniature has."""
    if not folder.exists():
        return
    strangers = sorted(entry.name for entry in folder.iterdir() if entry.name not in known)
    if strangers:
        raise OutputError(f"Expected a new folder, or a miniature to replace, but {folder} holds {few(strangers)}.")
    shutil.rmtree(folder)


def _check_sizes(files: Mapping[str, int]) -> None:
    name, size = max(files.items(), key=lambda item: item[1])
    if size > LARGEST_FILE:
        raise OutputError(
            f"Expected files of at most {LARGEST_FILE / 1e6:.0f} MB, but {name} has {size / 1e6:.1f}: make it smaller."
        )
    total = sum(files.values())
    if total > LARGEST_FOLDER:
        raise OutputError(
            f"Expected at most {LARGEST_FOLDER / 1e6:.0f} MB in all, but got {total / 1e6:.1f} MB: make parts smaller."
        )
