"""A hub on this machine, which answers huggingface_hub as the real one does, from folders."""

import hashlib
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlparse

import huggingface_hub
import huggingface_hub.constants
import pytest

COMMIT = "c" * 40


@dataclass
class Hub:
    """What a local hub holds and what was asked of it.

    Attributes:
        repositories: a folder for each repository, "owner/name".
        claimed: sizes to report instead of the true ones, by file name.
        broken: names of files that it fails to give.
        fetched: the files whose content was given, as "owner/name/file", in order.
        asked: how many requests there were.
    """

    repositories: dict[str, Path]
    claimed: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    fetched: list[str] = field(default_factory=list)
    asked: int = 0

    def files(self, repository: str) -> dict[str, Path]:
        folder = self.repositories[repository]
        return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}

    def size(self, name: str, path: Path) -> int:
        return self.claimed.get(Path(name).name, path.stat().st_size)


@contextmanager
def serve(hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Has huggingface_hub talk to a hub, with an empty cache."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        constants = huggingface_hub.constants
        with monkeypatch.context() as patch:
            patch.setenv("NO_PROXY", "127.0.0.1")
            patch.setattr(constants, "ENDPOINT", address)
            patch.setattr(
                constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
            )
            patch.setattr(constants, "HF_HUB_OFFLINE", False)
            patch.setattr(constants, "HF_HUB_CACHE", str(cache))
            huggingface_hub.close_session()
            yield
        huggingface_hub.close_session()
        server.shutdown()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, *, body: bool) -> None:
            hub.asked += 1
            parts = [unquote(part) for part in urlparse(self.path).path.strip("/").split("/")]
            if parts[:2] == ["api", "models"]:
                repository = "/".join(parts[2:4])
                if repository not in hub.repositories:
                    self.give(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body=body)
                    return
                listing = self.tree(repository) if parts[4:5] == ["tree"] else self.about(repository)
                self.give(200, json.dumps(listing).encode(), {"Content-Type": "application/json"}, body=body)
                return
            repository, name = "/".join(parts[:2]), "/".join(parts[4:])
            path = hub.files(repository).get(name) if repository in hub.repositories else None
            if path is None:
                self.give(404, b"", {"X-Error-Code": "EntryNotFound"}, body=body)
            elif Path(name).name in hub.broken and body:
                self.give(403, b"", {}, body=body)
            else:
                if body:
                    hub.fetched.append(f"{repository}/{name}")
                content = path.read_bytes()
                tag = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
                self.give(200, content, tag, body=body)

        def about(self, repository: str) -> dict[str, object]:
            siblings = [
                {"rfilename": name, "size": hub.size(name, path)} for name, path in hub.files(repository).items()
            ]
            return {"id": repository, "modelId": repository, "sha": COMMIT, "siblings": siblings}

        def tree(self, repository: str) -> list[dict[str, object]]:
            return [
                {
                    "type": "file",
                    "path": name,
                    "size": hub.size(name, path),
                    "oid": hashlib.sha1(name.encode()).hexdigest(),
                }
                for name, path in hub.files(repository).items()
            ]

        def give(self, status: int, content: bytes, headers: dict[str, str], *, body: bool) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def log_message(self, format: str, *args: object) -> None:
            """Keeps quiet."""

    return Handler
