"""Which of diffusers' own pipelines makes a picture, and what it is told; no pipeline is copied or changed.

The sisters of the user's pipeline share its models, neither copied nor cast, and are built anew for each call, so
that whatever the user has replaced or set since then holds for them as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from diffusers import (
    StableDiffusionXLAdapterPipeline,
    StableDiffusionXLControlNetImg2ImgPipeline,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
)
from torch import Tensor

from multiid.errors import PresetError, SceneError
from multiid.pipeline.inpainting import Keeper
from multiid.pipeline.merging import Merger
from multiid.pipeline.scene import Scene
from multiid.pipeline.shot import Shot

__all__ = [
    "Pipeline",
    "call_arguments",
    "callback_arguments",
    "is_guided",
    "obeys_poses",
    "require_latents",
    "require_stock",
    "sister",
]

Pipeline = StableDiffusionXLPipeline | StableDiffusionXLControlNetPipeline | StableDiffusionXLAdapterPipeline
"""What a composer can be built on."""

_KINDS = (StableDiffusionXLPipeline, StableDiffusionXLControlNetPipeline, StableDiffusionXLAdapterPipeline)
_POSE_PARTS = ("controlnet", "adapter")


def require_stock(pipeline: Any) -> None:
    """Raises a PresetError for a pipeline that no composer can be built on."""
    if type(pipeline) not in _KINDS:
        names = [kind.__name__ for kind in _KINDS]
        raise PresetError(f"Expected a {', '.join(names[:-1])} or {names[-1]}, but got {type(pipeline).__name__}.")


def require_latents(pipeline: Any, latents: Tensor | None, shot: Shot) -> None:
    """Raises a SceneError for initial latents that a pipeline cannot start a scene's pictures from."""
    if latents is None:
        return
    if shot.scene.init is not None:
        raise SceneError("latents: expected none for a scene that starts from a picture, but got some.")
    factor = pipeline.vae_scale_factor
    expected = (
        shot.scene.images,
        pipeline.unet.config.in_channels,
        shot.stage.size.height // factor,
        shot.stage.size.width // factor,
    )
    if tuple(latents.shape) != expected:
        raise SceneError(
            f"latents: expected (images, channels, rows, columns) = {expected}, but got {tuple(latents.shape)}."
        )


def obeys_poses(pipeline: Any) -> bool:
    """Whether a pipeline has a ControlNet or T2I-Adapter, which the control image is for."""
    return any(hasattr(pipeline, part) for part in _POSE_PARTS)


def is_guided(unet: Any, guidance: float) -> bool:
    """Whether pictures have an unconditional half: the pipelines' own rule.

    A network with embedded guidance has none.
    """
    return guidance > 1 and unet.config.time_cond_proj_dim is None


def sister(pipeline: Any, *, control: bool, init: bool) -> Any:
    """The pipeline of the same models that heeds poses or not, and starts from a picture or from noise.

    Raises:
        SceneError: when diffusers has none.
    """
    if init and control and hasattr(pipeline, "adapter"):
        raise SceneError(
            "init: expected a pipeline with a ControlNet, or none: a T2I-Adapter's starts from noise only."
        )
    kind = {
        (False, False): StableDiffusionXLPipeline,
        (True, False): type(pipeline),
        (False, True): StableDiffusionXLImg2ImgPipeline,
        (True, True): StableDiffusionXLControlNetImg2ImgPipeline,
    }[control, init]
    if kind is type(pipeline):
        return pipeline
    models = {name: model for name, model in pipeline.components.items() if control or name not in _POSE_PARTS}
    other = kind(
        **models,
        force_zeros_for_empty_prompt=pipeline.config.force_zeros_for_empty_prompt,
        **({} if isinstance(pipeline, StableDiffusionXLAdapterPipeline) else _watermarking(pipeline)),
    )
    other.set_progress_bar_config(**getattr(pipeline, "_progress_bar_config", {}))
    return other


def call_arguments(pipeline: Any, shots: Sequence[Shot], *, control: bool) -> dict[str, Any]:
    """What a pipeline is told of some shots that are alike, beside their embeddings.

    Raises:
        SceneError: when there are not as many control images as the pipeline has ControlNets, or the pipeline cannot
            be told of the shots in one call.
    """
    first = shots[0]
    arguments: dict[str, Any] = {
        "negative_prompt": first.settings.negative_prompt,
        "num_inference_steps": first.settings.steps,
        "guidance_scale": first.settings.guidance,
        "num_images_per_prompt": first.scene.images,
        "generator": [torch.Generator("cpu").manual_seed(seed) for shot in shots for seed in shot.seeds],
    }
    if first.scene.style_image is not None:
        arguments["ip_adapter_image"] = first.scene.style_image
    _require_style(pipeline, first.scene)
    if control:
        arguments |= _control_arguments(pipeline, shots)
    pictures = [shot.scene.init.image.convert("RGB") for shot in shots if shot.scene.init is not None]
    if first.scene.init is None:
        return {**arguments, "width": first.stage.size.width, "height": first.stage.size.height}
    if control:
        arguments["control_image"] = arguments["image"]
    return {**arguments, "image": pictures, "strength": first.scene.init.strength}


def callback_arguments(pipeline: Any, merger: Merger, keeper: Keeper | None) -> dict[str, Any]:
    """How a pipeline is told to call back after each step.

    Raises:
        SceneError: when identities are to be merged late, and the pipeline cannot change what it reads.
    """
    if hasattr(pipeline, "adapter"):
        if merger.waits:
            raise SceneError(
                "merge_step: expected -1 with a T2I-Adapter, whose pipeline cannot change what it reads between steps, "
                f"but got {merger.merge_step}: set it, and leave out style_strength."
            )
        return {"callback": lambda index, *_: merger.report(index + 1)}

    def after_step(running: Any, index: int, timestep: Any, tensors: Mapping[str, Any]) -> dict[str, Any]:
        kept = {} if keeper is None else keeper(running, index, timestep, tensors)
        return merger(running, index, timestep, tensors) | kept

    return {
        "callback_on_step_end": after_step,
        "callback_on_step_end_tensor_inputs": ["prompt_embeds", "add_text_embeds", "latents"],
    }


def _control_arguments(pipeline: Any, shots: Sequence[Shot]) -> dict[str, Any]:
    scene, size = shots[0].scene, shots[0].stage.size
    poses: list[Any] = [shot.stage.control for shot in shots]
    if hasattr(pipeline, "adapter"):
        _require_controls(scene, 0)
        if len(shots) > 1 and scene.images > 1:
            raise SceneError("images: expected 1 in a batch of scenes with a T2I-Adapter, but got more.")
        return {
            "image": poses,
            "adapter_conditioning_scale": scene.control_scale,
            "adapter_conditioning_factor": scene.control_end,
        }
    several = len(getattr(pipeline.controlnet, "nets", [pipeline.controlnet]))
    for shot in shots:
        _require_controls(shot.scene, several - 1)
    further = [[shot.scene.controls[number].image for shot in shots] for number in range(several - 1)]
    # The pipelines refuse nested lists of pictures, so a batch of them goes in as one tensor.
    processor = pipeline.control_image_processor
    images = [processor.preprocess(each, height=size.height, width=size.width) for each in (poses, *further)]
    scales = [scene.control_scale, *(control.scale for control in scene.controls)]
    ends = [scene.control_end, *(control.end for control in scene.controls)]
    return {
        "image": images if several > 1 else images[0],
        "controlnet_conditioning_scale": scales if several > 1 else scales[0],
        "control_guidance_end": ends if several > 1 else ends[0],
    }


def _require_style(pipeline: Any, scene: Scene) -> None:
    able = getattr(pipeline.unet, "encoder_hid_proj", None) is not None
    if able and scene.style_image is None:
        raise SceneError(
            "style_image: expected a picture for the pipeline's IP-Adapter, but got none: give one, or unload it."
        )
    if scene.style_image is not None and not able:
        raise SceneError(
            "style_image: expected a pipeline with an IP-Adapter, but it has none: load one with load_ip_adapter."
        )


def _require_controls(scene: Scene, count: int) -> None:
    if len(scene.controls) != count:
        raise SceneError(
            f"controls: expected {count}, one for each ControlNet that the pipeline has beside the pose's, but got "
            f"{len(scene.controls)}."
        )


def _watermarking(pipeline: Any) -> dict[str, Any]:
    return {"add_watermarker": pipeline.watermark is not None}
