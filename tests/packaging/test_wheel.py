"""The wheel holds what runs, and nobody's photos."""

import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from conftest import ROOT

import multiid
from multiid.suites.suite import suite_names


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without isolation, so without a network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> zipfile.ZipFile:
    (file,) = dist.glob("*.whl")
    assert file.name == f"multiid-{multiid.__version__}-py3-none-any.whl"
    return zipfile.ZipFile(file)


def test_the_wheel_holds_the_package_and_its_data(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    code = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src" / "multiid").rglob("*.py")}
    templates = {f"multiid/{path.relative_to(ROOT)}" for path in (ROOT / "pose_templates").glob("*.json")}
    assert len(templates) >= 8
    recipes_and_weights = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src" / "multiid" / "mini").rglob("*")
        if path.suffix in (".yaml", ".json", ".safetensors")
    }
    suites = {f"multiid/suites/definitions/{name}.yaml" for name in suite_names()}
    assert {"multiid/suites/definitions/groups.yaml", "multiid/suites/definitions/ablation.yaml"} <= suites
    assert code | templates | recipes_and_weights | suites | {"multiid/py.typed"} <= names
    for template in multiid.template_names():
        assert f"multiid/pose_templates/previews/{template}.png" in names


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    information = f"multiid-{multiid.__version__}.dist-info/"
    names = [name for name in wheel.namelist() if not name.startswith(information)]
    small = [name for name in names if not name.startswith(("multiid/mini/", "multiid/suites/"))]
    assert {Path(name).suffix for name in small} == {".py", ".typed", ".json", ".png"}
    suites = {Path(name).suffix for name in names if name.startswith("multiid/suites/")}
    assert {".py", ".yaml"} <= suites <= {".py", ".yaml", ".html", ".css"}
    assert {Path(name).suffix for name in names} <= {
        ".py", ".typed", ".json", ".png", ".yaml", ".safetensors", ".html", ".css",
    }  # fmt: skip
    assert all(name.startswith("multiid/") for name in names)
    pictures = [name for name in names if name.endswith(".png")]
    assert all(name.startswith("multiid/pose_templates/previews/") for name in pictures)


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    information = f"multiid-{multiid.__version__}.dist-info/"
    metadata = Parser().parsestr(wheel.read(f"{information}METADATA").decode())
    assert (metadata["Name"], metadata["Version"]) == ("multiid", multiid.__version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "multiid = multiid.cli:main" in wheel.read(f"{information}entry_points.txt").decode()
    assert wheel.read(f"{information}licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_templates_are_found_in_the_unpacked_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    code = "import multiid; print(multiid.__file__); print(*multiid.template_names())"
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    file, templates = result.stdout.splitlines()
    assert file == str(tmp_path / "multiid" / "__init__.py")
    assert templates.split() == multiid.template_names()


def test_the_source_archive_builds_and_holds_no_photos(dist: Path) -> None:
    (file,) = dist.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "examples/tea.yaml", "tests/conftest.py"} <= names
    assert "src/multiid/__init__.py" in names
    assert "pose_templates/couple-standing.json" in names
    pictures = {name for name in names if Path(name).suffix in (".png", ".jpg", ".jpeg", ".webp")}
    assert all(name.startswith(("pose_templates/previews/", "docs/", "examples/portraits/")) for name in pictures)
