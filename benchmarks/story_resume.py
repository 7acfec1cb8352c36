"""Whether a story that is killed and goes on comes to the same bytes, by the miniature.

    python benchmarks/story_resume.py

Runs a story once undisturbed, then time after time from nothing: killed outright at a random moment, and run again to
its end. Every file that is left must be the same, to the byte.
"""

import argparse
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from drawn_stories import write_story

__all__ = ["main"]

_RUN = (sys.executable, "-c", "from multiid.cli import main; main()", "story", "run")
_NOTHING_YET = 0.2  # of the time of a whole run, which goes into loading


def main(arguments: Sequence[str] | None = None) -> int:
    """Counts and prints; 1 where bytes differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="how often (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default: 1)")
    options = parser.parse_args(arguments)
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        story, _ = write_story(Path(temporary) / "story", 1)
        folder = Path(temporary) / "made"
        begin = time.perf_counter()
        _finish(story, folder)
        seconds = time.perf_counter() - begin
        expected = _digests(folder)
        same = 0
        for number in range(options.kills):
            shutil.rmtree(folder)
            there = _killed(story, folder, moments.uniform(_NOTHING_YET, 1.0) * seconds)
            _finish(story, folder)
            same += _digests(folder) == expected
            print(f"killed with {there} panels made: {same} of {number + 1} the same", file=sys.stderr, flush=True)
    print(f"Killed {options.kills} times and run again: {same} times the same {len(expected)} files, to the byte.")
    return 0 if same == options.kills else 1


def _finish(story: Path, folder: Path) -> None:
    done = subprocess.run([*_RUN, str(story), "-o", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: somebody is not as they should be, which is no matter here
        sys.exit(done.stderr)


def _killed(story: Path, folder: Path, seconds: float) -> int:
    """Starts a run, kills it after so many seconds, and counts the pictures that are there."""
    running = subprocess.Popen(
        [*_RUN, str(story), "-o", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        running.wait(seconds)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
    return len(list(folder.glob("pictures/*.png")))


def _digests(folder: Path) -> dict[str, str]:
    """Of every file; hidden ones are what was being written when the process was killed."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    }


if __name__ == "__main__":
    sys.exit(main())
