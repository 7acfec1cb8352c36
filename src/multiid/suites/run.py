"""A suite's run: every picture that is not there yet is made and read, in several processes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from multiid.jobs import cores, run_jobs
from multiid.suites.plan import Plan
from multiid.suites.reading import Reading, recall_reading
from multiid.suites.studio import Studio
from multiid.suites.tasks import Task

__all__ = ["SuiteProgress", "run_suite"]

SuiteProgress = Callable[[int, int], None]
"""Called with the pictures done and all there are."""


def run_suite(
    plan: Plan, folder: Path, *, jobs: int | None = None, progress: SuiteProgress | None = None
) -> list[tuple[Task, Reading]]:
    """What is seen in every picture of a suite; pictures that `folder` does not hold yet are made.

    Each picture is written whole as soon as it is made, and what is seen in it beside it. A run that was stopped, in
    whatever way, goes on where it was and comes to the same; what other weights, another version of this package or
    other entries of the suite have made is made anew.

    Args:
        plan: what to make, and with what.
        folder: of the pictures; made where it is absent.
        jobs: processes; one for each core if None, as long as the models are small, else one.
        progress: called once with what was there already, then after each picture.

    Returns:
        Tasks with what came of them, in an order that does not depend on what was there.

    Raises:
        SuiteError: when there is nothing to make.
        OutputError: when the folder cannot be written.
        MultiIDError: what loading models, and making people and pictures, raises.
    """
    batches = plan.batches
    tasks = [task for batch in batches for task in batch]
    readings: dict[Path, Reading] = {}
    for task in tasks:
        reading = recall_reading(folder / task.file, stamp=plan.reading_stamp(task))
        if reading is not None:
            readings[task.file] = reading
    if progress is not None:
        progress(len(readings), len(tasks))
    missing = [[task for task in batch if task.file not in readings] for batch in batches]
    numbered = [task for batch in missing for task in batch]
    if numbered:
        jobs = jobs or (cores() if plan.is_small else 1)
        threads = 1 if plan.is_small or jobs > 1 else None
        for number, reading in run_jobs(partial(Studio, plan, folder), missing, jobs=jobs, threads=threads):
            readings[numbered[number].file] = reading
            if progress is not None:
                progress(len(readings), len(tasks))
    return [(task, readings[task.file]) for task in tasks]
