"""`multiid story check` and `multiid schema story`."""

import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner
from stories import STORY, changed, write_story

from multiid import story_schema
from multiid.cli import main


def test_a_story_is_shown(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["story", "check", str(write_story(tmp_path, changed((["author"], "Ada"))))])
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout == (
        "A walk in the rain, by Ada: 2 pages, 4 panels, 2 characters, 8 words\n"
        "\n"
        "1.1  mia, leo  2 words\n"
        "1.2  nobody    2 words\n"
        "1.3  leo       4 words\n"
        "2.1  mia       0 words\n"
        "\n"
        "mia  girl  2 photos  in 1.1, 2.1\n"
        "leo  man   1 photo   in 1.1, 1.3\n"
    )


def test_notes_stand_beside_what_is_shown(tmp_path: Path) -> None:
    file = write_story(tmp_path, changed((["cast", "zoe"], STORY["cast"]["leo"])))
    result = CliRunner().invoke(main, ["story", "check", str(file)])
    assert result.exit_code == 0
    assert result.stderr.startswith(f"note: {file}:")
    assert result.stderr.endswith(": cast.zoe: zoe is in no panel.\n")
    assert "zoe  man   1 photo   in no panel\n" in result.stdout


def test_a_story_of_views_has_no_cast(tmp_path: Path) -> None:
    file = write_story(tmp_path, {"title": "Sea", "pages": [{"panels": [{"prompt": "the sea"}]}]})
    result = CliRunner().invoke(main, ["story", "check", str(file)])
    assert result.stdout == "Sea: 1 page, 1 panel, 0 characters, 0 words\n\n1.1  nobody  0 words\n"


def test_faults_stand_under_one_another(tmp_path: Path) -> None:
    file = write_story(tmp_path, changed((["titel"], "x"), (["paper", "dpi"], 3000), (["a\nb"], "x")))
    before = file.read_bytes()
    result = CliRunner().invoke(main, ["story", "check", str(file)])
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 2
    assert result.stdout == ""
    first, *lines = result.stderr.splitlines()
    assert first == f"multiid: error: {file}: expected a story, but it has 3 faults:"
    assert len(lines) == 3
    assert all(line.startswith(f"{file}:") for line in lines)
    assert file.read_bytes() == before


def test_the_schema_is_printed() -> None:
    result = CliRunner().invoke(main, ["schema", "story"])
    assert json.loads(result.stdout) == story_schema()


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom multiid.cli import main\n"
        "try: main(['story', 'check', '--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'torch', 'pydantic', 'yaml', 'PIL'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Usage:" in result.stdout
    assert result.stdout.splitlines()[-1] == "[]"
