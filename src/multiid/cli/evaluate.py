"""`multiid evaluate`: make a suite's pictures, measure them, and write the report."""

import os
import sys
from contextlib import ExitStack
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

    import multiid
    from multiid.suites.tables import main_table

    dtype = models.pop("dtype")
    with ExitStack() as stack:
        bar: Any = None
        there = 0

        def progress(done: int, total: int) -> None:
            nonlocal bar, there
            if bar is None:  # what is there already says nothing of how long the others take
                there = done
                label = f"pictures, beside {done} that are there" if done else "pictures"
                bar = stack.enter_context(click.progressbar(length=total - done, label=label, file=sys.stderr))
            bar.update(done - there - bar.pos)

        outcome = multiid.evaluate_suite(
            suite,
            output,
            size=size,
            preset=preset,
            photos=photos,
            only=only,
            jobs=jobs,
            progress=progress,
            dtype=getattr(torch, dtype) if dtype else None,
            **models,
        )
    files = multiid.write_report(outcome, output)
    click.echo(main_table(outcome))
    for note in outcome.notes:
        click.echo(f"note: {note}", err=True)
    for file in files:
        click.echo(file)
