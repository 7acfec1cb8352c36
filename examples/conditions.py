"""Other conditions beside the people: a depth map, a picture whose style is followed, a T2I-Adapter for the pose.

    python examples/conditions.py scene.yaml --depth depth.png -o out/depth.png
    python examples/conditions.py scene.yaml --style painting.png -o out/style.png
    python examples/conditions.py scene.yaml --t2i-adapter -o out/adapter.png

Needs the weights of the preset, and those named below, from the Hugging Face hub. We have not run these weights.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from diffusers import (
    ControlNetModel,
    StableDiffusionXLAdapterPipeline,
    StableDiffusionXLControlNetPipeline,
    T2IAdapter,
)

from multiid import Composer, Control, load_photo, load_scene_file

DEPTH = "diffusers/controlnet-depth-sdxl-1.0"
STYLE = ("h94/IP-Adapter", "sdxl_models", "ip-adapter_sdxl.safetensors")
T2I_ADAPTER = "TencentARC/t2i-adapter-openpose-sdxl-1.0"


def with_second_controlnet(composer: Composer, controlnet: ControlNetModel) -> Composer:
    """The same models with one more ControlNet, which a scene's `controls` are for."""
    parts = composer.pipeline.components
    pipeline = StableDiffusionXLControlNetPipeline(**{**parts, "controlnet": [parts["controlnet"], controlnet]})
    return Composer(pipeline, composer.adapter, composer.faces, defaults=composer.defaults)


def with_t2i_adapter(composer: Composer, adapter: T2IAdapter) -> Composer:
    """The same models with a T2I-Adapter in place of the ControlNet; it obeys the same control image.

    Its pipeline cannot change what it reads between steps, so identities are there from the first one.
    """
    parts = {name: part for name, part in composer.pipeline.components.items() if name != "controlnet"}
    pipeline = StableDiffusionXLAdapterPipeline(**parts, adapter=adapter)
    defaults = replace(composer.defaults, style_strength=None)
    return Composer(pipeline, composer.adapter, composer.faces, defaults=defaults)


def main() -> None:
    """Reads the arguments and makes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path)
    condition = parser.add_mutually_exclusive_group(required=True)
    condition.add_argument("--depth", type=Path, help="a depth map, near is white")
    condition.add_argument("--style", type=Path, help="a picture whose style is followed")
    condition.add_argument("--t2i-adapter", action="store_true", help="a T2I-Adapter obeys the pose")
    parser.add_argument("--preset", default="sdxl")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()

    composer = Composer.from_preset(options.preset)
    place: dict[str, Any] = {"device": composer.pipeline.device, "dtype": composer.pipeline.dtype}
    scene = load_scene_file(options.scene, defaults=composer.defaults).scene(composer.identity)
    if options.depth:
        composer = with_second_controlnet(composer, ControlNetModel.from_pretrained(DEPTH).to(**place))
        scene = replace(scene, controls=[Control(load_photo(options.depth), scale=0.5)])
    elif options.style:
        repository, folder, file = STYLE
        composer.pipeline.load_ip_adapter(repository, subfolder=folder, weight_name=file)
        composer.pipeline.set_ip_adapter_scale(0.4)
        scene = replace(scene, style_image=load_photo(options.style))
    else:
        composer = with_t2i_adapter(composer, T2IAdapter.from_pretrained(T2I_ADAPTER).to(**place))
    composer.compose(scene).save(options.output)


if __name__ == "__main__":
    main()
