"""From a preset to models in memory: hub repositories, local folders or single files, by the stock loaders."""

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
from huggingface_hub import hf_hub_download

from multiid.errors import ModelFileError, PresetError
from multiid.modelfiles import MODELS_DIR_VARIABLE, models_dir
from multiid.people.adapter import Adapter
from multiid.people.faces import FaceAnalyzer, face_analyzer
from multiid.pipeline.presets import Preset, Weights, find_preset
from multiid.pipeline.tiny import tiny_adapter, tiny_pipeline

__all__ = ["Models", "Offload", "load_adapter", "load_faces", "load_models"]

Offload = Literal["none", "model", "sequential"]


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
) -> Models:
    """Loads a preset's models.

    Args:
        name: of the preset.
        device: where to compute; the best there is if None.
        dtype: of the networks; 16 bits on an accelerator and 32 on a CPU if None.
        offload: what is kept in main memory until its turn.
        vae_tiling: decode in tiles.
        sources: for "base", "vae", "controlnet" and "adapter" a source to use instead of the preset's, or None.

    Raises:
        PresetError: when the preset is unknown, or has no such part to replace.
        ModelFileError: when weights are absent and cannot be downloaded.
        CheckpointError: when the adapter cannot be read.
    """
    preset = _with_sources(find_preset(name), sources)
    device = device or _best_device()
    dtype = dtype or (torch.float16 if preset.half and torch.device(device).type != "cpu" else torch.float32)
    # The adapter first: it is the smaller, so what is wrong with it shows before the long wait.
    adapter = load_adapter(preset)
    pipeline = tiny_pipeline(dtype) if preset.base is None else _sdxl(preset, preset.base, dtype)
    if vae_tiling:
        pipeline.vae.enable_tiling()
    if offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
    elif offload == "sequential":
        pipeline.enable_sequential_cpu_offload(device=device)
    else:
        pipeline.to(device)
    return Models(preset, pipeline, adapter, load_faces(preset))


def load_adapter(preset: Preset, source: str | None = None) -> Adapter:
    """A preset's ID encoder and LoRA, or those from another file or hub repository.

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
    return face_analyzer(preset.faces, recognise=True) if preset.faces else None


def _with_sources(preset: Preset, sources: Mapping[str, str | None]) -> Preset:
    for part, source in sources.items():
        if source is None:
            continue
        if preset.base is None:
            raise PresetError(f"{part}: expected a preset whose models can be replaced, but {preset.name} is built in.")
        preset = replace(preset, **{part: Weights(source, licence="your own")})
    return preset


def _sdxl(preset: Preset, base: Weights, dtype: torch.dtype) -> Any:
    parts: dict[str, Any] = {"torch_dtype": dtype}
    if preset.vae is not None:
        parts["vae"] = _load(preset.vae, AutoencoderKL, torch_dtype=dtype)
    if preset.controlnet is None:
        return _load(base, StableDiffusionXLPipeline, **parts)
    parts["controlnet"] = _load(preset.controlnet, ControlNetModel, torch_dtype=dtype)
    return _load(base, StableDiffusionXLControlNetPipeline, **parts)


def _load(weights: Weights, kind: Any, **options: Any) -> Any:
    """A model or pipeline from a repository, a folder, or a single file."""
    local = _local(weights.source)
    single = local is not None and local.is_file()
    loader: Callable[..., Any] = kind.from_single_file if single else kind.from_pretrained
    options = options if single else {**options, "use_safetensors": True, "revision": weights.revision}
    try:
        return loader(str(local or weights.source), **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelFileError(_absent(weights.source, error)) from error


def _single_file(weights: Weights) -> Path:
    """The one file of a model: as given, in the models folder, or from its repository."""
    local = _local(weights.file or weights.source) or _local(weights.source)
    if local is not None:
        return local / weights.file if local.is_dir() and weights.file else local
    if weights.file is None:
        raise ModelFileError(f"Expected a checkpoint file, but there is none at {weights.source}.")
    try:
        return Path(hf_hub_download(weights.source, weights.file, revision=weights.revision))
    except (OSError, ValueError) as error:
        raise ModelFileError(_absent(f"{weights.file} of {weights.source}", error)) from error


def _local(source: str) -> Path | None:
    """A file or folder of that path, or of that last name in the models folder."""
    folder = models_dir()
    candidates = [Path(source), *([folder / Path(source).name] if folder else [])]
    return next((path for path in candidates if path.exists()), None)


def _absent(what: str, error: Exception) -> str:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return (
        f"Expected the weights {what}, but they could not be loaded ({reason}). Download them from the Hugging Face "
        f"hub while online, or put them into the folder that {MODELS_DIR_VARIABLE} names."
    )


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
