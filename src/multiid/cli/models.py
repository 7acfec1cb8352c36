"""Options that choose models, shared by the commands that need them."""

from collections.abc import Callable
from typing import Any

import click

__all__ = ["model_options"]

_OPTIONS: dict[str, Callable[[Any], Any]] = {
    "base": click.option("--base", help="Another SDXL model: hub repository, folder or single .safetensors file."),
    "vae": click.option("--vae", help="Another VAE, likewise."),
    "controlnet": click.option("--controlnet", help="Another OpenPose ControlNet, likewise."),
    "adapter": click.option("--adapter", help='Another adapter checkpoint: file, or "owner/name/file" on the hub.'),
    "device": click.option("--device", help="Where to compute: cuda, cuda:1, mps, cpu. [default: the best there is]"),
    "dtype": click.option(
        "--dtype",
        type=click.Choice(["float32", "float16", "bfloat16"]),
        help="Precision of the networks. [default: 16 bits on an accelerator, 32 on a CPU]",
    ),
    "offload": click.option(
        "--offload",
        type=click.Choice(["none", "model", "sequential"]),
        default="none",
        show_default=True,
        help="Keep models (or each layer) in main memory until their turn.",
    ),
    "vae_tiling": click.option("--vae-tiling", is_flag=True, help="Decode in tiles: large pictures, little memory."),
}

_PRESET = (
    "Set of models: sdxl, sdxl-v2, sdxl-fast, mini, tiny, one of your own (`multiid presets list`), or a .yaml file."
)


def model_options(*names: str, default: str = "sdxl") -> Callable[[Any], Any]:
    """Adds --preset and the named options to a command, in this order; `default` is what help says of --preset."""

    def add(function: Any) -> Any:
        for name in reversed(names):
            function = _OPTIONS[name](function)
        return click.option("--preset", help=f"{_PRESET} [default: {default}]")(function)

    return add
