"""A scene on its way to a picture: nothing left out, everybody in their place, alike to its neighbours in a batch."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jaxtyping import Float
from torch import Tensor

from multiid.errors import SceneError
from multiid.pipeline.presets import Defaults
from multiid.pipeline.scene import Scene
from multiid.pipeline.staging import Stage
from multiid.prompts import Layout

__all__ = ["Settings", "Shot", "require_alike", "settle"]

_LATEST_MERGE = 30  # the last step that PhotoMaker's style strength may leave to the text alone

# What a pipeline is told once for a whole call.
_SHARED_SETTINGS = ("negative_prompt", "layout", "merge_step", "steps", "guidance", "scheduler")
_SHARED_FIELDS = ("images", "loras", "control_scale", "control_end", "control_identity", "mask_rule", "style_image")


@dataclass(frozen=True)
class Settings:
    """The settings of one call, none of them left out; named as in `Scene`."""

    negative_prompt: str | None
    layout: Layout
    merge_step: int
    steps: int
    guidance: float
    scheduler: str | None
    seed: int


@dataclass(frozen=True)
class Shot:
    """One scene of a call.

    Attributes:
        scene: what to make.
        settings: of it, none left out.
        stage: where everybody stands.
    """

    scene: Scene
    settings: Settings
    stage: Stage

    @property
    def seeds(self) -> list[int]:
        """The seed of each of its pictures."""
        return [self.settings.seed + index for index in range(self.scene.images)]

    @cached_property
    def painted_anew(self) -> Float[Tensor, "height width"] | None:
        """Where an existing picture may change; None where there is none, or where all of it may."""
        if self.scene.init is None:
            return None
        names = [person.identity.name for person in self.scene.cast]
        return self.scene.init.painted_anew(self.stage.regions, names)

    @property
    def steps_run(self) -> int:
        """Denoising steps that are really run: all, or the share that an existing picture's noise is worth."""
        return _steps_run(self.scene, self.settings.steps)


def settle(scene: Scene, defaults: Defaults) -> Settings:
    """A scene's settings, with what it leaves out from the defaults and the seed drawn.

    Raises:
        SceneError: when so little noise is added to an existing picture that no step would be run.
    """
    steps = scene.steps or defaults.steps
    run = _steps_run(scene, steps)
    if run == 0:
        raise SceneError(
            f"init.strength: expected at least {1 / steps:.3f}, the share of one of {steps} steps, but got "
            f"{scene.init.strength if scene.init else 0:g}."
        )
    share = scene.style_strength
    if share is None and scene.init is None:  # where a picture is there already, composition is settled
        share = defaults.style_strength
    delayed = -1 if share is None else min(_LATEST_MERGE, int(share / 100 * run))
    return Settings(
        negative_prompt=defaults.negative_prompt if scene.negative_prompt is None else scene.negative_prompt,
        layout=scene.layout or defaults.layout,
        merge_step=delayed if scene.merge_step is None else scene.merge_step,
        steps=steps,
        guidance=defaults.guidance if scene.guidance is None else scene.guidance,
        scheduler=scene.scheduler or defaults.scheduler,
        seed=secrets.randbelow(2**32) if scene.seed is None else scene.seed,
    )


def require_alike(shots: Sequence[Shot]) -> None:
    """Raises a SceneError when two shots differ in what a pipeline is told once for a whole batch."""
    first = _shared(shots[0])
    for shot in shots[1:]:
        for name, value in _shared(shot).items():
            if value != first[name]:
                raise SceneError(
                    f"{name}: expected the same in all scenes of a batch, but got {first[name]} and {value}: make them "
                    "in calls of their own."
                )


def _shared(shot: Shot) -> dict[str, Any]:
    scene, init = shot.scene, shot.scene.init
    return {
        "size": str(shot.stage.size),
        "pose": "none" if shot.stage.control is None else "one",
        **{name: getattr(shot.settings, name) for name in _SHARED_SETTINGS},
        **{name: getattr(scene, name) for name in _SHARED_FIELDS},
        "controls": [(control.scale, control.end) for control in scene.controls],
        "init": None if init is None else f"a picture of strength {init.strength:g}",
        "init.mask": init is not None and (init.mask is not None or bool(init.people)),
    }


def _steps_run(scene: Scene, steps: int) -> int:
    return steps if scene.init is None else min(int(steps * scene.init.strength), steps)
