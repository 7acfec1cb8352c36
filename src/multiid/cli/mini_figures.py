"""`multiid mini figures`: measure the miniature, on people and scenes that nothing was trained on."""

import os
import sys
from pathlib import Path

import click

from multiid.errors import OutputError
from multiid.files import require_place, write_whole

__all__ = ["command"]

_GALLERY = 300  # people to tell apart on portraits, fewer in small trials


class _Counts(click.ParamType):
    """Numbers of people with commas between."""

    name = "numbers"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        parts = str(value).split(",")
        if not all(part.strip().isdecimal() and 1 <= int(part) <= 8 for part in parts):
            self.fail(f"expected numbers from 1 to 8 with commas between, such as 1,2,4, but got {value}.", param, ctx)
        return tuple(dict.fromkeys(int(part) for part in parts))


@click.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="Folder to write figures.json, figures.md and sheets into.",
)  # fmt: skip
@click.option(
    "--weights", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that `multiid mini pack` wrote.  [default: the package's own]",
)  # fmt: skip
@click.option("--scenes", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Scenes of each kind.")
@click.option(
    "--unmasked", type=click.IntRange(0, 10_000), help="How many of them without masks as well.  [default: all]"
)
@click.option("--counts", type=_Counts(), default="1,2,3,4,6,8", show_default=True, help="How many people a scene has.")
@click.option("--steps", type=click.IntRange(1, 1000), default=8, show_default=True, help="Denoising steps.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), help="Processes, each with one thread.  [default: one for each core]"
)
def command(
    output: Path,
    weights: Path | None,
    scenes: int,
    unmasked: int | None,
    counts: tuple[int, ...],
    steps: int,
    jobs: int | None,
) -> None:
    """Make scenes of people on whom nothing was trained, and count what is right.

    Everything required of the miniature is stated beside what was measured, met or missed. OUTPUT/scenes keeps what
    came of each scene: a run that was stopped goes on with the same command.
    """
    # Threads that wait by spinning take the time of those that work; torch reads this when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    from multiid.jobs import cores
    from multiid.mini.figures.figures import summarise
    from multiid.mini.figures.readers import measure_reader
    from multiid.mini.figures.requirements import requirements
    from multiid.mini.figures.run import Plan, make_faces, measure_all
    from multiid.mini.figures.sheets import write_sheets
    from multiid.mini.figures.speed import measure_speed
    from multiid.mini.figures.table import to_json, to_markdown

    unmasked = scenes if unmasked is None else min(unmasked, scenes)
    gallery = min(_GALLERY, 10 * scenes)
    plan = Plan(weights=weights, scenes=scenes, unmasked=unmasked, counts=counts, steps=steps, gallery=gallery)
    sheets = output / "sheets"
    try:
        sheets.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write {output}: {error.strerror or error}.") from error
    json_file, markdown_file = output / "figures.json", output / "figures.md"
    require_place(json_file)
    require_place(markdown_file)

    # Timed before the machine is busy.
    speed = measure_speed(plan)
    reader = measure_reader(make_faces(plan), people=plan.gallery, groups=plan.scenes)
    with click.progressbar(length=1, label="scenes", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        measured = measure_all(plan, output / "scenes", jobs=jobs or cores(), progress=progress)
    figures = summarise(measured, reader=reader, speed=speed)
    for file, text in ((json_file, to_json(figures, plan)), (markdown_file, to_markdown(figures, plan))):
        with write_whole(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
    write_sheets(measured, sheets, shown=plan.shown)
    for line in requirements(figures):
        sign, limit = ("met   ", "missed")[not line.met], ("at least", "at most")[line.at_most]
        click.echo(f"{sign}  {line.measured:8.3f}  {limit} {line.required:<5g}  {line.name}")
    click.echo(str(markdown_file))
