"""The verifier against truth: drawn groups that went wrong on purpose, whose right verdict is known.

A case counts as right when everybody in it gets the right verdict. Nobody in it was trained on, and references come
from portraits that are in no picture.
"""

import subprocess
import sys

import pytest
import verdicts
from conftest import ROOT
from mishaps import KINDS, draw_case

REQUIRED = 0.97
REQUIRED_OVERLAPPING = 0.85  # half a head is often all there is to go by
SITTERS = 60  # with type checks everybody takes a while


def measured(*arguments: str) -> float:
    """The share of right verdicts, by a program of its own: with type checks drawing takes most of the time."""
    command = [sys.executable, str(ROOT / "tests" / "verdicts.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1])


def chance(required: float, cases: int) -> float:
    """Three standard deviations of a share."""
    return 3 * (required * (1 - required) / cases) ** 0.5


def test_a_few_cases() -> None:
    """Far fewer than the thousand, for runs without slow tests, and with type checks; so room for chance."""
    assert verdicts.share_right(40, sitters=SITTERS) >= REQUIRED - chance(REQUIRED, 40)


def test_overlapping_heads() -> None:
    """Harder: the recogniser sees two people's hair at once."""
    assert measured("110", "--overlapping") >= REQUIRED_OVERLAPPING - chance(REQUIRED_OVERLAPPING, 110)


@pytest.mark.slow
def test_a_thousand_cases() -> None:
    assert measured("1000") >= REQUIRED


def test_cases_are_the_same_every_time() -> None:
    _, sitters = verdicts.guests(SITTERS, verdicts.SEED)
    for index in range(len(KINDS)):
        one, other = (draw_case(index, sitters, seed=verdicts.SEED) for _ in range(2))
        assert one.picture.tobytes() == other.picture.tobytes()
        assert (one.kinds, one.statuses, one.strangers) == (other.kinds, other.statuses, other.strangers)
        assert KINDS[index] in one.kinds
