"""`multiid mini train`: makes the miniature anew, stage by stage."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from multiid.errors import OutputError

if TYPE_CHECKING:
    from multiid.mini.training.settings import StageSettings

__all__ = ["command"]

_STAGES = ("autoencoder", "id_encoder", "recogniser", "finder", "denoiser", "decoder")


@click.command("train")
@click.argument("stage", type=click.Choice(_STAGES))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option(
    "--recipe", default="laptop", show_default=True,
    help="laptop (two processor cores), gpu, or a folder with a STAGE.yaml like theirs.",
)  # fmt: skip
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop with a checkpoint after that long.")
def command(stage: str, output: Path, recipe: str, minutes: float | None) -> None:
    """Train a STAGE of the miniature, or go on where an earlier call stopped.

    \b
    The stages in order; each needs those before it in the same folder:
      autoencoder   pictures to latents and back
      id_encoder    portraits to ID embeddings
      recogniser    reads who is in a picture, to mark the results
      finder        finds faces
      denoiser      UNet, ControlNet, text encoders and fuse module
      decoder       the autoencoder's decoder once more

    OUTPUT/STAGE then holds weights in 16 bits, the checkpoint, log.jsonl, figures.jsonl and sheets of samples.
    """
    # Threads that wait by spinning take the time of those that work; torch reads this when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Pictures come in dozens of sizes: with room for a thousand, kernels would be made anew at every step.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "30000")

    from multiid.mini.training.processes import run_together
    from multiid.mini.training.settings import read_settings
    from multiid.mini.training.stages import STAGES

    settings = read_settings(STAGES[stage].settings, recipe, stage)
    folder = output / stage
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Expected a folder to write into, but {folder} cannot be one: {error.strerror}.") from error
    run_together(_train, stage, settings, output, minutes, processes=settings.processes)


def _train(stage: str, settings: "StageSettings", output: Path, minutes: float | None) -> None:
    """What each process does; the first one says how it goes."""
    from accelerate import PartialState

    from multiid.mini.training.loop import train
    from multiid.mini.training.sources import Sources
    from multiid.mini.training.stages import STAGES

    logging.basicConfig(format="%(message)s")
    logging.getLogger("multiid").setLevel(logging.INFO)
    state = PartialState()
    with state.main_process_first():  # it makes what the stage needs, and the others read it
        built = STAGES[stage].build(settings, Sources(output))
    hidden = not state.is_main_process
    with click.progressbar(length=settings.steps, label=stage, item_show_func=_shown, hidden=hidden) as bar:

        def report(step: int, losses: dict[str, float]) -> None:
            bar.update(step - bar.pos, current_item=losses)  # pyright: ignore[reportArgumentType]

        done = train(built, settings, output / stage, minutes=minutes, report=report)
    if state.is_main_process:
        click.echo(f"{output / stage}: " + ("done." if done else "stopped; the same command goes on."))


def _shown(losses: object) -> str | None:
    return f"loss {losses['loss']:.4f}" if isinstance(losses, dict) else None
