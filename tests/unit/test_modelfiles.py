"""Model files: found in the user's folder or the cache, fetched once from the hub, and never taken unverified."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest

from multiid.errors import ModelFileError
from multiid.modelfiles import MODELS_DIR_VARIABLE, ModelFile, find_model_file, local_model_file, models_dir

CONTENT = b"the weights of a network"
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
FILE = ModelFile("net.onnx", repository="owner/net", sha256=("0" * 64, CHECKSUM), licence="Apache-2.0")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache, no folder of the user's, and no network."""
    monkeypatch.delenv(MODELS_DIR_VARIABLE, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv(MODELS_DIR_VARIABLE, str(folder))
    return folder


def put_in_cache(cache: Path, content: bytes) -> Path:
    """What huggingface_hub leaves behind after a download."""
    repository = cache / "models--owner--net"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    (snapshot / FILE.name).write_bytes(content)
    return snapshot / FILE.name


def test_models_dir(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert models_dir() == folder
    monkeypatch.setenv(MODELS_DIR_VARIABLE, "")
    assert models_dir() is None
    monkeypatch.delenv(MODELS_DIR_VARIABLE)
    assert models_dir() is None
    monkeypatch.setenv(MODELS_DIR_VARIABLE, str(folder / "absent"))
    with pytest.raises(ModelFileError, match=f"Expected {MODELS_DIR_VARIABLE} to name a folder"):
        models_dir()


@pytest.mark.parametrize("place", ["net.onnx", "faces/net.onnx"])
def test_found_in_the_users_folder_or_one_level_below(folder: Path, place: str) -> None:
    path = folder / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENT)
    assert find_model_file(FILE) == path
    assert local_model_file(FILE) == path


def test_found_in_the_cache(cache: Path) -> None:
    path = put_in_cache(cache, CONTENT)
    assert find_model_file(FILE) == path
    assert local_model_file(FILE) == path


def test_the_users_folder_comes_before_the_cache(cache: Path, folder: Path) -> None:
    put_in_cache(cache, CONTENT)
    (folder / FILE.name).write_bytes(CONTENT)
    assert find_model_file(FILE) == folder / FILE.name


def test_wrong_checksum_says_expected_and_got(cache: Path, folder: Path) -> None:
    wrong = b"somebody else's weights"
    for path in (put_in_cache(cache, wrong), folder / FILE.name):
        path.write_bytes(wrong)
        for find in (find_model_file, local_model_file):
            with pytest.raises(ModelFileError) as caught:
                find(FILE)
            for part in (str(path), CHECKSUM, "0" * 64, hashlib.sha256(wrong).hexdigest(), "owner/net"):
                assert part in str(caught.value)


def test_without_a_known_checksum_a_file_is_taken_as_it_is(folder: Path) -> None:
    (folder / FILE.name).write_bytes(b"anything")
    unverified = ModelFile(FILE.name, repository=FILE.repository, sha256=(), licence="unknown")
    assert find_model_file(unverified) == folder / FILE.name


def test_a_file_that_changed_is_verified_anew(folder: Path) -> None:
    path = folder / FILE.name
    path.write_bytes(CONTENT)
    find_model_file(FILE)
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(0, 1))
    with pytest.raises(ModelFileError, match="SHA-256"):
        find_model_file(FILE)


def test_absent_and_offline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_model_file(FILE) is None
    for place in (f"{folder}/net.onnx", f"${MODELS_DIR_VARIABLE}/net.onnx"):
        with pytest.raises(ModelFileError) as caught:
            find_model_file(FILE)
        message = str(caught.value)
        assert "\n" not in message
        for part in ("net.onnx", "HF_HUB_OFFLINE", "repository owner/net", "Apache-2.0", f"put it at {place}."):
            assert part in message
        monkeypatch.delenv(MODELS_DIR_VARIABLE, raising=False)


class Hub(BaseHTTPRequestHandler):
    """The two answers of a hub that a download needs, for one repository; counts what is fetched."""

    content = CONTENT
    fetched = 0

    def answer(self, *, body: bool) -> None:
        known = self.path.startswith(f"/owner/net/resolve/main/{FILE.name}")
        self.send_response(200 if known else 404)
        if known:
            self.send_header("X-Repo-Commit", "b" * 40)
            self.send_header("ETag", '"tag"')
        self.send_header("Content-Length", str(len(self.content) if known else 0))
        self.end_headers()
        if body and known:
            type(self).fetched += 1
            self.wfile.write(self.content)

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps quiet."""


class TestFetching:
    """Against a hub on this machine, in a process of its own: huggingface_hub reads its settings when imported."""

    @pytest.fixture
    def hub(self) -> Iterator[type[Hub]]:
        class FreshHub(Hub):
            pass

        with ThreadingHTTPServer(("127.0.0.1", 0), FreshHub) as server:
            FreshHub.address = f"http://127.0.0.1:{server.server_port}"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield FreshHub
            server.shutdown()

    def find(self, address: str, home: Path) -> subprocess.CompletedProcess[str]:
        code = f"from multiid.modelfiles import *; print(find_model_file({FILE!r}).read_bytes() == {CONTENT!r})"
        settings = {"HF_HUB_OFFLINE": "0", "HF_HOME": str(home), "HF_ENDPOINT": address, "NO_PROXY": "127.0.0.1"}
        return subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **settings}, capture_output=True, text=True, check=False
        )

    def test_fetched_once_then_kept(self, hub: type[Hub], tmp_path: Path) -> None:
        for _ in range(2):
            result = self.find(hub.address, tmp_path)
            assert result.stdout == "True\n", result.stderr
        assert hub.fetched == 1

    def test_what_was_fetched_is_verified(self, hub: type[Hub], tmp_path: Path) -> None:
        hub.content = b"somebody else's weights"
        result = self.find(hub.address, tmp_path)
        assert "ModelFileError: Expected " in result.stderr
        assert f"but got {hashlib.sha256(hub.content).hexdigest()}" in result.stderr

    def test_a_hub_without_the_file(self, hub: type[Hub], tmp_path: Path) -> None:
        result = self.find(f"{hub.address}/elsewhere", tmp_path)
        last = result.stderr.strip().splitlines()[-1]
        assert "ModelFileError: Expected the model file net.onnx" in last
        assert "could not be fetched (" in last
        assert last.endswith(f"put it at ${MODELS_DIR_VARIABLE}/net.onnx.")
