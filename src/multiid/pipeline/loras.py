"""Style LoRAs of one scene: in the pipeline for the length of a call, beside the adapter's."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from multiid.errors import SceneError
from multiid.people.lora import activate, active_adapters, lora_layers, paths_of, quiet_loading, remove_adapter
from multiid.people.tensorfile import first_line
from multiid.pipeline.scene import Lora

__all__ = ["style_loras"]

_NAME = "scene_lora_{}"  # peft adapter name


@contextmanager
def style_loras(pipeline: Any, loras: Sequence[Lora]) -> Generator[None]:
    """Loads a scene's LoRAs, active with their weights beside what was active before; takes them out afterwards.

    Raises:
        SceneError: when one cannot be loaded or changes nothing; the pipeline is then as it was.
    """
    networks = [
        getattr(network, "_orig_mod", network)  # below a compiled network's wrapper
        for network in (pipeline.unet, pipeline.text_encoder, pipeline.text_encoder_2)
    ]
    before = [active_adapters(network) for network in networks]
    names = [_NAME.format(number) for number in range(len(loras))]
    try:
        for name, lora in zip(names, loras, strict=True):
            _load(pipeline, name, lora, networks)
        if loras:
            for network, active in zip(networks, before, strict=True):
                activate(network, [*active, *names])
        yield
    finally:
        if loras:
            for network, active in zip(networks, before, strict=True):
                for name in names:
                    remove_adapter(network, name)
                activate(network, active)


def _load(pipeline: Any, name: str, lora: Lora, networks: Sequence[Any]) -> None:
    if lora.source.endswith(".safetensors") and not Path(lora.source).is_file():
        raise SceneError(f"loras: expected a LoRA for SDXL, but there is no file {lora.source}: check the path.")
    try:
        with quiet_loading():
            # Safetensors only: other formats may bear code.
            pipeline.load_lora_weights(lora.source, weight_name=lora.file, adapter_name=name, use_safetensors=True)
    except Exception as error:  # on other or damaged weights diffusers and peft raise almost anything
        raise SceneError(f"loras: expected a LoRA for SDXL at {lora.source}, but {first_line(error)}.") from error
    layers = [layer for network in networks for layer in _layers_of(name, network)]
    if not layers:
        raise SceneError(f"loras: expected a LoRA for SDXL, but {lora.source} changes nothing in this pipeline.")
    for layer in layers:
        layer.set_scale(name, lora.weight)


def _layers_of(name: str, network: Any) -> list[Any]:
    layers = lora_layers(network)
    return [layers[path] for path in paths_of(name, layers)]
