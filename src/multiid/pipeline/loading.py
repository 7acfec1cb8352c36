"""From a preset to models in memory: hub repositories, local folders or single files, by the stock loaders."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLPipeline,
)
from huggingface_hub import constants, hf_hub_download
from torch import nn

from multiid.errors import ModelFileError, PresetError
from multiid.modelfiles import MODELS_DIR_VARIABLE, models_dir
from multiid.people.adapter import Adapter
from multiid.people.checkpoint import few
from multiid.people.faces import FaceAnalyzer, face_analyzer
from multiid.people.tensorfile import first_line
from multiid.pipeline.presets import PRESETS, Preset, Weights, find_preset
from multiid.pipeline.tiny import tiny_adapter, tiny_pipeline

__all__ = ["Models", "Offload", "load_adapter", "load_faces", "load_models"]

Offload = Literal["none", "model", "sequential"]

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Models:
    """What a composer is made of, in memory."""

    preset: Preset
    pipeline: StableDiffusionXLPipeline | StableDiffusionXLControlNetPipeline
    adapter: Adapter
    faces: FaceAnalyzer | None


def load_models(
    name: str,
    *,
    device: str | None,
    dtype: torch.dtype | None,
    offload: Offload,
    vae_tiling: bool,
    sources: Mapping[str, str | None],
    faces: FaceAnalyzer | None = None,
) -> Models:
    """Loads a preset's models.

    Args:
        name: of the preset.
        device: where to compute; the best there is if None.
        dtype: of the networks; 16 bits on an accelerator and 32 on a CPU if None.
        offload: what is kept in main memory until its turn.
        vae_tiling: decode in tiles.
        sources: for "base", "vae", "controlnet" and "adapter" a source to use instead of the preset's, or None.
        faces: the face analyzer to use instead of the preset's.

    Raises:
        PresetError: when the preset is unknown or has no such part to replace, or there is no such device.
        ModelFileError: when weights are absent and cannot be downloaded.
        CheckpointError: when the adapter cannot be read.
    """
    preset = _with_sources(find_preset(name), sources)
    device = device or _best_device()
    _require_device(device)
    dtype = dtype or (torch.float16 if preset.half and torch.device(device).type != "cpu" else torch.float32)
    # Small things first: what is wrong with them shows before the long wait.
    adapter = load_adapter(preset)
    faces = faces or load_faces(preset)
    pipeline = tiny_pipeline(dtype) if preset.base is None else _sdxl(preset, preset.base, dtype)
    if vae_tiling:
        pipeline.vae.enable_tiling()
    if offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
    elif offload == "sequential":
        pipeline.enable_sequential_cpu_offload(device=device)
    else:
        pipeline.to(device)
    return Models(preset, pipeline, adapter, faces)


def load_adapter(preset: Preset, source: str | None = None) -> Adapter:
    """A preset's ID encoder and LoRA, or those of another local file or of "owner/name/file" on the hub.

    Raises:
        ModelFileError: when the file is absent and cannot be downloaded.
        CheckpointError: when it cannot be read.
    """
    weights = _with_sources(preset, {"adapter": source}).adapter
    return tiny_adapter() if weights is None else Adapter.load(_single_file(weights))


def load_faces(preset: Preset) -> FaceAnalyzer | None:
    """A preset's face analyzer, if it has one.

    Raises:
        ModelFileError: when its model files are absent and cannot be downloaded.
        MissingExtraError: when its package is not installed.
    """
    if preset.faces is None:
        return None
    if preset.faces == "mini":
        from multiid.pipeline.drawn import DrawnFaces  # here: only one preset needs the miniature's networks

        photographic = tuple(other.name for other in PRESETS.values() if other.faces not in (None, "mini"))
        return DrawnFaces(preset=preset.name, others=photographic)
    return face_analyzer(preset.faces, recognise=True)


def _with_sources(preset: Preset, sources: Mapping[str, str | None]) -> Preset:
    for part, source in sources.items():
        if source is None:
            continue
        if preset.base is None:
            raise PresetError(f"{part}: expected a preset whose models can be replaced, but {preset.name} is built in.")
        preset = replace(preset, **{part: Weights(source, licence="your own")})
    return preset


def _sdxl(preset: Preset, base: Weights, dtype: torch.dtype) -> Any:
    parts: dict[str, Any] = {"dtype": dtype}
    if preset.vae is not None:
        parts["vae"] = _load(preset.vae, AutoencoderKL, dtype=dtype)
    if preset.controlnet is None:
        return _load(base, StableDiffusionXLPipeline, **parts)
    parts["controlnet"] = _load(preset.controlnet, ControlNetModel, dtype=dtype)
    return _load(base, StableDiffusionXLControlNetPipeline, **parts)


def _load(weights: Weights, kind: Any, **options: Any) -> Any:
    """A model or pipeline from a repository, a folder, or a single file."""
    local = _local(weights.source)
    if local is None and not _REPOSITORY.fullmatch(weights.source):
        raise ModelFileError(
            f"Expected a folder, a .safetensors file or a hub repository owner/name, but there is no {weights.source}."
        )
    single = local is not None and local.is_file()
    loader: Callable[..., Any] = kind.from_single_file if single else kind.from_pretrained
    options = options if single else {**options, "use_safetensors": True, "revision": weights.revision}
    try:
        loaded = loader(str(local or weights.source), **options)
    except Exception as error:  # on wrong or damaged weights the stock loaders raise almost anything
        if local is None:
            raise _absent(weights.source, error) from error
        online = " The configuration of a single file comes from the hub, so be online." if single else ""
        raise ModelFileError(
            f"Expected a whole {kind.__name__} in diffusers' format, but {local} cannot be loaded as one: "
            f"{first_line(error)}. Check the path, or get it again.{online}"
        ) from error
    lacking = _unloaded(loaded)
    if lacking:
        raise ModelFileError(
            f"Expected all weights of a {kind.__name__}, but {local or weights.source} lacks {few(lacking)}. "
            "Check the path, or get it again."
        )
    return loaded


def _unloaded(loaded: Any) -> list[str]:
    """Names of weights that were not in the files: the stock loaders only warn, and leave them without numbers."""
    parts = [loaded] if isinstance(loaded, nn.Module) else loaded.components.values()
    modules = [part for part in parts if isinstance(part, nn.Module)]
    return [name for module in modules for name, weight in module.named_parameters() if weight.is_meta]


def _single_file(weights: Weights) -> Path:
    """The one file of a model: as given, in the models folder, or from its repository."""
    local = _local(weights.file or weights.source) or _local(weights.source)
    if local is not None:
        return local / weights.file if local.is_dir() and weights.file else local
    repository, file = weights.source, weights.file
    if file is None:
        repository, _, file = weights.source.rpartition("/")
    if not _REPOSITORY.fullmatch(repository) or not file:
        raise ModelFileError(
            f"Expected a checkpoint file, or one on the hub as owner/name/file, but there is no {weights.source}."
        )
    try:
        return Path(hf_hub_download(repository, file, revision=weights.revision))
    except Exception as error:  # of the hub's client, of what it downloads with, or of the system
        raise _absent(f"{file} of {repository}", error) from error


def _local(source: str) -> Path | None:
    """A file or folder of that path, or of that last name in the models folder."""
    folder = models_dir()
    candidates = [Path(source), *([folder / Path(source).name] if folder else [])]
    try:
        return next((path for path in candidates if path.exists()), None)
    except OSError:  # no name that a file can have
        return None


def _absent(what: str, error: Exception) -> ModelFileError:
    reason = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else first_line(error)
    return ModelFileError(
        f"Expected the weights {what}, but they are not on this machine and could not be fetched ({reason}). Download "
        f"them from the Hugging Face hub while online, or put them into the folder that {MODELS_DIR_VARIABLE} names."
    )


def _require_device(device: str) -> None:
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # torch's words for what is not built in
        raise PresetError(
            f"Expected a device of this machine, such as {_best_device()}, but {device} cannot be used: "
            f"{first_line(error).partition('. ')[0]}."
        ) from error


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
