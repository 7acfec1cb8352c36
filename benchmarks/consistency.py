"""Whether people look the same from panel to panel, with words and with anchors, by the miniature.

    python benchmarks/consistency.py

Makes tales of people on whom nothing was trained, four panels of two people each, with and without words for what they
wear, and with and without anchors, and compares faces and clothes across panels.
"""

import argparse
import sys
from collections.abc import Sequence

from multiid.mini.faces import MiniFaces
from multiid.mini.figures.consistency import consistency_table, measure_consistency
from multiid.pipeline.quiet import quiet_composer

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints a table for each strength."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tales", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--strengths", type=float, nargs="+", default=[1.0, 3.0], help="of anchors (default: 1 3)")
    options = parser.parse_args(arguments)
    composer, faces = quiet_composer("mini"), MiniFaces()
    for strength in options.strengths:

        def progress(done: int, total: int, strength: float = strength) -> None:
            print(f"consistency {strength:g}: {done} of {total}", file=sys.stderr, flush=True)

        figures = measure_consistency(composer, faces, tales=options.tales, consistency=strength, progress=progress)
        print(f"Consistency {strength:g}:\n\n{consistency_table(figures)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
