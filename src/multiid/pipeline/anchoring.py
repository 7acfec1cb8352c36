"""Who is recorded in a call, and who keeps to an anchor."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.utils.torch_utils import is_compiled_module
from jaxtyping import Float
from torch import Tensor, nn

from multiid.attention.anchors import Anchoring, Recorder, ShownPerson, anchoring
from multiid.attention.install import self_attention_layers
from multiid.errors import SceneError
from multiid.pipeline.anchor import Anchor
from multiid.pipeline.recipe import Recipe
from multiid.pipeline.scene import Person, Scene
from multiid.pipeline.schedulers import evaluations_per_step
from multiid.pipeline.shot import Settings, Shot
from multiid.pipeline.staging import Stage
from multiid.pipeline.stock import is_guided
from multiid.poses.silhouette import FACE_MARGIN, outline

__all__ = ["Recording", "anchor_bytes", "heeding_anchors", "require_recordable"]

_MOST_TOKENS = 64  # of a person, in each layer
_NECK = 0.35  # of the height of the face box with its margin, below it


@dataclass(frozen=True, eq=False)
class Recording:
    """Whom a call records.

    Attributes:
        people: everybody's recorder.
        settings: of the call.
    """

    people: Mapping[str, tuple[Person, Recorder]]
    settings: Settings

    def anchors(self, recipe: Recipe) -> dict[str, Anchor]:
        """The anchors, by the person's name, once the picture of that recipe is made."""
        return {
            name: Anchor(
                name=name,
                fingerprint=person.identity.fingerprint,
                digest=recipe.anchor_digest(name),
                preset=recipe.preset,
                steps=self.settings.steps,
                scheduler=self.settings.scheduler,
                tokens=recorder.tokens(),
            )
            for name, (person, recorder) in self.people.items()
        }


@contextmanager
def heeding_anchors(
    pipeline: Any, shots: Sequence[Shot], *, preset: str | None, record: Sequence[str] = ()
) -> Generator[Recording]:
    """Has a call's pictures heed their people's anchors, and records people of its only picture.

    Args:
        pipeline: that is about to make them.
        shots: alike.
        preset: under which recipes record the pipeline's models.
        record: names of those to record.

    Raises:
        SceneError: when somebody's body is too small to be recorded, an anchor was made by other models, steps or
            another sampler, or the denoiser is compiled.
    """
    first, unet = shots[0], pipeline.unet
    settings = first.settings
    heard = [[(index, person) for index, person in enumerate(shot.scene.cast) if _is_heard(person)] for shot in shots]
    for person in (person for people in heard for _, person in people):
        _require_fitting(person, settings, preset)
    if not record and not any(heard):
        yield Recording({}, settings)
        return
    if is_compiled_module(unet) or getattr(unet, "_compiled_call_impl", None) is not None:
        raise SceneError(
            "anchor: expected a denoiser that is not compiled, since what people keep to changes from step to step, "
            "but got a compiled one: leave anchors out, or do not compile it."
        )
    factor, images = pipeline.vae_scale_factor, first.scene.images
    latent = (first.stage.size.height // factor, first.stage.size.width // factor)
    layers = {name: level for name, (_, level) in self_attention_layers(unet).items()}
    count = len(shots) * images
    # The stock pipelines put the unconditional half first.
    before = count if is_guided(unet, settings.guidance) else 0
    levels = 1 + max(layers.values())
    people = {name: _recorded(first, name, row=before, latent=latent, levels=levels) for name in record}
    shown = [
        ShownPerson.of(
            _body(shot.stage, index),
            person.anchor.tokens,
            person.consistency,
            rows=slice(before + number * images, before + (number + 1) * images),
            latent=latent,
            layers=layers,
        )
        for number, (shot, cast) in enumerate(zip(shots, heard, strict=True))
        for index, person in cast
        if person.anchor is not None
    ]
    # A picture that starts from another one begins in the midst of the sampler's evaluations.
    skipped = settings.steps - first.steps_run
    evaluation = skipped * evaluations_per_step(pipeline.scheduler, settings.steps, late=False)
    state = Anchoring(before + count, [recorder for _, recorder in people.values()], shown, evaluation)
    with anchoring(unet, state):
        yield Recording(people, settings)


def anchor_bytes(unet: nn.Module, *, steps: int) -> int:
    """The most memory that the anchor of one person takes, in bytes: of a person of 64 or more cells on each grid.

    SDXL's denoiser takes 319 MB in 30 steps and 16 bits.

    Args:
        unet: the denoiser.
        steps: denoising steps, of one evaluation each.
    """
    widths = sum(int(layer.query_dim) for layer, _ in self_attention_layers(unet).values())
    return steps * _MOST_TOKENS * widths * next(unet.parameters()).element_size()


def require_recordable(scene: Scene, record: Sequence[str]) -> None:
    """Raises a SceneError where people of these names cannot be recorded in a scene's picture."""
    names = [person.identity.name for person in scene.cast]
    unknown = [name for name in record if name not in names]
    if unknown:
        raise SceneError(
            f"record: expected people of the scene, {', '.join(names) or 'nobody'}, but got '{unknown[0]}'."
        )
    if record and scene.images != 1:
        raise SceneError(f"images: expected 1 where people are recorded, but got {scene.images}: make one by its seed.")
    if record and scene.init is not None:
        raise SceneError("record: expected a scene that starts from noise, but got one that starts from a picture.")


def _recorded(shot: Shot, name: str, *, row: int, latent: tuple[int, int], levels: int) -> tuple[Person, Recorder]:
    cast = shot.scene.cast
    index = [person.identity.name for person in cast].index(name)
    recorder = Recorder.of(_body(shot.stage, index), row=row, latent=latent, levels=levels, most=_MOST_TOKENS)
    if not any(len(cells) for cells in recorder.cells.values()):
        raise SceneError(f"record: expected a body of some size, but {name}'s fills half of no cell of attention.")
    return cast[index], recorder


def _body(stage: Stage, person: int) -> Float[Tensor, "height width"]:
    """A person's region but for head and neck: the face is the identity's, and skin would come off on clothes."""
    region, place = stage.regions[person], stage.places[person]
    if stage.pose is None or place is None:
        return region
    skeleton = stage.pose.places[place].skeleton
    body = torch.where(torch.from_numpy(outline(skeleton, stage.size).head), 0.0, region)
    box = skeleton.face_box(stage.size)
    if box is not None:
        left, top, right, bottom = (max(0, round(corner)) for corner in box.expanded(FACE_MARGIN).corners)
        body[top : bottom + round(_NECK * (bottom - top)), left:right] = 0
    return body


def _is_heard(person: Person) -> bool:
    return person.anchor is not None and person.consistency > 0


def _require_fitting(person: Person, settings: Settings, preset: str | None) -> None:
    anchor = person.anchor
    if anchor is None:
        return
    for what, there, here in (
        ("models", anchor.preset, preset),
        ("steps", anchor.steps, settings.steps),
        ("scheduler", anchor.scheduler, settings.scheduler),
    ):
        if there != here:
            raise SceneError(
                f"{anchor.name}'s anchor: expected one of the same {what} as this picture, {here}, but got {there}: "
                "record it again with these."
            )
