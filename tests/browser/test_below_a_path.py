"""The page where the chat is below a path of its host, with nginx before it and without."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit, come_in, recognized, say, wait_for_text
from tests.browser.test_tabs_and_offline import LOOKED_AFTER
from tests.conftest import ServerMaker
from tests.proxies.proxying import make_certificate, nginx
from tests.proxies.test_nginx import BELOW, OPEN, SNIPPET, TARGET


def test_behind_nginx_with_tls_all_that_the_page_asks_for_is_below_its_path(
    make_server: ServerMaker, tmp_path: Path, visit: Visit
) -> None:
    server = make_server(*OPEN, "--public-host", "localhost", "--base-path", "/chat", grpc=True).start()
    snippet = SNIPPET.replace(f"    location / {{\n        {TARGET}", BELOW)
    with nginx(tmp_path, server, make_certificate(tmp_path), snippet) as proxy:
        place = f"localhost:{proxy.port}/chat"
        page = visit("about:blank", ignore_https_errors=True)
        sockets: list[str] = []
        requests: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"https://{place}#dev")
        come_in(page, "Anna")
        say(page, "from below")
        wait_for_text(page, "from below")
        page.wait_for_url(f"https://{place}/#dev")
        assert sockets == [f"wss://{place}/ws"]
        assert len(requests) > 8
        assert [url for url in requests[1:] if not url.startswith(f"https://{place}/")] == []
    log = (server.directory / "chat_history.dev.txt").read_text(encoding="utf-8")
    assert log.endswith("] Anna: from below\n")


def test_the_page_is_kept_for_its_own_path_only(make_server: ServerMaker, visit: Visit) -> None:
    server = make_server("--lang", "en", "--base-path", "/talk/chat").start()
    page = visit(f"{server.page}talk/chat/", service_workers="allow")
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    come_in(page, "Anna")
    page.evaluate(LOOKED_AFTER)
    scope = page.evaluate("navigator.serviceWorker.getRegistration().then(({ scope }) => scope)")
    assert scope == f"{server.page}talk/chat/"
    server.stop()
    page.reload()
    recognized(page, "Anna")
    say(page, "later")
    expect(page.locator(".waiting .text")).to_have_text("later")
    server.start()
    wait_for_text(page, "later")
    # Nobody else's port is knocked at: the page is Besedka's own.
    assert set(sockets) == {server.url("/talk/chat/ws").replace("127.0.0.1", "localhost")}
