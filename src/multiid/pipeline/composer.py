"""The composer: several people, each in their own place, in one picture, on stock diffusers pipelines."""

import os
import secrets
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from diffusers import StableDiffusionXLControlNetPipeline, StableDiffusionXLPipeline
from jaxtyping import Float
from torch import Tensor, nn

from multiid.conditioning import Conditioning, Layout, Member, TextEncoders, condition
from multiid.errors import PresetError, SceneError
from multiid.geometry import Size
from multiid.people.adapter import Adapter
from multiid.people.encoders import IDEncoder
from multiid.people.enrolment import encode_identity
from multiid.people.faces import FaceAnalyzer
from multiid.people.identity import Identity
from multiid.people.photo import Photo, PhotoSource, load_photos
from multiid.pipeline.loading import Offload, load_models
from multiid.pipeline.locks import exclusive
from multiid.pipeline.loras import style_loras
from multiid.pipeline.merging import Merger, Progress, merging
from multiid.pipeline.presets import Defaults
from multiid.pipeline.recipe import Recipe
from multiid.pipeline.result import Picture
from multiid.pipeline.scene import Scene
from multiid.pipeline.schedulers import evaluations_per_step, make_scheduler
from multiid.pipeline.staging import Stage, set_stage

__all__ = ["Composer"]

_LATEST_MERGE = 30  # the last step that PhotoMaker's style strength may leave to the text alone


@dataclass(frozen=True)
class _Settings:
    """The settings of one call, none of them left out; named as in `Scene`."""

    negative_prompt: str | None
    layout: Layout
    merge_step: int
    steps: int
    guidance: float
    scheduler: str | None
    seed: int


class Composer:
    """Makes pictures of several people with a stock SDXL pipeline and an identity adapter.

    One composer may be used from several threads; calls that share a network wait for each other.

    Args:
        pipeline: a stock `StableDiffusionXLPipeline` or `StableDiffusionXLControlNetPipeline`. The adapter's LoRA is
            loaded into it once; everything else is put in for the length of a call.
        adapter: ID encoder and LoRA, loaded or as the path of a checkpoint.
        faces: finds the face in photos, and gives what ID encoder V2 and later verification need; None to do without.
        defaults: settings of scenes that leave them out.
        preset: the name under which recipes record these models.
        notice: what whoever looks at the pictures must know.

    Raises:
        PresetError: when the pipeline is of another kind.
        CheckpointError: when the adapter cannot be read, or does not fit the pipeline.
    """

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline | StableDiffusionXLControlNetPipeline,
        adapter: Adapter | str | os.PathLike[str],
        faces: FaceAnalyzer | None = None,
        *,
        defaults: Defaults | None = None,
        preset: str | None = None,
        notice: str | None = None,
    ) -> None:
        if type(pipeline) not in (StableDiffusionXLPipeline, StableDiffusionXLControlNetPipeline):
            raise PresetError(
                "Expected a StableDiffusionXLPipeline or StableDiffusionXLControlNetPipeline, "
                f"but got {type(pipeline).__name__}."
            )
        self.pipeline = pipeline
        self.adapter = adapter if isinstance(adapter, Adapter) else Adapter.load(adapter)
        self.faces = faces
        self.defaults = defaults or Defaults()
        self.preset = preset
        self.notice = notice
        self._plain = _without_control(pipeline)
        with self._exclusive():
            self.adapter.install(pipeline)

    @classmethod
    def from_preset(
        cls,
        name: str,
        *,
        device: str | None = None,
        dtype: torch.dtype | None = None,
        offload: Offload = "none",
        vae_tiling: bool = False,
        base: str | None = None,
        vae: str | None = None,
        controlnet: str | None = None,
        adapter: str | None = None,
        faces: FaceAnalyzer | None = None,
    ) -> "Composer":
        """A composer from a named set of models, downloaded at first use.

        Args:
            name: "sdxl", "sdxl-v2", "mini" or "tiny".
            device: where to compute; the best there is by default.
            dtype: of the networks; 16 bits on an accelerator and 32 on a CPU by default.
            offload: "model" keeps each model in main memory until its turn, "sequential" each layer.
            vae_tiling: decode in tiles, for large pictures in little memory.
            base: another SDXL model: hub repository, local folder or single .safetensors file.
            vae: another VAE, likewise.
            controlnet: another OpenPose ControlNet, likewise.
            adapter: another adapter checkpoint: local file, or "owner/name/file" on the hub.
            faces: another face analyzer.

        Raises:
            PresetError: when the preset is unknown or its models are built in, or there is no such device.
            ModelFileError: when weights are absent and cannot be downloaded, or are damaged.
            CheckpointError: when the adapter cannot be read.
        """
        sources = {"base": base, "vae": vae, "controlnet": controlnet, "adapter": adapter}
        models = load_models(
            name,
            device=device,
            dtype=dtype,
            offload=offload,
            vae_tiling=vae_tiling,
            sources=sources,
            faces=faces,
        )
        preset = models.preset
        return cls(
            models.pipeline,
            models.adapter,
            models.faces,
            defaults=preset.defaults,
            # Other models than the preset's make other pixels, so a recipe must not name it.
            preset=preset.name if not any(sources.values()) else None,
            notice=preset.notice,
        )

    def identity(
        self,
        name: str,
        noun: str,
        photos: PhotoSource | Photo | Sequence[PhotoSource | Photo],
        face_embeddings: Float[Tensor, "images dims"] | None = None,
        *,
        several_faces: Literal["largest", "refuse"] = "largest",
    ) -> Identity:
        """A person from one to a few photos.

        Args:
            name: stands for the person in prompts, as "{name}".
            noun: the class noun that the text encoder reads: "woman", "old man".
            photos: files, folders, bytes or pictures, or what `load_photos` made of them.
            face_embeddings: for ID encoder V2, in place of those that the face analyzer finds; one row per photo.
            several_faces: whether a photo with several faces gives its largest or is refused.

        Raises:
            PhotoError: when a photo cannot be used.
            FaceError: when a photo shows no face, or several where that is refused.
            IdentityError: when name, noun or embeddings are not as they must be.
        """
        loaded = load_photos(photos)
        with self._exclusive(), self._encoder_ready():
            return encode_identity(
                name,
                noun,
                loaded,
                self.adapter,
                faces=self.faces,
                face_embeddings=face_embeddings,
                several_faces=several_faces,
            )

    def compose(
        self,
        scene: Scene,
        latents: Float[Tensor, "images channels rows columns"] | None = None,
        output_type: Literal["pil", "latent"] = "pil",
        *,
        progress: Progress | None = None,
    ) -> Picture:
        """Makes a scene's picture, or pictures.

        Args:
            scene: what to make.
            latents: initial latents (unit normal) in place of those drawn from the seed.
            output_type: "pil" for pictures, "latent" for the final latents.
            progress: called after each denoising step; raise `Cancelled` in it to stop.

        Raises:
            SceneError: when the scene's parts, or the latents, do not fit each other or this pipeline.
            PromptError: when the prompt cannot be bound to its people.
            EncoderMismatchError: when an identity was made by another ID encoder.
        """
        settings = self._settle(scene)
        for person in scene.cast:
            person.identity.require(self.adapter.fingerprint)
        stage = self.stage(scene)
        self._check_latents(latents, scene, stage.size)
        controlled = stage.control is not None and hasattr(self.pipeline, "controlnet")
        pipeline: Any = self.pipeline if controlled else self._plain
        with self._exclusive(), torch.no_grad(), ExitStack() as stack:
            # Whatever happens, an offloaded pipeline's last model leaves the accelerator again.
            stack.callback(self.pipeline.maybe_free_model_hooks)
            self.adapter.install(self.pipeline)  # another composer may have put its own there meanwhile
            stack.enter_context(style_loras(self.pipeline, scene.loras))
            stack.enter_context(_sampling(pipeline, settings.scheduler))
            conditioning = self._condition(scene, settings.layout)
            merger = stack.enter_context(self._merging(pipeline, scene, settings, stage, conditioning, progress))
            output = pipeline(
                **merger.embeddings(),
                **(_control_arguments(scene, stage) if controlled else {}),
                negative_prompt=settings.negative_prompt,
                width=stage.size.width,
                height=stage.size.height,
                num_inference_steps=settings.steps,
                guidance_scale=settings.guidance,
                num_images_per_prompt=scene.images,
                generator=[torch.Generator("cpu").manual_seed(settings.seed + i) for i in range(scene.images)],
                latents=latents,
                output_type=output_type,
                callback_on_step_end=merger,
                callback_on_step_end_tensor_inputs=["prompt_embeds", "add_text_embeds"],
            ).images
        notes = [*conditioning.notes]
        if stage.control is not None and not controlled:
            notes.append("This pipeline has no ControlNet: the pose shapes regions, but does not bind the picture.")
        if self.notice:
            notes.append(self.notice)
        recipe = Recipe.of(
            replace(scene, style_strength=None, **(vars(settings) | {"layout": conditioning.layout})),
            size=stage.size,
            pose=stage.pose,
            preset=self.preset,
            own_latents=latents is not None,
        )
        return Picture(
            images=tuple(output) if output_type == "pil" else (),
            latents=output if output_type == "latent" else None,
            recipes=tuple(recipe.at(index) for index in range(scene.images)),
            stage=stage,
            names=tuple(person.identity.name for person in scene.cast),
            read=conditioning.read,
            notes=tuple(notes),
        )

    def stage(self, scene: Scene) -> Stage:
        """Where everybody of a scene stands: skeletons, control image and regions, without making a picture.

        Raises:
            SceneError, TemplateError, RegionError: when people, places and regions do not fit.
        """
        return set_stage(
            scene,
            default_size=self.defaults.size,
            multiple=self.pipeline.vae_scale_factor,
            limb_width=self.defaults.limb_width,
            area=self.defaults.area,
        )

    def _settle(self, scene: Scene) -> _Settings:
        defaults = self.defaults
        steps = scene.steps or defaults.steps
        share = defaults.style_strength if scene.style_strength is None else scene.style_strength
        delayed = -1 if share is None else min(_LATEST_MERGE, int(share / 100 * steps))
        return _Settings(
            negative_prompt=defaults.negative_prompt if scene.negative_prompt is None else scene.negative_prompt,
            layout=scene.layout or defaults.layout,
            merge_step=delayed if scene.merge_step is None else scene.merge_step,
            steps=steps,
            guidance=defaults.guidance if scene.guidance is None else scene.guidance,
            scheduler=scene.scheduler or defaults.scheduler,
            seed=secrets.randbelow(2**32) if scene.seed is None else scene.seed,
        )

    def _check_latents(self, latents: Tensor | None, scene: Scene, size: Size) -> None:
        factor = self.pipeline.vae_scale_factor
        expected = (
            scene.images,
            self.pipeline.unet.config.in_channels,
            size.height // factor,
            size.width // factor,
        )
        if latents is not None and tuple(latents.shape) != expected:
            raise SceneError(
                f"latents: expected (images, channels, rows, columns) = {expected}, but got {tuple(latents.shape)}."
            )

    def _condition(self, scene: Scene, layout: Layout) -> Conditioning:
        with self._encoder_ready() as encoder:
            return condition(
                scene.prompt,
                [Member(person.identity, person.phrase, person.strength) for person in scene.cast],
                encoders=TextEncoders.of(self.pipeline),
                id_encoder=encoder,
                layout=layout,
            )

    def _merging(
        self,
        pipeline: Any,
        scene: Scene,
        settings: _Settings,
        stage: Stage,
        conditioning: Conditioning,
        progress: Progress | None,
    ) -> AbstractContextManager[Merger]:
        """Masked attention in this call's networks, and the switch from text alone to identities."""
        unet = pipeline.unet
        controlnet = getattr(pipeline, "controlnet", None)
        # The pipeline's own rule: a network with embedded guidance has no unconditional half either.
        guided = settings.guidance > 1 and unet.config.time_cond_proj_dim is None
        factor = pipeline.vae_scale_factor
        late = settings.merge_step >= 0 and conditioning.shows_identities
        return merging(
            unet,
            [] if controlnet is None else list(getattr(controlnet, "nets", [controlnet])),
            conditioning,
            stage.regions,
            latent=(stage.size.height // factor, stage.size.width // factor),
            rows=[None] * (scene.images if guided else 0) + [0] * scene.images,
            dtype=unet.dtype,
            merge_step=settings.merge_step,
            evaluations=evaluations_per_step(pipeline.scheduler, settings.steps, late=late),
            steps=settings.steps,
            control_identity=scene.control_identity,
            progress=progress,
        )

    @contextmanager
    def _encoder_ready(self) -> Generator[IDEncoder]:
        """The ID encoder where, and in the dtype in which, the pipeline computes."""
        pipeline = self.pipeline
        # Where an offloaded pipeline computes; the public `device` says where it rests.
        device = pipeline._execution_device  # pyright: ignore[reportPrivateUsage]
        offloaded = device != pipeline.device
        with self.adapter.ready(device=device, dtype=pipeline.unet.dtype, release=offloaded) as encoder:
            yield encoder

    def _exclusive(self) -> AbstractContextManager[None]:
        shared = [*self.pipeline.components.values(), self.adapter.encoder]
        # A compiled network is but a wrapper of the one it shares with others.
        modules = [getattr(item, "_orig_mod", item) for item in shared if isinstance(item, nn.Module)]
        return exclusive(self.pipeline.scheduler, *modules)


def _without_control(pipeline: Any) -> StableDiffusionXLPipeline:
    """The sister pipeline without ControlNet: the same models, neither copied nor cast."""
    if not hasattr(pipeline, "controlnet"):
        return pipeline
    models = {name: model for name, model in pipeline.components.items() if name != "controlnet"}
    return StableDiffusionXLPipeline(
        **models,
        force_zeros_for_empty_prompt=pipeline.config.force_zeros_for_empty_prompt,
        add_watermarker=pipeline.watermark is not None,
    )


@contextmanager
def _sampling(pipeline: Any, name: str | None) -> Generator[None]:
    """The pipeline with the sampler of that name, or its own, for the length of a call."""
    own = pipeline.scheduler
    try:
        if name is not None:
            pipeline.scheduler = make_scheduler(name, own.config)
        yield
    finally:
        pipeline.scheduler = own


def _control_arguments(scene: Scene, stage: Stage) -> dict[str, Any]:
    return {
        "image": stage.control,
        "controlnet_conditioning_scale": scene.control_scale,
        "control_guidance_end": scene.control_end,
    }
