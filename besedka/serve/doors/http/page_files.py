"""The page's files, from memory: a request for one of them neither opens a file nor waits for a thread."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

CACHING: Final = "cache-control"
PAGE_CACHING: Final = "no-cache"
"""The page's files change with the server's version only; asking each time (a 304) keeps page and server in step."""

_INDEX: Final = "index.html"


class PageFiles(StaticFiles):
    """The files that a folder has at the start, which a browser may keep; a file that has changed since is read again.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        self._paths["."] = folder / _INDEX
        self._kept: dict[Path, tuple[tuple[int, int], Response]] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": "GET, HEAD"})
        if path not in self._paths:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        response = self._response(self._paths[path])
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response

    def _response(self, path: Path) -> Response:
        """The response with a file, as it is now; the same one as long as the file is."""
        stat = path.stat()
        state = (stat.st_mtime_ns, stat.st_size)
        if path not in self._kept or self._kept[path][0] != state:
            # What `FileResponse` says of a file, without its reading it at each request.
            described = FileResponse(path, stat_result=stat, headers={CACHING: PAGE_CACHING})
            del described.headers["accept-ranges"]
            self._kept[path] = state, Response(path.read_bytes(), headers=dict(described.headers))
        return self._kept[path][1]
