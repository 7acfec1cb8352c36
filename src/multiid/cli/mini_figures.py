"""`multiid mini figures`: measure the miniature, on people and scenes that nothing was trained on."""

import os
import sys
from pathlib import Path

import click

from multiid.errors import OutputError
from multiid.files import require_place, write_whole

__all__ = ["command"]

_QUICK_SCENES, _QUICK_COUNTS = 6, "1,2,4"


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
@click.option("--scenes", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Scenes of each kind.")
@click.option("--counts", type=_Counts(), default="1,2,3,4,6,8", show_default=True, help="How many people a scene has.")
@click.option("--steps", type=click.IntRange(1, 1000), default=20, show_default=True, help="Denoising steps.")
@click.option("--quick", is_flag=True, help=f"{_QUICK_SCENES} scenes of {_QUICK_COUNTS} people: does everything run?")
@click.option("--preset", default="mini", show_default=True, help="Whose pictures to measure.")
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes, each with one thread. [default: one for each core]"
)
def command(
    output: Path, scenes: int, counts: tuple[int, ...], steps: int, quick: bool, preset: str, workers: int | None
) -> None:
    """Make scenes of people whom nothing was trained on, and count what is right.

    Everything required of the miniature is stated beside what was measured, met or missed.
    """
    import multiid
    from multiid.mini.figures.figures import summarise
    from multiid.mini.figures.run import Plan, measure_all, measure_speed
    from multiid.mini.figures.sheets import write_sheets
    from multiid.mini.figures.table import to_json, to_markdown

    multiid.find_preset(preset)
    if quick:
        scenes, counts = _QUICK_SCENES, tuple(map(int, _QUICK_COUNTS.split(",")))
    plan = Plan(preset=preset, scenes=scenes, counts=counts, steps=steps)
    sheets = output / "sheets"
    try:
        sheets.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write {output}: {error.strerror or error}.") from error
    json_file, markdown_file = output / "figures.json", output / "figures.md"
    require_place(json_file)
    require_place(markdown_file)

    # Timed before the machine is busy.
    seconds = measure_speed(plan)
    with click.progressbar(length=1, label="scenes", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        measured = measure_all(plan, workers=workers or _cores(), progress=progress)
    figures = summarise(measured, seconds=seconds)
    for file, text in ((json_file, to_json(figures, plan)), (markdown_file, to_markdown(figures, plan))):
        with write_whole(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
    write_sheets(measured, sheets)
    for line in figures.requirements():
        sign, limit = ("met   ", "missed")[not line.met], ("at least", "at most")[line.at_most]
        click.echo(f"{sign}  {line.measured:8.3f}  {limit} {line.required:<5g}  {line.name}")
    click.echo(str(markdown_file))


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
