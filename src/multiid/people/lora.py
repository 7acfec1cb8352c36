"""The adapter's LoRA in a pipeline's UNet: loaded once, counted, and taken out without a trace.

diffusers loads LoRA weights through peft and says nothing when the names fit no module, so names and shapes are
compared with the UNet before anything is touched, and the loaded modules counted afterwards. The LoRA knows no
person: one serves everybody.
"""

import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils import delete_adapter_layers, logging
from diffusers.utils.state_dict_utils import convert_unet_state_dict_to_peft
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn

from multiid.errors import CheckpointError, PresetError
from multiid.people.checkpoint import few
from multiid.people.tensorfile import first_line

__all__ = [
    "LORA_PREFIX",
    "activate",
    "active_adapters",
    "install_lora",
    "lora_layers",
    "lora_modules",
    "paths_of",
    "quiet_loading",
    "remove_adapter",
    "uninstall_lora",
]

LORA_PREFIX = "multiid_"
"""What the peft adapter names of our LoRAs begin with. One of them is active at a time."""

_UNET = "unet."
_ADVICE = "Use a pipeline of the kind the adapter was trained for (SDXL)."


def lora_modules(lora: Mapping[str, Tensor]) -> dict[str, tuple[int, int]]:
    """The linear modules of a UNet that a LoRA changes: their inputs and outputs by path.

    Both the old names of PhotoMaker's checkpoints (`...attn1.processor.to_q_lora.down.weight`) and peft's
    (`...attn1.to_q.lora_A.weight`) are understood.

    Raises:
        CheckpointError: when a name is not that of a UNet's LoRA weight, or two shapes do not belong together.
    """
    strangers = [name for name in lora if not name.startswith(_UNET)]
    weights: dict[str, Tensor] = convert_unet_state_dict_to_peft(
        {name.removeprefix(_UNET): tensor for name, tensor in lora.items()}
    )
    paths = {name.removesuffix(".lora_A.weight") for name in weights if name.endswith(".lora_A.weight")}
    complete = {f"{path}.lora_{side}.weight" for path in paths for side in "AB"}
    strangers += sorted(complete ^ set(weights))
    if strangers:
        raise CheckpointError(
            "Expected LoRA weights of a UNet in pairs (unet.{module}_lora.down.weight and .up.weight), but "
            f"{few(dict.fromkeys(strangers))} breaks that. Use an adapter checkpoint as published."
        )
    modules: dict[str, tuple[int, int]] = {}
    for path in sorted(paths):
        down, up = weights[f"{path}.lora_A.weight"], weights[f"{path}.lora_B.weight"]
        if down.ndim != 2 or up.ndim != 2 or down.shape[0] != up.shape[1]:
            raise CheckpointError(
                f"Expected LoRA weights (rank, inputs) and (outputs, rank) for {path}, but got "
                f"{tuple(down.shape)} and {tuple(up.shape)}. Use an adapter checkpoint as published."
            )
        modules[path] = (down.shape[1], up.shape[0])
    return modules


def install_lora(pipeline: DiffusionPipeline, name: str, lora: Mapping[str, Tensor]) -> None:
    """Makes a LoRA active in a pipeline's UNet, loading it where it is not loaded yet; again is harmless.

    LoRAs that the user had active stay active with the weights they had; others of ours are set inactive. Pipelines
    that share the UNet share the LoRA. On any failure the UNet is left as it was.

    Args:
        pipeline: a stock SDXL pipeline.
        name: peft adapter name; it begins with `LORA_PREFIX`.
        lora: LoRA weights; none at all only sets our other LoRAs inactive.

    Raises:
        CheckpointError: when the LoRA does not fit the UNet, or not all of it could be loaded.
        PresetError: when LoRA layers of the pipeline are disabled, or fused while still loaded.
    """
    unet = _network(pipeline)
    wanted = lora_modules(lora)
    layers = lora_layers(unet)
    if any(layer.disable_adapters for layer in layers.values()):
        raise PresetError(
            "Expected active LoRA layers, but they are disabled in this pipeline: call its enable_lora() first."
        )
    merged = {adapter for layer in layers.values() for adapter in layer.merged_adapters}
    fused = merged | set(pipeline.fused_loras)
    if name in fused:
        return
    if merged or any(adapter.startswith(LORA_PREFIX) for adapter in fused):
        raise PresetError(
            f"Expected no fused LoRA beside the adapter's, but {few(sorted(fused))} is: call the pipeline's "
            "unfuse_lora() first, or, to keep a LoRA of yours fused, unload_lora_weights()."
        )
    before = active_adapters(unet)
    if paths_of(name, layers) != set(wanted):
        _check_fit(unet, wanted)
        try:
            remove_adapter(unet, name)  # one that is loaded in part only
            with quiet_loading():
                pipeline.load_lora_weights(dict(lora), adapter_name=name)
            loaded = paths_of(name, lora_layers(unet))
            if loaded != set(wanted):
                raise CheckpointError(
                    f"Expected LoRA weights in {len(wanted)} modules of the UNet, but {len(loaded)} took them. "
                    f"{_ADVICE}"
                )
        except BaseException as error:
            remove_adapter(unet, name)
            activate(unet, before)
            if isinstance(error, Exception) and not isinstance(error, CheckpointError):
                raise CheckpointError(
                    f"Expected the LoRA to load, but diffusers refused it: {first_line(error)}."
                ) from error
            raise
    theirs = [adapter for adapter in before if not adapter.startswith(LORA_PREFIX)]
    activate(unet, [*theirs, name] if wanted else theirs)


def uninstall_lora(pipeline: DiffusionPipeline, name: str) -> None:
    """Takes a LoRA out of a pipeline's UNet and leaves all else as it is; harmless where it is not loaded.

    Raises:
        PresetError: when it is fused.
    """
    unet = _network(pipeline)
    layers = lora_layers(unet)
    if name in set(pipeline.fused_loras).union(*(layer.merged_adapters for layer in layers.values())):
        raise PresetError(
            f"Expected the adapter's LoRA beside the UNet's weights, but {name} is fused into them: call its "
            "pipeline's unfuse_lora() first."
        )
    remove_adapter(unet, name)


def _network(pipeline: DiffusionPipeline) -> Any:
    # torch.compile wraps a network in another module, below which all paths begin with its attribute's name.
    return getattr(pipeline.unet, "_orig_mod", pipeline.unet)


def lora_layers(network: nn.Module) -> dict[str, Any]:
    """The modules of a network that peft has wrapped, by path."""
    return {path: module for path, module in network.named_modules() if isinstance(module, BaseTunerLayer)}


def paths_of(name: str, layers: Mapping[str, Any]) -> set[str]:
    """Where among a network's LoRA layers a LoRA has weights."""
    return {path for path, layer in layers.items() if name in layer.r}


def active_adapters(network: nn.Module) -> list[str]:
    """The LoRAs that a network applies."""
    layers = lora_layers(network).values()
    return list(dict.fromkeys(adapter for layer in layers for adapter in layer.active_adapters))


def activate(network: nn.Module, adapters: Sequence[str]) -> None:
    """Makes these the LoRAs that a network applies, each with the weight it has."""
    # Layer by layer: the pipeline's set_adapters would set everybody's weight anew.
    for layer in lora_layers(network).values():
        layer.set_adapter(list(adapters))


def remove_adapter(network: nn.Module, name: str) -> None:
    """Deletes a LoRA from a network, whole or half-loaded, and unwraps the modules that no other LoRA uses."""
    layers = lora_layers(network)
    if not paths_of(name, layers):
        return
    # First out of the active ones, or peft would choose another to be active in its place.
    activate(network, [adapter for adapter in active_adapters(network) if adapter != name])
    delete_adapter_layers(network, name)
    for path, layer in layers.items():
        if not layer.r:
            parent, _, child = path.rpartition(".")
            setattr(network.get_submodule(parent), child, layer.get_base_layer())


def _check_fit(unet: nn.Module, wanted: Mapping[str, tuple[int, int]]) -> None:
    modules = dict(unet.named_modules())
    absent = [path for path in wanted if path not in modules]
    if absent:
        raise CheckpointError(
            f"Expected a UNet with the {len(wanted)} modules that the LoRA changes, but {len(absent)} are absent: "
            f"{few(absent)}. {_ADVICE}"
        )
    for path, shape in wanted.items():
        found = (getattr(modules[path], "in_features", None), getattr(modules[path], "out_features", None))
        if found != shape:
            raise CheckpointError(
                f"Expected a UNet whose {path} has {shape[0]} inputs and {shape[1]} outputs, as the LoRA's, but it has "
                f"{found[0]} and {found[1]}. {_ADVICE}"
            )


@contextmanager
def quiet_loading() -> Generator[None]:
    """Without diffusers' and peft's remarks about other LoRAs and text encoders: what was loaded is counted here."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.FATAL)  # errors too: whoever catches the exception says what it was
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Already found a `peft_config` attribute")
            warnings.filterwarnings("ignore", message="Adapter .* was active which is now deleted")  # a failed one
            yield
    finally:
        logging.set_verbosity(verbosity)
