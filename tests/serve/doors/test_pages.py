"""The HTTP application: each request waits as long as its client's rate limit says."""

from __future__ import annotations

import asyncio
import gzip
import shutil
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from besedka.serve.doors.http.page_files import PageFiles
from besedka.serve.doors.http.pages import PAGE, paced
from besedka.serve.limits.rate_limits import HTTP_FRAMES, REFUSED_FRAMES, RateLimiter, RateLimits
from besedka.serve.limits.sources import Sources
from tests import looping

FIRST_BYTES_AT_MOST = 60_000
"""The bytes that a browser loads until one can talk, before compression."""

RATE = 10.0
"""Twenty frames a second, and two seconds' worth at once."""


async def answered(limiter: RateLimiter, requests: int, status: int = 200) -> float:
    """How long a client waits for the answers to so many requests at once, in seconds."""
    loop = asyncio.get_running_loop()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status})

    async def receive() -> Message:
        raise AssertionError("nobody reads")

    async def send(_: Message) -> None:
        pass

    async def request() -> None:
        limiter.charge_frames(loop.time(), 1)
        await paced(app, loop.time)({"type": "http", "state": {"limiter": limiter}}, receive, send)

    begun = loop.time()
    await asyncio.gather(*(request() for _ in range(requests)))
    return loop.time() - begun


def test_requests_over_the_rate_are_answered_later_and_those_of_others_at_once() -> None:
    sources = Sources(RateLimits(rate=RATE, rate_address=RATE))
    one, other = (sources.limiter(sources.admit(f"192.0.2.{number}")) for number in (1, 2))
    assert looping.run_jumping(answered(one, 40)) == 0
    assert looping.run_jumping(answered(one, 60)) == pytest.approx(3)
    assert looping.run_jumping(answered(other, 40)) == 0


def test_a_request_that_is_refused_costs_what_a_refusal_does() -> None:
    sources = Sources(RateLimits(rate=RATE, rate_address=RATE))
    limiter = sources.limiter(sources.admit("192.0.2.1"))
    assert looping.run_jumping(answered(limiter, 40, status=404)) == 0
    assert limiter.delay(0) == pytest.approx(40 * (1 + REFUSED_FRAMES - HTTP_FRAMES) / 20 - 2)


def get(files: PageFiles, path: str, **headers: str) -> Response:
    """The response to a GET."""
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return looping.run(files.get_response(path, {"type": "http", "method": "GET", "headers": sent}))


def test_a_file_of_the_page_that_has_changed_is_read_again_and_one_that_is_new_is_not_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "index.html").write_text("one")
    files = PageFiles(tmp_path)
    first = get(files, ".")
    assert (first.body, first.headers["cache-control"]) == (b"one", "no-cache")
    assert get(files, ".", if_none_match=first.headers["etag"]).status_code == 304
    (tmp_path / "index.html").write_text("another")
    (tmp_path / "new.js").write_text("")
    assert get(files, "index.html", if_none_match=first.headers["etag"]).body == b"another"
    with pytest.raises(HTTPException, match="404"):
        get(files, "new.js")


def test_a_module_comes_with_all_that_it_imports_as_that_is_now(tmp_path: Path) -> None:
    shutil.copytree(PAGE, tmp_path, dirs_exist_ok=True)
    files = PageFiles(tmp_path)
    first = get(files, "chat.js")
    room, opened_later = get(files, "chat/room.js"), get(files, "chat/help/view.js")
    assert b"export const newRoom" not in first.body
    assert b"const newRoom" in first.body
    assert bytes(room.body).count(b"\n") == 2
    assert opened_later.body == (PAGE / "chat" / "help" / "view.js").read_bytes()
    module = tmp_path / "chat" / "room.js"
    module.write_text(module.read_text("utf-8").replace("newRoom", "madeRoom"), "utf-8")
    assert b"const madeRoom" in get(files, "chat.js", if_none_match=first.headers["etag"]).body
    assert b"madeRoom" in get(files, "chat/room.js").body


def test_a_file_of_the_page_is_compressed_for_those_who_can_read_that() -> None:
    files = PageFiles(PAGE)
    plain = get(files, "chat.js")
    packed = get(files, "chat.js", accept_encoding="br, gzip, deflate")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2
    assert plain.headers["content-type"] == packed.headers["content-type"]
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"
    assert plain.headers["etag"] != packed.headers["etag"]
    again = get(files, "chat.js", accept_encoding="gzip", if_none_match=packed.headers["etag"])
    assert (again.status_code, again.body) == (304, b"")


def test_an_icon_for_phones_has_its_type_and_is_asked_for_again_like_any_file_of_the_page() -> None:
    files = PageFiles(PAGE)
    for name in ("icon-192.png", "icon-512.png", "icon-maskable.png", "apple-touch-icon.png"):
        icon = get(files, name)
        assert icon.body == (PAGE / name).read_bytes()
        assert icon.headers["content-type"] == "image/png"
        assert icon.headers["cache-control"] == "no-cache"
        assert get(files, name, if_none_match=icon.headers["etag"]).status_code == 304


@pytest.mark.parametrize("language", ["en", "ru"])
def test_logging_in_and_posting_takes_less_than_sixty_thousand_bytes(language: str) -> None:
    files = PageFiles(PAGE)
    paths = [".", "style.css", "icon.svg", "chat.js", f"chat/language/{language}.js"]
    sizes = {path: len(get(files, path).body) for path in paths}
    assert sum(sizes.values()) < FIRST_BYTES_AT_MOST, sizes


def test_a_file_whose_headers_have_changed_has_changed() -> None:
    first = get(PageFiles(PAGE, {"content-security-policy": "default-src 'self'"}), ".")
    assert first.headers["content-security-policy"] == "default-src 'self'"
    later = PageFiles(PAGE, {"content-security-policy": "default-src 'none'"})
    assert get(later, ".", if_none_match=first.headers["etag"]).status_code == 200
