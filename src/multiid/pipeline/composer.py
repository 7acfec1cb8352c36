"""The composer: several people, each in their own place, in one picture, on stock diffusers pipelines."""

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Literal, cast

import PIL.Image
import torch
from jaxtyping import Float
from torch import Tensor, nn

from multiid.conditioning import Conditioning, Member, TextEncoders, condition
from multiid.errors import SceneError
from multiid.people.adapter import Adapter
from multiid.people.encoders import IDEncoder
from multiid.people.enrolment import encode_identity
from multiid.people.faces import FaceAnalyzer
from multiid.people.identity import Identity
from multiid.people.photo import Photo, PhotoSource, load_photos
from multiid.pipeline.anchoring import heeding_anchors, require_recordable
from multiid.pipeline.attempts import Finish, Watch, compose_verified, require_verifiable
from multiid.pipeline.inpainting import Keeper, feathered, pasted
from multiid.pipeline.loading import Offload, load_models
from multiid.pipeline.locks import exclusive
from multiid.pipeline.loras import style_loras
from multiid.pipeline.merging import Merger, Progress, merging
from multiid.pipeline.presets import Defaults
from multiid.pipeline.recipe import Recipe
from multiid.pipeline.result import Picture
from multiid.pipeline.scene import Scene
from multiid.pipeline.schedulers import evaluations_per_step, sampling
from multiid.pipeline.shot import Shot, require_alike, settle
from multiid.pipeline.staging import Stage, set_stage
from multiid.pipeline.stock import (
    Pipeline,
    call_arguments,
    callback_arguments,
    is_guided,
    obeys_poses,
    require_latents,
    require_stock,
    sister,
)

__all__ = ["Composer"]


class Composer:
    """Makes pictures of several people with a stock SDXL pipeline and an identity adapter.

    One composer may be used from several threads; calls that share a network wait for each other.

    Args:
        pipeline: a stock `StableDiffusionXLPipeline`, `StableDiffusionXLControlNetPipeline` (the pose's ControlNet
            first, where there are several) or `StableDiffusionXLAdapterPipeline`. The adapter's LoRA is loaded into it
            once; everything else is put in for the length of a call.
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
        pipeline: Pipeline,
        adapter: Adapter | str | os.PathLike[str],
        faces: FaceAnalyzer | None = None,
        *,
        defaults: Defaults | None = None,
        preset: str | None = None,
        notice: str | None = None,
    ) -> None:
        require_stock(pipeline)
        self.pipeline = pipeline
        self.adapter = adapter if isinstance(adapter, Adapter) else Adapter.load(adapter)
        self.faces = faces
        self.defaults = defaults or Defaults()
        self.preset = preset
        self.notice = notice
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
            name: of a preset (`multiid presets` lists them), or the path of a preset file.
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
            preset=preset.recorded if not any(sources.values()) else None,
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
        finish: Finish | None = None,
        verify: bool = False,
        attempts: int = 3,
        judge: FaceAnalyzer | None = None,
        watch: Watch | None = None,
        record: Sequence[str] = (),
    ) -> Picture:
        """Makes a scene's picture, or pictures.

        Args:
            scene: what to make.
            latents: initial latents (unit normal) in place of those drawn from the seed.
            output_type: "pil" for pictures, "latent" for the final latents.
            progress: called after each denoising step; raise `Cancelled` in it to stop.
            finish: is done to each picture as soon as it is made, before it is checked: refining small faces, say.
            verify: check who is in the picture and mend what fails: first by painting anew the faces of those who are
                missing or mixed, then by another seed (`seed` and once more as many as there are images). The best
                attempt is returned; `Picture.verification` says what was found, tried and kept.
            attempts: how often each image is made, at most, when verifying.
            judge: finds and compares faces when verifying; the composer's own face analyzer if None.
            watch: told of each attempt when verifying.
            record: names of people to record: `Picture.anchors` is for further pictures of them to keep to. With
                `verify` the picture that is kept is made once more for it.

        Raises:
            SceneError: when the scene's parts, or the latents, do not fit each other or this pipeline; or when the
                picture cannot be verified: there is no face analyzer, or latents leave nothing else to try.
            PromptError: when the prompt cannot be bound to its people.
            EncoderMismatchError: when an identity was made by another ID encoder.
        """

        def make() -> Picture:
            made = self._compose([scene], latents, output_type, progress, () if verify else record)[0]
            return made if finish is None else finish(made)

        require_recordable(scene, record)
        if not verify:
            return make()
        judge = require_verifiable(
            judge or self.faces, attempts=attempts, own_latents=latents is not None, pixels=output_type == "pil"
        )
        best = compose_verified(
            self, scene, make, judge=judge, attempts=attempts, finish=finish, watch=watch, progress=progress
        )
        again = replace(scene, seed=best.recipe.seed)
        made = self._compose([again], latents, output_type, progress, record)[0] if record else best
        return replace(best, anchors=made.anchors)

    def compose_batch(self, scenes: Sequence[Scene], *, progress: Progress | None = None) -> tuple[Picture, ...]:
        """Makes several scenes at once, each with its own words, people, pose and seed.

        A batch is faster than one call after the other where there is an accelerator. Pixels differ by about a
        thousandth from those of the same scenes made one by one, which the recipes say.

        Args:
            scenes: what to make. They must have one size, and be alike in what holds for a whole call: sampling,
                guidance, when identities are merged, LoRAs, how strongly poses bind, and what they start from.
            progress: called after each denoising step of all of them; raise `Cancelled` in it to stop.

        Returns:
            The scenes' pictures, in order.

        Raises:
            SceneError: when there is no scene, or two are not alike.
            MultiIDError: what `compose` raises.
        """
        if not scenes:
            raise SceneError("scenes: expected at least one, but got none.")
        return self._compose(list(scenes), None, "pil", progress)

    def _compose(
        self,
        scenes: Sequence[Scene],
        latents: Tensor | None,
        output_type: Literal["pil", "latent"],
        progress: Progress | None,
        record: Sequence[str] = (),
    ) -> tuple[Picture, ...]:
        for person in (person for scene in scenes for person in scene.cast):
            person.identity.require(self.adapter.fingerprint)
        shots = [Shot(scene, settle(scene, self.defaults), self.stage(scene)) for scene in scenes]
        require_alike(shots)
        first = shots[0]
        require_latents(self.pipeline, latents, first)
        controlled = first.stage.control is not None and obeys_poses(self.pipeline)
        pipeline = sister(self.pipeline, control=controlled, init=first.scene.init is not None)
        with self._exclusive(), torch.no_grad(), ExitStack() as stack:
            # Whatever happens, an offloaded pipeline's last model leaves the accelerator again.
            stack.callback(self.pipeline.maybe_free_model_hooks)
            self.adapter.install(self.pipeline)  # another composer may have put its own there meanwhile
            stack.enter_context(style_loras(self.pipeline, first.scene.loras))
            stack.enter_context(sampling(pipeline, first.settings.scheduler))
            conditionings = [self._condition(shot) for shot in shots]
            recording = stack.enter_context(heeding_anchors(pipeline, shots, preset=self.preset, record=record))
            merger = stack.enter_context(self._merging(pipeline, shots, conditionings, progress))
            output = pipeline(
                **merger.embeddings(),
                **call_arguments(pipeline, shots, control=controlled),
                **callback_arguments(pipeline, merger, Keeper.of(pipeline, shots)),
                latents=latents,
                output_type=output_type,
            ).images
        notes = [self.notice] if self.notice else []
        if first.stage.control is not None and not controlled:
            notes.insert(0, "This pipeline has no ControlNet: the pose shapes regions, but does not bind the picture.")
        made = {"own_latents": latents is not None, "beside": len(shots) - 1}
        count = first.scene.images
        lead, *others = [
            self._picture(shot, conditioning, output[index * count : (index + 1) * count], notes, made)
            for index, (shot, conditioning) in enumerate(zip(shots, conditionings, strict=True))
        ]
        return replace(lead, anchors=recording.anchors(lead.recipe)), *others

    def _picture(
        self, shot: Shot, conditioning: Conditioning, output: Any, notes: Sequence[str], made: Mapping[str, Any]
    ) -> Picture:
        """What came out for one shot: a list of pictures, or a tensor of latents."""
        scene, stage = shot.scene, shot.stage
        latents = output if isinstance(output, Tensor) else None
        pictures = cast(Sequence[PIL.Image.Image], () if latents is not None else output)
        images = tuple(self._with_kept(image, shot) for image in pictures)
        recipe = Recipe.of(
            replace(
                stage.settled(scene), style_strength=None, **(vars(shot.settings) | {"layout": conditioning.layout})
            ),
            size=stage.size,
            pose=stage.pose,
            preset=self.preset,
            **made,
        )
        return Picture(
            images=images,
            latents=latents,
            recipes=tuple(recipe.at(index) for index in range(scene.images)),
            stage=stage,
            names=tuple(person.identity.name for person in scene.cast),
            read=conditioning.read,
            notes=(*conditioning.notes, *(stage.casting.notes if stage.casting else ()), *notes),
        )

    def _with_kept(self, image: PIL.Image.Image, shot: Shot) -> PIL.Image.Image:
        """A picture with the pixels, of the one it started from, that were not to be painted anew."""
        if shot.scene.init is None or shot.painted_anew is None:
            return image
        shares = feathered(shot.painted_anew, width=self.pipeline.vae_scale_factor)
        return pasted(image, shot.scene.init.image, shares)

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

    def _condition(self, shot: Shot) -> Conditioning:
        with self._encoder_ready() as encoder:
            return condition(
                shot.scene.prompt,
                [Member(person.identity, person.phrase, person.strength) for person in shot.scene.cast],
                encoders=TextEncoders.of(self.pipeline),
                id_encoder=encoder,
                layout=shot.settings.layout,
            )

    def _merging(
        self, pipeline: Any, shots: Sequence[Shot], conditionings: Sequence[Conditioning], progress: Progress | None
    ) -> AbstractContextManager[Merger]:
        """Masked attention in this call's networks, and the switch from text alone to identities."""
        first = shots[0]
        scene, settings, size = first.scene, first.settings, first.stage.size
        unet = pipeline.unet
        controlnet = getattr(pipeline, "controlnet", None)
        guided = is_guided(unet, settings.guidance)
        shown = [index for index in range(len(shots)) for _ in range(scene.images)]
        factor = pipeline.vae_scale_factor
        late = settings.merge_step >= 0 and any(each.shows_identities for each in conditionings)
        return merging(
            unet,
            [] if controlnet is None else list(getattr(controlnet, "nets", [controlnet])),
            [(conditioning, shot.stage.regions) for shot, conditioning in zip(shots, conditionings, strict=True)],
            latent=(size.height // factor, size.width // factor),
            rows=[None] * (len(shown) if guided else 0) + shown,
            dtype=unet.dtype,
            merge_step=settings.merge_step,
            evaluations=evaluations_per_step(pipeline.scheduler, settings.steps, late=late),
            steps=first.steps_run,
            control_identity=scene.control_identity,
            rule=scene.mask_rule,
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
