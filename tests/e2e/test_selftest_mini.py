"""`multiid selftest` from end to end on the preset mini, whose weights the package holds: it works."""

import json
from pathlib import Path

import PIL.Image
from click.testing import CliRunner

from multiid.cli import main

STEPS = 8


def test_the_miniature_works(tmp_path: Path) -> None:
    arguments = ["selftest", "--preset", "mini", "-o", str(tmp_path), "--seeds", "1", "--steps", str(STEPS)]
    result = CliRunner().invoke(main, [*arguments, "--device", "cpu"])
    print(result.output)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].startswith("verdict: mini works: faces found ")
    figures = json.loads((tmp_path / "metrics.json").read_text())
    assert figures["works"] is True
    assert figures["layout"] == "stack"
    assert all(criterion["met"] for criterion in figures["criteria"])
    masked, unmasked = figures["ways"]["stack, masks on"], figures["ways"]["stack, masks off"]
    assert masked["margin"] > unmasked["margin"]
    with PIL.Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 1500
