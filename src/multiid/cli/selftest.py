"""`multiid selftest`: whether a preset works as it should, in one sheet and one file of figures."""

import sys
from pathlib import Path
from typing import Any

import click

from multiid.cli.models import model_options
from multiid.errors import OutputError
from multiid.files import require_place, write_whole

__all__ = ["command"]


@click.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="Folder to write sheet.png, metrics.json and the pictures into.",
)  # fmt: skip
@click.option(
    "--person", "people", nargs=3, multiple=True, metavar="NAME NOUN PHOTOS",
    help="Somebody to sit for it, with a photo or a folder of photos; two to four of them.  [default, for mini and "
    "tiny: cartoon people]",
)  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 100), default=2, show_default=True, help="Pictures of each kind.")
@click.option("--steps", type=click.IntRange(1, 1000), help="Denoising steps, instead of the preset's.")
@model_options("base", "vae", "controlnet", "adapter", "device", "dtype", "offload", "vae_tiling")
@click.pass_context
def command(
    context: click.Context,
    output: Path,
    people: tuple[tuple[str, str, str], ...],
    seeds: int,
    steps: int | None,
    preset: str | None,
    **models: Any,
) -> None:
    """Find out whether a preset works as it should: one sheet, one verdict.

    \b
    multiid selftest --preset sdxl -o selftest/ --person ada woman photos/ada/ --person isaac man photos/isaac/

    Makes pictures of one to four people in both layouts, with masks and without, and has a face recogniser say who is
    who. The last line is the verdict with its reasons and thresholds; the exit code is 1 if the preset does not work. A
    run that was stopped goes on with the same command. The sheet shows the photos: keep it as you keep them.
    """
    sheet_file, metrics_file = output / "sheet.png", output / "metrics.json"
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write {output}: {error.strerror or error}.") from error
    for file in (sheet_file, metrics_file):
        require_place(file)

    import torch

    import multiid
    from multiid.pipeline.judging import choose_judge, draws_cartoons
    from multiid.pipeline.quiet import quiet_composer
    from multiid.selftest.metrics import to_json
    from multiid.selftest.run import Session, run_session
    from multiid.selftest.sheet import draw_sheet
    from multiid.selftest.sitters import invite, read_references
    from multiid.selftest.verdict import judge_preset

    # Small things first: what is wrong with people and photos shows before the long wait.
    chosen = multiid.find_preset(preset or "sdxl")
    sitters = invite(chosen, people)
    judge = choose_judge(chosen)
    references = read_references(sitters, judge)
    dtype = models.pop("dtype")
    composer = quiet_composer(preset or "sdxl", dtype=getattr(torch, dtype) if dtype else None, **models)
    sources = [f"{part}: {models[part]}" for part in ("base", "vae", "controlnet", "adapter") if models[part]]
    session = Session(
        composer=composer,
        models=(chosen.recorded, *sources, f"{composer.pipeline.unet.dtype}".removeprefix("torch.")),
        sitters=sitters,
        references=references,
        judge=judge,
        photographic=not draws_cartoons(chosen),
        seeds=seeds,
        steps=steps,
    )
    with click.progressbar(length=1, label="pictures", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        made = run_session(session, output / "pictures", progress=progress)
    verdict = judge_preset(chosen.name, chosen.defaults.layout, made)
    with write_whole(sheet_file) as temporary:
        draw_sheet(chosen, session, made, verdict).save(temporary, format="PNG")
    with write_whole(metrics_file) as temporary:
        temporary.write_text(to_json(chosen, session, made, verdict), encoding="utf-8")
    if composer.notice:
        click.echo(f"note: {composer.notice}", err=True)
    for file in (sheet_file, metrics_file):
        click.echo(file)
    for line in verdict.advice:
        click.echo(f"advice: {line}")
    click.echo(f"verdict: {verdict}")
    if not verdict.works:
        context.exit(1)
