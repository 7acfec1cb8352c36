"""A suite from its name to its figures: its people gathered, its pictures made and read, its outcome summed up."""

import os
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from multiid.pipeline.kept import make_folder
from multiid.suites.gather import gather_people
from multiid.suites.outcome import SuiteOutcome
from multiid.suites.plan import Plan
from multiid.suites.run import SuiteProgress, run_suite
from multiid.suites.suite import load_suite
from multiid.suites.summary import summarise

__all__ = ["evaluate_suite"]

_PARTS = ("base", "vae", "controlnet", "adapter")


def evaluate_suite(
    suite: str,
    folder: str | os.PathLike[str],
    *,
    size: Literal["small", "full"] = "full",
    preset: str | None = None,
    photos: str | os.PathLike[str] | None = None,
    only: Collection[str] = (),
    jobs: int | None = None,
    progress: SuiteProgress | None = None,
    **models: Any,
) -> SuiteOutcome:
    """Makes a suite's pictures, as far as they are not there, and measures them.

    A run that was stopped goes on with the same call and comes to the same figures.

    Args:
        suite: "groups", "ablation", "fastcomposer", "multiid-bench", "multihuman", or a .yaml file.
        folder: of the report; its pictures/ keeps the pictures with their recipes.
        size: how many groups: small for a first look, full for figures to rely on.
        preset: name or file of the models; the suite's own by default.
        photos: folder with people's photos, NOUN/NAME/*.jpg, for suites that need some.
        only: names of cases and settings to confine it to.
        jobs: processes; one for each core by default where the models are small, else one.
        progress: called once with what was there already, then after each picture.
        models: further arguments of `Composer.from_preset`.

    Returns:
        What `write_report` writes.

    Raises:
        SuiteError: when the suite cannot be read, or its people, photos and preset do not fit each other.
        OutputError: when the folder cannot be written.
        MultiIDError: what loading models, and making people and pictures, raises.
    """
    loaded = load_suite(suite)
    people, chosen = gather_people(loaded, preset=preset, photos=None if photos is None else Path(photos))
    plan = Plan(
        suite=loaded,
        name=Path(suite).name,
        size=size,
        people=people,
        preset_name=chosen,
        options=models,
        only=tuple(only),
    )
    place = Path(folder)
    make_folder(place)
    results = run_suite(plan, place / "pictures", jobs=jobs, progress=progress)
    command = [*_command(suite, size, preset, photos, only, models), "-o", f"{place.resolve().name}/"]
    return summarise(plan, results, place / "pictures", command=shlex.join(command))


def _command(
    suite: str,
    size: str,
    preset: str | None,
    photos: str | os.PathLike[str] | None,
    only: Collection[str],
    models: Mapping[str, Any],
) -> list[str]:
    """The command that makes the same figures; of files on this machine only the names."""
    words = ["multiid", "evaluate", Path(suite).name, "--size", size]
    words += [] if preset is None else ["--preset", Path(preset).name]
    words += [] if photos is None else ["--photos", f"{Path(photos).name}/"]
    words += [word for name in only for word in ("--only", name)]
    for part in _PARTS:
        words += [f"--{part}", Path(models[part]).name] if models.get(part) else []
    return words
