"""The façade: what it lists is there, what is there is listed, and all of it is documented."""

import ast
import dataclasses
import importlib
import inspect
import itertools
import types
from pathlib import Path

import pytest
from conftest import ROOT

import multiid

SOURCES = sorted((ROOT / "src" / "multiid").rglob("*.py"))
FACADE = ROOT / "src" / "multiid" / "__init__.py"


def imported(nodes: list[ast.stmt]) -> dict[str, tuple[str, ...]]:
    """Module to names of the from-imports among some statements."""
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {node.module or "": tuple(alias.name for alias in node.names) for node in imports}


def test_every_name_resolves_to_itself_each_time() -> None:
    for name in multiid.__all__:
        assert getattr(multiid, name) is getattr(multiid, name)
    namespace: dict[str, object] = {}
    exec("from multiid import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(multiid.__all__)


def test_nothing_public_is_left_out() -> None:
    """Submodules, which Python hangs on the package as they are imported, are no part of the façade."""
    helpers = {"import_module", "TYPE_CHECKING", "Any"}
    public = {
        name
        for name, value in vars(multiid).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name not in helpers
    }
    assert public <= set(multiid.__all__)
    assert dir(multiid) == sorted(multiid.__all__)
    assert len(multiid.__all__) == len(set(multiid.__all__))


def test_unknown_names_are_unknown() -> None:
    with pytest.raises(AttributeError, match="module 'multiid' has no attribute 'Composr'"):
        multiid.Composr  # noqa: B018
    assert not hasattr(multiid, "nothing")


def test_type_checkers_see_what_is_loaded_later() -> None:
    (block,) = (node for node in ast.parse(FACADE.read_text()).body if isinstance(node, ast.If))
    assert isinstance(block.test, ast.Name)
    assert block.test.id == "TYPE_CHECKING"
    assert imported(block.body) == multiid._HOMES
    assert set(multiid._HOME_OF) < set(multiid.__all__)


def test_names_come_from_where_they_are_made() -> None:
    """Not through a module that happens to import them, and each is public there."""
    for home, names in multiid._HOMES.items():
        module = importlib.import_module(home)
        for name in names:
            assert name in module.__all__
            made_in = getattr(getattr(module, name), "__module__", home)
            assert made_in == home or not made_in.startswith("multiid")


def is_documented(name: str) -> bool:
    value = getattr(multiid, name)
    if inspect.isfunction(value):
        return bool(value.__doc__)
    if inspect.isclass(value):
        own = vars(value).get("__doc__") or ""
        # Dataclasses write their signature where there is no docstring.
        return bool(own) and not (dataclasses.is_dataclass(value) and own.startswith(f"{name}("))
    # A constant or an alias: a string beneath it.
    source = Path(importlib.import_module(multiid._HOME_OF[name]).__file__ or "").read_text(encoding="utf-8")
    for statement, following in itertools.pairwise(ast.parse(source).body):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
    return False


@pytest.mark.parametrize("name", sorted(set(multiid.__all__) - {"__version__"}))
def test_every_name_is_documented(name: str) -> None:
    assert is_documented(name)


def test_the_version_is_the_distributions() -> None:
    assert f'version = "{multiid.__version__}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_modules_say_what_they_export(source: Path) -> None:
    """Each lists its public names, and has what it lists; packages other than the façade list none."""
    module = importlib.import_module(
        ".".join(source.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    )
    assert module.__doc__
    names = getattr(module, "__all__", None)
    if names is None:
        assert source.name == "__init__.py"
        assert not [node for node in ast.parse(source.read_text()).body if not isinstance(node, ast.Expr)]
    else:
        assert all(hasattr(module, name) for name in names)


def test_one_file_alone_imports_controlnet_aux() -> None:
    """Its OpenPose is for non-commercial use: it reads photos for who asks for that, and draws nothing."""
    for source in SOURCES:
        if source.name == "openpose.py":
            continue
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
            assert not any(name.split(".")[0] == "controlnet_aux" for name in names), source
