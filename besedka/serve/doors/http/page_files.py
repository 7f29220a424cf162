"""The page's files, from memory: a request for one of them neither opens a file nor waits for a thread.

Modules are joined (`joined_modules`), and all texts are compressed once, when they are first asked for.
"""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from besedka.serve.doors.http.joined_modules import ENTRIES, join

CACHING: Final = "cache-control"
PAGE_CACHING: Final = "no-cache"
"""The page's files change with the server's version only; asking each time (a 304) keeps page and server in step."""

_INDEX: Final = "index.html"
_Versions = tuple[tuple[int, int], ...]
"""The times and sizes of the files from which something was made."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file as it is served, as long as the files from which it was made are these."""

    versions: _Versions
    plain: Response
    compressed: Response


class PageFiles(StaticFiles):
    """The files that a folder has at the start, which a browser may keep; a file that has changed since is read again.

    Args:
        folder: where they are.
        headers: what is sent with each. When they change, so has the file.
    """

    def __init__(self, folder: Path, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(directory=folder)
        self._headers = dict(headers or {})
        self._paths = {
            path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
        }
        self._paths["."] = folder / _INDEX
        modules = [path for path in self._paths if path == ENTRIES[0] or path.startswith("chat/")]
        self._modules = modules if set(ENTRIES) <= set(modules) else []
        self._joined: tuple[_Versions, dict[str, str]] = ((), {})
        self._kept: dict[str, _Kept] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": "GET, HEAD"})
        if path not in self._paths:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        asked, kept = Headers(scope=scope), self._file(path)
        response = kept.compressed if "gzip" in asked.get("accept-encoding", "") else kept.plain
        if self.is_not_modified(response.headers, asked):
            return NotModifiedResponse(response.headers)
        return response

    def _file(self, path: str) -> _Kept:
        """A file, as it is now; the same one as long as the file is."""
        parts = self._modules if path in self._modules else [path]
        versions = tuple(
            (stat.st_mtime_ns, stat.st_size) for stat in (self._paths[part].stat() for part in parts)
        )
        if path not in self._kept or self._kept[path].versions != versions:
            data = self._module(path, versions) if path in self._modules else self._paths[path].read_bytes()
            kind = mimetypes.guess_type(self._paths[path])[0] or "text/plain"
            self._kept[path] = _Kept(versions, self._response(data, kind), self._compressed(data, kind))
        return self._kept[path]

    def _module(self, path: str, versions: _Versions) -> bytes:
        """A module with what comes with it, or what stands in its place where it has come with another."""
        if self._joined[0] != versions:
            self._joined = versions, join(lambda module: self._paths[module].read_text(encoding="utf-8"))
        joined = self._joined[1].get(path)
        return self._paths[path].read_bytes() if joined is None else joined.encode()

    def _response(self, data: bytes, kind: str, **headers: str) -> Response:
        headers |= {CACHING: PAGE_CACHING, "vary": "accept-encoding", **self._headers}
        version = sha256(repr((data, headers)).encode()).hexdigest()[:32]
        return Response(data, headers={**headers, "etag": f'"{version}"'}, media_type=kind)

    def _compressed(self, data: bytes, kind: str) -> Response:
        return self._response(gzip.compress(data, mtime=0), kind, **{"content-encoding": "gzip"})
