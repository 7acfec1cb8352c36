"""The examples of the guides and of the commands' page run, on the miniature; the others are at least well formed.

The miniature takes few steps here: whether pictures are good is for other tests.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click import UsageError
from conftest import ROOT
from guide_examples import Example, check_command, examples_of, run_command

from multiid import PRESETS

DOCS = ROOT / "docs"
RUN = [*sorted((DOCS / "guides").glob("*.md")), DOCS / "reference" / "commands.md"]
ALL = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FEW_STEPS = 2


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the checkout's examples in it, as the working folder."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    mini = PRESETS["mini"]
    monkeypatch.setitem(PRESETS, "mini", replace(mini, defaults=replace(mini.defaults, steps=FEW_STEPS)))


def runnable(document: Path) -> list[Example]:
    return [example for example in examples_of(document) if example.why_not is None]


@pytest.mark.usefixtures("few_steps", "checkout")
@pytest.mark.parametrize("document", RUN, ids=lambda path: path.stem)
def test_the_examples_run(document: Path) -> None:
    """From top to bottom, as somebody would who reads the page; Python's names last to its end."""
    names: dict[str, object] = {}
    for example in runnable(document):
        print(example.where)
        if example.language == "sh":
            for words in example.commands:
                run_command(words)
        elif example.language == "python":
            exec(compile(example.text, example.where, "exec"), names)
        else:
            assert example.language in ("yaml", "text"), example.where


@pytest.mark.parametrize("document", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_are_well_formed(document: Path, checkout: Path) -> None:
    (checkout / "weights").mkdir()
    for example in examples_of(document):
        if example.language == "python":
            compile(example.text, example.where, "exec")
        elif example.language == "yaml":
            assert isinstance(yaml.safe_load(example.text), dict), example.where
        elif example.language == "sh":
            for words in example.commands:
                try:
                    check_command(words)
                except UsageError as error:
                    pytest.fail(f"{example.where}: {' '.join(words)}: {error.format_message()}")


def test_what_is_run_elsewhere_is() -> None:
    """An example that a test's file runs names it; one that another page runs is there, word for word."""
    elsewhere = 0
    for document in RUN:
        for example in examples_of(document):
            runner = re.search(r"(\S+) runs it$", example.why_not or "")
            assert runner or not (example.why_not or "").startswith("again"), example.where
            if runner is None:
                continue
            elsewhere += 1
            file = ROOT / runner[1]
            assert file.is_file(), example.where
            if file.suffix == ".md":
                there = [words for other in runnable(file) if other.language == "sh" for words in other.commands]
                assert all(words in there for words in example.commands), example.where
    assert elsewhere >= 5


def test_what_is_not_run_needs_what_is_not_here() -> None:
    """So that no example that could run is passed over for convenience."""
    reasons = {str(example.why_not) for document in RUN for example in examples_of(document) if example.why_not}
    known = ("needs", "installs", "downloads", "asks the hub", "hours", "minutes", "again")
    assert all(reason.startswith(known) for reason in reasons), reasons
    count = sum(len(runnable(document)) for document in RUN)
    print(f"{count} examples run, at least 30")
    assert count >= 30
