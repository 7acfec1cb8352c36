"""How long a picture takes on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch

from multiid.mini.figures.lab import MANY_STEPS, trial_scene
from multiid.mini.figures.run import Plan, make_composer, make_faces
from multiid.mini.figures.trials import make_trial

__all__ = ["Speed", "measure_speed"]

_PEOPLE = 4
_REPEATS = 3


@dataclass(frozen=True)
class Speed:
    """Seconds for a picture of four people.

    Attributes:
        threads: of the processor.
        seconds: by the number of steps; without encoding the people's portraits.
    """

    threads: int
    seconds: Mapping[int, float]


def measure_speed(plan: Plan) -> Speed:
    """Times pictures in the plan's steps and in `MANY_STEPS`. Nothing else should run meanwhile.

    The people stand as in a template, whose pictures are larger than those of most random groups.

    Raises:
        ModelFileError: when weights are absent or damaged.
    """
    composer = make_composer(plan, make_faces(plan))
    trial = make_trial("random", _PEOPLE, 0)
    seconds: dict[int, float] = {}
    for steps in dict.fromkeys((plan.steps, MANY_STEPS)):
        scene = trial_scene(composer, trial, steps=steps)
        composer.compose(scene)
        times: list[float] = []
        for _ in range(_REPEATS):
            started = perf_counter()
            composer.compose(scene)
            times.append(perf_counter() - started)
        seconds[steps] = median(times)
    return Speed(torch.get_num_threads(), seconds)
