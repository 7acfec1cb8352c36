"""What checking a picture costs beside making it: four people, by the miniature.

    python benchmarks/verify.py

Makes and checks the same picture in turn, round after round, and compares the times round by round.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

import torch
from timing import Contender, interleaved, ratios

from multiid import Composer, Scene, load_scene_file
from multiid.errors import MultiIDError
from multiid.pipeline.verifying import check_image

__all__ = ["main"]

_LIMIT = 0.05  # required of the ratio
_SCENE = "examples/family.yaml"
_PEOPLE = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints a line; 1 when checking took too long, 2 when it cannot be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="how often each is timed, at least 2 (default: 7)")
    parser.add_argument("--scene", default=_SCENE, help=f"scene file, of {_PEOPLE} people (default: {_SCENE})")
    parser.add_argument("--quick", action="store_true", help="two steps, to see that it runs; its ratio means nothing")
    options = parser.parse_args(arguments)
    if options.rounds < 2:
        parser.error(f"expected at least 2 rounds, but got {options.rounds}")
    try:
        seconds = _measure(options.scene, rounds=options.rounds, steps=2 if options.quick else None)
    except MultiIDError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    ratio = ratios(seconds, "make")["check"]
    make, check = (min(seconds[name]) for name in ("make", "check"))
    print(
        f"Making {make:.2f} s, checking {1000 * check:.0f} ms at best, {torch.get_num_threads()} thread(s). Checking / "
        f"making: {ratio.median:.2%} ({ratio.low:.2%} to {ratio.high:.2%}), at most {_LIMIT:.0%}: "
        f"{'met' if ratio.median <= _LIMIT else '**missed**'}."
    )
    return 0 if ratio.median <= _LIMIT else 1


def _measure(file: str, *, rounds: int, steps: int | None) -> dict[str, list[float]]:
    composer = Composer.from_preset("mini")
    composer.pipeline.set_progress_bar_config(disable=True)
    scene: Scene = load_scene_file(file, defaults=composer.defaults).scene(composer.identity)
    people = [person.identity for person in scene.cast]
    judge = composer.faces
    if len(people) != _PEOPLE or judge is None:
        raise MultiIDError(f"Expected a scene of {_PEOPLE} people, but {file} has {len(people)}.")
    scene = replace(scene, steps=steps or scene.steps)
    picture = composer.compose(scene)
    contenders = {
        "make": Contender(lambda: None, lambda: composer.compose(scene)),
        "check": Contender(lambda: None, lambda: check_image(picture, people, judge)),
    }
    return interleaved(contenders, rounds=rounds)


if __name__ == "__main__":
    sys.exit(main())
