"""`multiid mini train`: makes the miniature anew, stage by stage."""

import logging
import os
from pathlib import Path

import click

__all__ = ["train"]

_STAGES = ("autoencoder", "id_encoder", "recogniser", "finder", "denoiser", "decoder")


@click.command()
@click.argument("stage", type=click.Choice(_STAGES))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option(
    "--recipe", default="laptop", show_default=True,
    help="laptop (two processor cores), gpu, or a folder with a STAGE.yaml like theirs.",
)  # fmt: skip
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop with a checkpoint after that long.")
def train(stage: str, output: Path, recipe: str, minutes: float | None) -> None:
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

    from multiid.mini.training.loop import train as run
    from multiid.mini.training.settings import read_settings
    from multiid.mini.training.sources import Sources
    from multiid.mini.training.stages import STAGES

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    kind = STAGES[stage]
    settings = read_settings(kind.settings, recipe, stage)
    built = kind.build(settings, Sources(output))
    with click.progressbar(length=settings.steps, label=stage, item_show_func=_shown) as bar:

        def report(step: int, losses: dict[str, float]) -> None:
            bar.update(step - bar.pos, current_item=losses)  # pyright: ignore[reportArgumentType]

        done = run(built, settings, output / stage, minutes=minutes, report=report)
    click.echo(f"{output / stage}: " + ("done." if done else "stopped; the same command goes on."))


def _shown(losses: object) -> str | None:
    return f"loss {losses['loss']:.4f}" if isinstance(losses, dict) else None
