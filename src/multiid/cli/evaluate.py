"""`multiid evaluate`: make a suite's pictures, measure them, and write the report."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from multiid.cli.models import model_options

__all__ = ["command"]


@click.command()
@click.argument("suite")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="Folder to write the report and the pictures into.",
)  # fmt: skip
@click.option(
    "--size", type=click.Choice(["small", "full"]), default="full", show_default=True,
    help="How many groups: small for a first look, full for figures to rely on.",
)  # fmt: skip
@click.option("--photos", type=click.Path(path_type=Path), help="Folder with people's photos: NOUN/NAME/*.jpg.")
@click.option("--only", multiple=True, metavar="NAME", help="This case or setting alone; may be given several times.")
@click.option(
    "--jobs", type=click.IntRange(1, 64),
    help="Processes.  [default: one for each core for mini and tiny, else 1]",
)  # fmt: skip
@model_options(
    "base", "vae", "controlnet", "adapter", "device", "dtype", "offload", "vae_tiling", default="the suite's"
)
def command(
    suite: str,
    output: Path,
    size: Any,
    photos: Path | None,
    only: tuple[str, ...],
    jobs: int | None,
    preset: str | None,
    **models: Any,
) -> None:
    """Make the pictures of a SUITE, measure them, and write one report.

    \b
    multiid evaluate groups --size small -o report/
    multiid evaluate fastcomposer --preset sdxl --photos photos/ -o report-fastcomposer/

    SUITE is groups, ablation, fastcomposer, multiid-bench, multihuman, or a .yaml file. The report is one page,
    report.html, with the figures in metrics.json and metrics.csv beside it. OUTPUT/pictures keeps the pictures with
    their recipes: a run that was stopped goes on with the same command.
    """
    # Threads that wait by spinning take the time of those that work; torch reads this when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    import torch

    from multiid.pipeline.kept import make_folder
    from multiid.suites.gather import gather_people
    from multiid.suites.plan import Plan
    from multiid.suites.report import write_report
    from multiid.suites.run import run_suite
    from multiid.suites.suite import load_suite
    from multiid.suites.summary import summarise
    from multiid.suites.tables import main_table

    loaded = load_suite(suite)
    people, chosen = gather_people(loaded, preset=preset, photos=photos)
    dtype = models.pop("dtype")
    plan = Plan(
        suite=loaded,
        name=Path(suite).name,
        size=size,
        people=people,
        preset_name=chosen,
        options={**models, "dtype": getattr(torch, dtype) if dtype else None},
        only=only,
    )
    make_folder(output)
    pictures = output / "pictures"
    with click.progressbar(length=1, label="pictures", file=sys.stderr) as bar:
        there = -1

        def progress(done: int, total: int) -> None:
            nonlocal there
            if there < 0:  # what is there already says nothing of how long the others take
                there, bar.length = done, total - done
                bar.label = f"pictures, beside {done} that are there" if done else "pictures"
            bar.update(done - there - bar.pos)

        results = run_suite(plan, pictures, jobs=jobs, progress=progress)
    told = _told(suite, size, preset, photos, only, models)
    outcome = summarise(plan, results, pictures, command=f"{told} -o {output.name}/")
    files = write_report(outcome, output)
    click.echo(main_table(outcome))
    for note in outcome.notes:
        click.echo(f"note: {note}", err=True)
    for file in files:
        click.echo(file)


def _told(
    suite: str, size: str, preset: str | None, photos: Path | None, only: tuple[str, ...], models: dict[str, Any]
) -> str:
    """The command that makes the same figures; of files on this machine only the names."""
    words = ["multiid", "evaluate", Path(suite).name, "--size", size]
    words += [] if preset is None else ["--preset", Path(preset).name]
    words += [] if photos is None else ["--photos", f"{photos.name}/"]
    words += [word for name in only for word in ("--only", name)]
    for part in ("base", "vae", "controlnet", "adapter"):
        words += [f"--{part}", Path(models[part]).name] if models[part] else []
    return shlex.join(words)
