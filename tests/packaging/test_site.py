"""The pages: built strictly and without a network, with every command, option and public name on them."""

import re
import socket
from html import unescape
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from conftest import ROOT
from mkdocs.__main__ import cli as mkdocs
from test_docs import commands

import multiid
from multiid.cli import main

_FETCHED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?(?:https?:)?//"
    r"|<link\b[^>]*\brel=[\"']?(?:stylesheet|preload|preconnect|dns-prefetch|icon)\b[^>]*\bhref=[\"']?(?:https?:)?//"
    r"|@import|url\((?:https?:)?//"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")

    def refuse(*_: object) -> None:
        raise OSError("the pages are built without a network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        # Not --quiet: what is not logged is not counted, and strict would be nothing.
        result = CliRunner().invoke(mkdocs, ["build", "--strict", "-f", str(ROOT / "mkdocs.yml"), "-d", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


def option_names(path: str) -> list[str]:
    command: click.Command = main
    for name in path.split()[1:]:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return [name for option in command.params if isinstance(option, click.Option) for name in option.opts]


def test_a_reader_fetches_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        found = _FETCHED.search(page.read_text(encoding="utf-8"))
        assert found is None, f"{page.relative_to(site)}: {found and found[0]}"


@pytest.mark.parametrize("command", commands(main))
def test_every_option_is_on_the_page_of_commands(command: str, site: Path) -> None:
    text = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    section = re.search(rf'<h2 id="{command.replace(" ", "-")}">(.*?)(?=<h2|\Z)', text, re.S)
    assert section is not None
    shown = unescape(re.sub(r"<[^>]+>", "", section[1]))
    assert f"{command} [OPTIONS]" in shown
    assert not [name for name in option_names(command) if name not in shown]


def test_every_public_name_is_explained(site: Path) -> None:
    """With an anchor of its own, and for functions and classes what their docstring begins with."""
    text = (site / "reference" / "python.html").read_text(encoding="utf-8")
    anchors = set(re.findall(r'id="multiid\.(?:errors\.)?(\w+)"', text))
    assert set(multiid.__all__) - {"__version__"} <= anchors


def test_the_site_goes_where_git_does_not_look() -> None:
    assert re.search(r"^site_dir: out/", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    assert "/out/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
