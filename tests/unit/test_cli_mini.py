from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from multiid.cli import main
from multiid.cli.mini import command
from multiid.errors import OutputError


@pytest.mark.parametrize("options", [("--people", "3"), ("--scenes",)])
def test_world_draws_a_sheet(tmp_path: Path, options: tuple[str, ...]):
    paths = [tmp_path / "one.png", tmp_path / "other.png"]
    for path in paths:
        result = CliRunner().invoke(main, ["mini", "world", *options, "--seed", "4", "-o", str(path)])
        assert result.exit_code == 0, result.output
        assert result.output == f"{path}\n"
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as sheet:
        assert min(sheet.size) > 256


def test_world_refuses_a_folder_that_is_not_there(tmp_path: Path):
    arguments = ["world", "-o", str(tmp_path / "no" / "a.png")]
    with pytest.raises(OutputError, match="Expected an existing folder"):
        CliRunner().invoke(command, arguments, catch_exceptions=False, **main.context_settings)
