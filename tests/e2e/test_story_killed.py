"""A story's run that is killed outright goes on to the same bytes; benchmarks/story_resume.py does it at any moment."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

from tales import script, write_script

RUN = (sys.executable, "-c", "from multiid.cli import main; main()", "story", "run")
PATIENCE = 120  # seconds for one run


def finish(story: Path, folder: Path) -> None:
    done = subprocess.run(
        [*RUN, str(story), "-o", str(folder)], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode in (0, 3), done.stderr  # two steps make nobody recognisable, which is no matter here


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    story = write_script(tmp_path, script())
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    running = subprocess.Popen(
        [*RUN, str(story), "-o", str(killed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + PATIENCE
    while not list(killed.glob("pictures/*.png")):
        assert running.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running.kill()
    running.wait()
    assert not (killed / "manifest.json").exists()
    finish(story, killed)
    finish(story, whole)
    assert digests(killed) == digests(whole)
