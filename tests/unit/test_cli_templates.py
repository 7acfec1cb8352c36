from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from multiid.cli.templates import command
from multiid.errors import OutputError, TemplateError
from multiid.poses.templates import template_names


def run(*arguments: str) -> Result:
    """Errors of the tree pass through; the root command turns them into one line."""
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


def test_list_names_every_template_with_people_and_size():
    result = run("list")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == template_names()
    assert next(line for line in lines if line.startswith("team-eight")).split()[1:3] == ["8", "1344x768"]


def test_list_filters_by_people_and_tag():
    assert [line.split()[0] for line in run("list", "--people", "6").output.splitlines()] == [
        "friends-six",
        "team-eight",
    ]
    families = [line.split()[0] for line in run("list", "--tag", "family").output.splitlines()]
    assert families == ["family-five", "family-four", "family-three"]
    assert run("list", "--people", "4", "--tag", "family").output.splitlines()[0].startswith("family-four")
    nothing = run("list", "--people", "40")
    assert nothing.exit_code == 0
    assert nothing.stdout == ""
    assert "No template fits" in nothing.stderr


def test_show_says_who_stands_where():
    output = run("show", "family-three").output
    assert "family-three: Two adults and a child" in output
    assert "1152x896" in output
    assert [line.split()[:2] for line in output.splitlines()[-3:]] == [["0", "adult"], ["1", "child"], ["2", "adult"]]
    with pytest.raises(TemplateError, match="did you mean 'family-three'"):
        run("show", "family-tree")


def test_preview_draws_the_named_ones_into_a_new_folder(tmp_path: Path):
    folder = tmp_path / "new" / "previews"
    result = run("preview", "couple-selfie", "team-eight", "-o", str(folder))
    assert result.exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["couple-selfie.png", "team-eight.png"]
    with Image.open(folder / "team-eight.png") as image:
        assert image.size == (512, 293)
        assert image.convert("RGB").getcolors(10_000)


def test_preview_draws_all_by_default(tmp_path: Path):
    assert run("preview", "-o", str(tmp_path)).exit_code == 0
    assert sorted(path.stem for path in tmp_path.iterdir()) == template_names()


def test_preview_writes_nothing_where_a_name_is_wrong_or_the_folder_is_a_file(tmp_path: Path):
    with pytest.raises(TemplateError, match="no template 'nobody'"):
        run("preview", "couple-selfie", "nobody", "-o", str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="Expected a folder to write into"):
        run("preview", "couple-selfie", "-o", str(tmp_path / "file"))
