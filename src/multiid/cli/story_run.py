"""`multiid story run`: make a story's pictures, and its pages."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from multiid.cli.models import model_options

__all__ = ["command"]

_LACKING = 3  # exit code
_PARTS = 100  # of a panel, as the bar counts


@click.command()
@click.argument("story", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the story. [default: STORY's name]")
@click.option("--only", multiple=True, metavar="3.2", help="This panel alone, or a page's; may be given several times.")
@click.option("--redo", multiple=True, metavar="3.2", help="Make this panel again with another seed.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 65), help="The seed for --redo, instead of one not tried yet.")
@model_options("device", "dtype", "offload", "vae_tiling", default="the story's")
@click.pass_context
def command(
    context: click.Context,
    story: Path,
    output: Path | None,
    only: tuple[str, ...],
    redo: tuple[str, ...],
    seed: int | None,
    preset: str | None,
    **models: Any,
) -> None:
    """Make the pictures of a STORY that are not made yet, and write its pages.

    \b
    multiid story run story.yaml
    multiid story run story.yaml --redo 3.2 --seed 9

    OUTPUT then holds pages/ and panels/ as PNG, and the whole as PDF and CBZ. A run that was stopped goes on with the
    same command; a changed panel alone is made again, with those that follow it; changed words only re-letter. The
    exit code is 3 where somebody is missing or mixed in a panel; it is written all the same.
    """
    if seed is not None and not redo:
        raise click.UsageError("Expected --redo with --seed.")

    import torch

    import multiid
    from multiid.pipeline.quiet import quiet_composer

    run = multiid.StoryRun(story, output, preset=preset)
    dtype = models.pop("dtype")
    numbers = run.numbers(only)
    run.redo(redo, seed=seed)
    for note in run.document.notes:
        click.echo(f"note: {note}", err=True)
    for number, reason in run.reasons().items():
        if number in numbers:
            click.echo(f"{number}: {reason}", err=True)

    def load() -> multiid.Composer:
        click.echo(f"Loading {run.preset.name} ...", err=True)
        return quiet_composer(
            run.preset.name if run.preset.file is None else str(run.preset.file),
            dtype=getattr(torch, dtype) if dtype else None,
            **models,
        )

    with ExitStack() as stack:
        bar: Any = None

        def progress(number: str, done: float, total: int) -> None:
            nonlocal bar
            if bar is None:
                bar = click.progressbar(length=total * _PARTS, label=f"panel {number}", file=sys.stderr, show_eta=True)
                stack.enter_context(bar)
            bar.label = f"panel {number}"
            bar.update(round(done * _PARTS) - bar.pos)

        kept = run.make(load, only=only, progress=progress)
    if bar is None:
        click.echo("No picture has to be made.", err=True)
    for file in run.write():
        click.echo(file)
    lacking = {number: kept[number].outcome.lacking for number in numbers if number in kept}
    for number, names in lacking.items():
        if names:
            click.echo(f"{number}: {', '.join(names)} not as they should be; try --redo {number}", err=True)
    if any(lacking.values()):
        context.exit(_LACKING)
