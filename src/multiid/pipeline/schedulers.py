"""Samplers by name, and which denoising step each network evaluation belongs to."""

import copy
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from multiid.errors import SceneError
from multiid.validation import suggest

__all__ = ["SCHEDULERS", "evaluations_per_step", "make_scheduler", "sampling"]

SCHEDULERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "euler": ("EulerDiscreteScheduler", {}),
    "euler-karras": ("EulerDiscreteScheduler", {"use_karras_sigmas": True}),
    "euler-trailing": ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}),
    "euler-ancestral": ("EulerAncestralDiscreteScheduler", {}),
    "ddim": ("DDIMScheduler", {}),
    "ddim-trailing": ("DDIMScheduler", {"timestep_spacing": "trailing"}),
    "dpm++": ("DPMSolverMultistepScheduler", {}),
    "dpm++-karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "dpm++-sde-karras": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True},
    ),
    "heun": ("HeunDiscreteScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
}
"""Name to diffusers class and what it sets beside the model's own configuration."""


def make_scheduler(name: str, config: Any) -> Any:
    """The sampler of that name for a model's scheduler configuration.

    Raises:
        SceneError: when the name is unknown; the nearest is proposed.
    """
    if name not in SCHEDULERS:
        raise SceneError(
            f"scheduler: expected the name of a sampler, but got '{name}'{suggest(name, list(SCHEDULERS))}"
        )
    import diffusers  # here, so that a scene knows the names without it

    kind, settings = SCHEDULERS[name]
    return getattr(diffusers, kind).from_config(config, **settings)


def evaluations_per_step(scheduler: Any, steps: int, *, late: bool = True) -> int:
    """How many network evaluations the sampler spends on one denoising step: 1, or 2 for Heun and its like.

    Evaluation i then belongs to step i // n.

    Args:
        scheduler: the sampler; it is left as it is.
        steps: denoising steps.
        late: whether something is to happen after a certain step.

    Raises:
        SceneError: when the sampler cannot make that many steps, or something is to happen late but evaluations
            cannot be told apart into steps, so that "after step k" has no meaning.
    """
    trial = copy.deepcopy(scheduler)
    try:
        trial.set_timesteps(steps)
    except ValueError as error:
        raise SceneError(
            f"steps: expected a number that {type(scheduler).__name__} can make, but got {steps}: take fewer steps "
            "or another scheduler."
        ) from error
    evaluations, order = len(trial.timesteps), int(getattr(trial, "order", 1))
    # A second-order sampler's last step is of first order: 2 n - 1 evaluations.
    if late and evaluations != steps * order - (order - 1):
        raise SceneError(
            f"scheduler: expected one evaluation per step, or two, but {type(scheduler).__name__} makes {evaluations} "
            f"in {steps} steps, so identities cannot be merged late: use another scheduler or merge_step -1."
        )
    return order


@contextmanager
def sampling(pipeline: Any, name: str | None) -> Generator[None]:
    """A pipeline with the sampler of that name, or its own, for the length of a call."""
    own = pipeline.scheduler
    try:
        if name is not None:
            pipeline.scheduler = make_scheduler(name, own.config)
        yield
    finally:
        pipeline.scheduler = own
