"""One picture by full-size SDXL on the processor: that it fits into memory, and how long it takes.

    python benchmarks/full_size.py

UNet, ControlNet, VAE, both text encoders, ID encoder and LoRA in their public sizes, in bf16 with random weights: the
picture is noise. Takes a minute or two on two cores and 13 GB of memory.
"""

import argparse
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

import numpy as np
import PIL.Image
import psutil
import sdxl
import torch
from diffusers.utils import logging

from multiid import Adapter, Composer, Person, Scene
from multiid.errors import MultiIDError

__all__ = ["main"]

_NEEDED_GB = 14.0  # what the run takes, and a little for everything else
_LIMIT_GB = 20.0  # required of it
_SIDE, _STEPS = 512, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Composes and prints a table; 1 when it took too much memory, 2 when it cannot run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the preset tiny, to see that it runs")
    options = parser.parse_args(arguments)
    logging.set_verbosity_error()
    free = psutil.virtual_memory().available / 1e9
    if not options.quick and free < _NEEDED_GB:
        print(
            f"Error: Expected {_NEEDED_GB:g} GB of free memory, but this machine has {free:.1f} GB: close other "
            "programs, or see with --quick that it runs.",
            file=sys.stderr,
        )
        return 2
    torch.manual_seed(0)
    rows: list[tuple[str, float, float]] = []
    try:
        _compose(rows, quick=options.quick)
    except MultiIDError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    print("| | seconds | peak so far, GB |\n| --- | --- | --- |")
    for name, seconds, peak in rows:
        print(f"| {name} | {seconds:.1f} | {peak:.1f} |")
    peak = rows[-1][2]
    print(f"\nPeak memory {peak:.1f} GB, at most {_LIMIT_GB:g}: {'met' if peak <= _LIMIT_GB else '**missed**'}.")
    return 0 if peak <= _LIMIT_GB else 1


def _compose(rows: list[tuple[str, float, float]], *, quick: bool) -> None:
    if quick:
        with _measured("tiny networks", rows):
            composer = Composer.from_preset("tiny", device="cpu")
    else:
        with _measured("UNet, ControlNet, VAE and text encoders", rows):
            pipeline = sdxl.pipeline()
        with _measured("ID encoder and LoRA", rows):
            composer = Composer(pipeline, Adapter(sdxl.id_encoder(), sdxl.lora(pipeline.unet)))
    composer.pipeline.set_progress_bar_config(disable=True)
    with _measured("two people, of one photo and of two", rows):
        ada = composer.identity("ada", "woman", _photo(0))
        isaac = composer.identity("isaac", "man", [_photo(1), _photo(2)])
    scene = Scene(
        "a {ada} and a {isaac} having tea in the garden",
        people=[Person(ada, "in a red coat"), isaac],
        template="couple-standing",
        width=_SIDE,
        height=_SIDE,
        steps=_STEPS,
        merge_step=0,
        seed=1,
    )
    with _measured(f"{_SIDE} x {_SIDE} in {_STEPS} steps, the second with identities", rows):
        (image,) = composer.compose(scene).images
    if image.size != (_SIDE, _SIDE):
        raise MultiIDError(f"Expected a picture of {_SIDE} by {_SIDE} pixels, but got {image.size}.")


@contextmanager
def _measured(name: str, rows: list[tuple[str, float, float]]) -> Generator[None]:
    """Adds a row: what was done, how long it took, and the most memory this process has had so far."""
    print(f"... {name}", file=sys.stderr, flush=True)
    started = perf_counter()
    yield
    unit = 1 if sys.platform == "darwin" else 1024  # of what the system tells, in bytes
    rows.append((name, perf_counter() - started, getrusage(RUSAGE_SELF).ru_maxrss * unit / 1e9))


def _photo(seed: int) -> PIL.Image.Image:
    """Six by six random colours, smoothly enlarged."""
    colours = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return PIL.Image.fromarray(colours).resize((512, 512), PIL.Image.Resampling.BICUBIC)


if __name__ == "__main__":
    sys.exit(main())
