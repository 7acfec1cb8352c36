"""What people cost: cross-attention layers one by one, and whole steps, against stock diffusers.

    python benchmarks/attention.py -o out/performance

Takes about half an hour on two cores and 12 GB of memory; let nothing else run meanwhile. With --cuda it times full
SDXL at 1024 by 1024 on the accelerator instead, eager and compiled. --quick tries everything on tiny networks: its
figures mean nothing.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import sdxl
import torch
from diffusers.utils import logging
from layers import QUICK_LAYERS, SDXL_LAYERS, LayerCost, measure_layers
from report import Measured, requirements, to_json, to_markdown, write_plot
from steps import StepCost, measure_steps

from multiid.errors import MultiIDError, OutputError
from multiid.files import write_whole
from multiid.pipeline.tiny import tiny_pipeline

_COUNTS = (0, 1, 2, 4, 8, 16)
_TOKENS = (1, 4, 8, 16)
_STEP_TOKENS = 8
_DTYPES = (torch.bfloat16, torch.float32)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, writes and prints; 2 when it cannot."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    logging.set_verbosity_error()
    torch.manual_seed(0)
    try:
        if options.cuda and not torch.cuda.is_available():
            raise MultiIDError("Expected an accelerator for --cuda, but torch finds none: leave it out for the CPU.")
        try:
            options.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"Cannot write {options.output}: {error.strerror or error}.") from error
        layers = [] if options.cuda or "layers" not in options.parts else _layers(options)
        steps = _steps(options) if "steps" in options.parts else []
        measured = Measured(
            command=shlex.join(["python", "benchmarks/attention.py", *(arguments or sys.argv[1:])]),
            rounds={"layers": options.rounds, "steps": options.step_rounds},
            layers=layers,
            steps=steps,
        )
        for name, text in (("performance.json", to_json(measured)), ("performance.md", to_markdown(measured))):
            with write_whole(options.output / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
        with write_whole(options.output / "performance.png") as temporary:
            write_plot(measured, temporary)
    except MultiIDError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    print(to_markdown(measured))
    for requirement in requirements(measured):
        sign = "met   " if requirement.met else "missed"
        print(f"{sign}  {requirement.measured:>20}  {requirement.required:<14}  {requirement.name}", file=sys.stderr)
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for JSON, Markdown and the plot")
    parser.add_argument("--parts", nargs="+", choices=("layers", "steps"), default=["layers", "steps"])
    parser.add_argument("--rounds", type=_several, default=9, help="times each layer is run (default: 9)")
    parser.add_argument("--step-rounds", type=_several, default=7, help="times each step is run (default: 7)")
    parser.add_argument("--cuda", action="store_true", help="full SDXL on the accelerator, steps only")
    parser.add_argument("--quick", action="store_true", help="tiny networks, to see that it runs")
    return parser.parse_args(arguments)


def _several(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 2, but got {text}")
    return int(text)


def _layers(options: argparse.Namespace) -> list[LayerCost]:
    return measure_layers(
        QUICK_LAYERS if options.quick else SDXL_LAYERS,
        _DTYPES,
        counts=_COUNTS,
        tokens=_TOKENS,
        rounds=options.rounds,
        progress=_progress,
    )


def _steps(options: argparse.Namespace) -> list[StepCost]:
    device = "cuda" if options.cuda else "cpu"
    _progress("making networks")
    if options.quick:
        tiny = tiny_pipeline()
        unet, controlnet = tiny.unet.to(device), tiny.controlnet.to(device)
    else:
        unet, controlnet = sdxl.unet(device), sdxl.controlnet(device)
    side = 128 if options.quick else 1024 if options.cuda else 512
    costs: list[StepCost] = []
    for compiled in (False, True) if options.cuda else (False,):
        costs += measure_steps(
            unet,
            controlnet,
            side=side,
            counts=_COUNTS if options.cuda else (0, 8),
            tokens=_STEP_TOKENS,
            rounds=options.step_rounds,
            compiled=compiled,
            progress=_progress,
        )
    return costs


def _progress(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
