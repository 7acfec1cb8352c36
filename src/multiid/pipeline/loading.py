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
from huggingface_hub import constants, hf_hub_download
from torch import nn

from multiid.errors import ModelFileError, PresetError
from multiid.modelfiles import MODELS_DIR_VARIABLE, is_repository, local_source, split_hub_file
from multiid.people.adapter import Adapter
from multiid.people.checkpoint import few
from multiid.people.faces import FaceAnalyzer, face_analyzer
from multiid.people.lora import lora_layers, paths_of, quiet_loading
from multiid.people.tensorfile import first_line
from multiid.pipeline.inventory import whole_snapshot
from multiid.pipeline.presets import PRESETS, Preset, Weights, find_preset
from multiid.pipeline.tiny import tiny_adapter, tiny_pipeline

__all__ = ["Models", "Offload", "load_adapter", "load_faces", "load_models", "with_sources"]

Offload = Literal["none", "model", "sequential"]

_MERGED = "preset_lora"  # peft adapter name of a LoRA while it is being made part of the base


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
    preset = with_sources(find_preset(name), sources)
    device = device or _best_device()
    _require_device(device)
    dtype = dtype or (torch.float16 if preset.half and torch.device(device).type != "cpu" else torch.float32)
    # Small things first: what is wrong with them shows before the long wait.
    adapter = load_adapter(preset)
    faces = faces or load_faces(preset)
    pipeline = tiny_pipeline(dtype) if preset.base is None else _sdxl(preset, preset.base, dtype)
    if preset.lora is not None:
        _merge_lora(pipeline, preset.lora)
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
    weights = with_sources(preset, {"adapter": source}).adapter
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

        # Those of full quality: what is merged into a base trades it for speed.
        photographic = tuple(
            other.name for other in PRESETS.values() if other.faces not in (None, "mini") and other.lora is None
        )
        return DrawnFaces(preset=preset.name, others=photographic)
    return face_analyzer(preset.faces, recognise=True)


def with_sources(preset: Preset, sources: Mapping[str, str | None]) -> Preset:
    """A preset with other sources for the named parts; None leaves a part as it is.

    Raises:
        PresetError: when the preset's models are built in.
    """
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
        parts["vae"] = _load(preset.vae, AutoencoderKL, whole_snapshot(preset, "vae"), dtype=dtype)
    if preset.controlnet is None:
        return _load(base, StableDiffusionXLPipeline, whole_snapshot(preset, "base"), **parts)
    parts["controlnet"] = _load(preset.controlnet, ControlNetModel, whole_snapshot(preset, "controlnet"), dtype=dtype)
    return _load(base, StableDiffusionXLControlNetPipeline, whole_snapshot(preset, "base"), **parts)


def _load(weights: Weights, kind: Any, cached: Path | None, **options: Any) -> Any:
    """A model or pipeline from a folder, a single file, or a repository: its snapshot, if that is whole, or the hub.

    A whole snapshot is taken as a folder, since the stock loaders ask the hub about what they have: without a network
    they would refuse a model in several files.
    """
    local = local_source(weights.source) or cached
    if local is None and not is_repository(weights.source):
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


def _merge_lora(pipeline: Any, weights: Weights) -> None:
    """Adds a LoRA to the numbers of a pipeline's networks, and leaves nothing else of it behind.

    Raises:
        ModelFileError: when it is absent, no LoRA for this pipeline, or damaged.
    """
    file = _single_file(weights)
    try:
        with quiet_loading():
            # Safetensors only: other formats may bear code.
            pipeline.load_lora_weights(str(file), adapter_name=_MERGED, use_safetensors=True)
    except Exception as error:  # on a wrong or damaged file the stock loader raises almost anything
        raise ModelFileError(
            f"Expected a LoRA for SDXL, but {file} cannot be loaded as one: {first_line(error)}."
        ) from error
    layers = lora_layers(pipeline.unet)
    if not paths_of(_MERGED, layers):
        raise ModelFileError(f"Expected a LoRA for SDXL, but {file} changes nothing in this pipeline's UNet.")
    pipeline.fuse_lora(adapter_names=[_MERGED])
    pipeline.unload_lora_weights()


def _unloaded(loaded: Any) -> list[str]:
    """Names of weights that were not in the files: the stock loaders only warn, and leave them without numbers."""
    parts = [loaded] if isinstance(loaded, nn.Module) else loaded.components.values()
    modules = [part for part in parts if isinstance(part, nn.Module)]
    return [name for module in modules for name, weight in module.named_parameters() if weight.is_meta]


def _single_file(weights: Weights) -> Path:
    """The one file of a model: as given, in the models folder, or from its repository."""
    local = local_source(weights.file or weights.source) or local_source(weights.source)
    if local is not None:
        return local / weights.file if local.is_dir() and weights.file else local
    on_hub = split_hub_file(weights.source, weights.file)
    if on_hub is None:
        raise ModelFileError(
            f"Expected a checkpoint file, or one on the hub as owner/name/file, but there is no {weights.source}."
        )
    repository, file = on_hub
    try:
        return Path(hf_hub_download(repository, file, revision=weights.revision))
    except Exception as error:  # of the hub's client, of what it downloads with, or of the system
        raise _absent(f"{file} of {repository}", error) from error


def _absent(what: str, error: Exception) -> ModelFileError:
    reason = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else first_line(error)
    return ModelFileError(
        f"Expected the weights {what}, but they are not on this machine and could not be fetched ({reason}). Download "
        f"them from the Hugging Face hub while online, or put them into the folder that {MODELS_DIR_VARIABLE} names."
    )


def _require_device(device: str) -> None:
    try:
        torch.empty(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # torch's words for what is not built in
        raise PresetError(
            f"Expected a device of this machine, such as {_best_device()}, but {device} cannot be used: "
            f"{first_line(error).partition('. ')[0]}."
        ) from error


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
