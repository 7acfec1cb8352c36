"""How often the verifier is right about groups that went wrong on purpose (see `mishaps`).

    python tests/verdicts.py 1000
    python tests/verdicts.py 110 --overlapping
    python tests/verdicts.py 1100 --seed 3300000

The last line is the share of cases with the right verdict on everybody. As a program of its own it goes without the
run-time type checks of the tests, which take four times as long as all the drawing and reading.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from functools import cache

import torch
from mishaps import KINDS, Case, Sitter, draw_case, invite

from multiid.evaluation.matching import Matching, match_faces
from multiid.mini.faces import MiniFaces

SEED = 2_700_000  # likeness was chosen on others
SITTERS = 120


@cache
def guests(sitters: int, seed: int) -> tuple[MiniFaces, Sequence[Sitter]]:
    """Who reads faces, and everybody who is drawn; nobody in it was trained on."""
    faces = MiniFaces()
    return faces, invite(sitters, seed=seed, faces=faces)


def is_right(case: Case, matching: Matching) -> bool:
    """Whether everybody got the right verdict."""
    return tuple(match.status for match in matching.people) == case.statuses


def share_right(cases: int, *, sitters: int = SITTERS, overlapping: bool = False, seed: int = SEED) -> float:
    """The share of that many cases with the right verdict on everybody; prints it for each kind too."""
    faces, invited = guests(sitters, seed)
    right, drawn = Counter[str](), Counter[str]()
    counted = 0
    for index in range(cases):
        case = draw_case(index, invited, seed=seed, overlapping=overlapping)
        matching = match_faces(faces.analyze(case.picture), case.wanted, recogniser=faces.recogniser)
        groups = ("all", *case.kinds)
        drawn.update(groups)
        if is_right(case, matching):
            right.update(groups)
            counted += len(matching.strangers) == case.strangers
        else:
            wrong = zip(matching.people, case.statuses, strict=True)
            told = [f"{match.name} {match.status}, not {truth}" for match, truth in wrong if match.status != truth]
            print(f"case {index} ({', '.join(groups[1:])}): {'; '.join(told)}")
    for group in ("all", *KINDS):
        print(f"{group}: {right[group]} of {drawn[group]} right, {right[group] / max(1, drawn[group]):.3f}")
    print(f"and as many strangers as there are in {counted} of these")
    return right["all"] / drawn["all"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=int)
    parser.add_argument("--overlapping", action="store_true", help="heads that share about 30 % of their width")
    parser.add_argument("--seed", type=int, default=SEED, help="of people and groups (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(share_right(options.cases, overlapping=options.overlapping, seed=options.seed))


if __name__ == "__main__":
    main()
