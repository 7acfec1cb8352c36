from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from multiid import load_template, template_names
from multiid.cli import main
from multiid.cli.mini import command
from multiid.errors import OutputError


def test_world_draws_the_same_sheet_again(tmp_path: Path):
    paths = [tmp_path / "one.png", tmp_path / "other.png"]
    for path in paths:
        result = CliRunner().invoke(main, ["mini", "world", "--people", "3", "--seed", "4", "-o", str(path)])
        assert result.exit_code == 0, result.output
        assert result.output == f"{path}\n"
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as sheet:
        assert min(sheet.size) > 256


def test_every_template_has_its_scene(tmp_path: Path):
    result = CliRunner().invoke(main, ["mini", "world", "--scenes", "-o", str(tmp_path / "scenes.png")])
    assert result.exit_code == 0, result.output
    aspects = [load_template(name).pose().size.aspect for name in template_names()]
    with Image.open(tmp_path / "scenes.png") as sheet:
        print(f"{len(aspects)} templates, sheet {sheet.size}")
        assert sheet.width * sheet.height >= sum(aspects) * 240**2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scenes", "--people", "3"), "Expected --people or --scenes"),
        (("--people", "0"), "0 is not in the range"),
        (("-o", "world.jpg"), "Expected a file name ending in .png, but got world.jpg"),
    ],
)
def test_world_says_what_is_wrong(options: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["mini", "world", *options])
    assert result.exit_code == 2
    assert said in result.stderr
    assert not list(tmp_path.iterdir())


def test_world_refuses_a_folder_that_is_not_there(tmp_path: Path):
    arguments = ["world", "-o", str(tmp_path / "no" / "a.png")]
    with pytest.raises(OutputError, match="Expected an existing folder"):
        CliRunner().invoke(command, arguments, catch_exceptions=False, **main.context_settings)
