"""Files of other programs: one table for `import`, `history`, `verify` and the start of a server."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from besedka import cli
from besedka.serve.banner import report
from besedka.serve.errors import HistoryUnusable
from besedka.serve.history import ChatHistory
from tests.conftest import ServerMaker
from tests.running import ROOT

LOGS = ROOT / "tests" / "vectors" / "logs"


@dataclass(frozen=True)
class Ours:
    """It holds messages of ours: how many, and which lines are none."""

    messages: int
    strange: int = 0
    first: int = 0
    open_line: int = 0

    @property
    def strange_report(self) -> str:
        """How the lines that are no messages are told."""
        what = "1 line is no message" if self.strange == 1 else f"{self.strange} lines are no messages"
        return f"{what}, first: line {self.first}" if self.strange else ""


@dataclass(frozen=True)
class Foreign:
    """It holds none: what it looks like as it is, and what it does when it is imported."""

    looks_like: str
    imported: str = ""


TABLE: dict[str, Ours | Foreign] = {
    "README.md": Foreign("text in another format"),
    "bomcrlf.txt": Ours(2, open_line=2),
    "dce.txt": Foreign("an export of Discord"),
    "eggdrop.log": Foreign("a log of an IRC client"),
    "irssi.log": Foreign("a log of irssi"),
    "limnoria.log": Foreign("a log of an IRC client"),
    "matrix.txt": Foreign("text in another format"),
    "mirc.log": Foreign("text in UTF-16", "it looks like a log of mIRC"),
    "mm.csv": Foreign("text in another format"),
    "multiuser_server_noblank.txt": Ours(3, 3, 1),
    "names.txt": Ours(3),
    "pidgin.txt": Foreign("a log of Pidgin"),
    "seed.txt": Ours(2),
    "seed_cp1251.txt": Ours(2),
    "seed_koi8.txt": Ours(1),
    "seed_sysmsg.txt": Ours(10, 7, 3),
    "seed_utf16.txt": Foreign("text in UTF-16", ""),
    "signal.txt": Foreign("an export of Signal"),
    "skype.txt": Ours(2, 2, 2),
    "slackdump.txt": Foreign("an export of Slack"),
    "telegram.txt": Foreign("text in another format"),
    "textual.txt": Foreign("a log of an IRC client"),
    "weechat.weechatlog": Foreign("a log of WeeChat"),
    "weird_stamps.txt": Ours(9),
    "whatsapp_android.txt": Foreign("an export of WhatsApp"),
    "whatsapp_ios.txt": Foreign("an export of WhatsApp"),
    "znc.log": Foreign("a log of an IRC client"),
    "znc_full.log": Ours(3, 5, 2),
}
DECODED = {"seed_utf16.txt": 2}
OTHER_ENCODINGS = {"seed_cp1251.txt": ("cp1251", "Анна: привет"), "seed_koi8.txt": ("koi8-r", "Анна: привет")}

Besedka = Callable[..., tuple[int, str, str]]


@pytest.fixture
def besedka(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Besedka:
    """Runs a command in this process, in a folder of its own: its status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["besedka", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        sys.stdout.flush()
        out, err = (stream.decode() for stream in capfdbinary.readouterr())
        status = ended.value.code
        assert isinstance(status, int)
        return status, out, err

    return run


def test_the_table_has_every_sample() -> None:
    assert sorted(TABLE) == sorted(path.name for path in LOGS.iterdir())


@pytest.mark.parametrize("name", sorted(set(TABLE) - set(OTHER_ENCODINGS)))
def test_import_takes_messages_names_other_lines_and_never_ends_well_without_a_message(
    besedka: Besedka, tmp_path: Path, name: str
) -> None:
    expected = TABLE[name]
    status, out, err = besedka("import", str(LOGS / name))
    assert out == ""
    target = tmp_path / "chat_history.txt"
    if isinstance(expected, Ours) or name in DECODED:
        count = expected.messages if isinstance(expected, Ours) else DECODED[name]
        assert (status, f"{count} messages imported, {count} in all" in err) == (0, True), err
        assert isinstance(expected, Foreign) or (
            expected.strange_report in err if expected.strange_report else "no message" not in err
        )
        with_ids = ChatHistory.open_to_read(target)
        assert (with_ids.count, with_ids.restored.strange.lines) == (count, 0)
    else:
        assert status == 1
        assert (expected.imported or f"it looks like {expected.looks_like}") in err
        assert "Besedka reads lines like [2025-11-19 23:46:36] Anna: Hello" in err
        assert "no message, first: line " in err or "are no messages, first: line " in err
        assert len(err.splitlines()) == 1
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", OTHER_ENCODINGS)
def test_import_refuses_what_is_not_utf_8_unless_an_encoding_is_given(
    besedka: Besedka, tmp_path: Path, name: str
) -> None:
    status, _, err = besedka("import", str(LOGS / name))
    assert (status, "line 1 is not UTF-8" in err, "--encoding" in err) == (1, True, True)
    assert list(tmp_path.iterdir()) == []
    encoding, part = OTHER_ENCODINGS[name]
    assert besedka("import", str(LOGS / name), "--encoding", encoding)[0] == 0
    lines = (tmp_path / "chat_history.txt").read_text(encoding="utf-8")
    assert lines.startswith(f"[2009-11-19 23:46:36] {part}\n")


@pytest.mark.parametrize("name", TABLE)
def test_history_and_verify_print_messages_only_and_report_other_lines_on_stderr(
    besedka: Besedka, tmp_path: Path, name: str
) -> None:
    expected = TABLE[name]
    path = Path(shutil.copy(LOGS / name, tmp_path))
    for command in (["history"], ["verify"]):
        if command == ["verify"] and name in OTHER_ENCODINGS:
            continue  # that is damage: `test_damage_is_reported_by_verify`
        status, out, err = besedka(*command, name)
        if isinstance(expected, Foreign):
            assert (status, out) == (1, "")
            assert f"it holds no message of Besedka and looks like {expected.looks_like}" in err
        else:
            assert (status, err) == (
                0,
                f"besedka: {name}: {expected.strange_report}\n" if expected.strange_report else "",
            )
            assert "no message" not in out
            assert (
                command == ["verify"]
                or sum(row.startswith("[") for row in out.splitlines()) == expected.messages
            )
    assert path.read_bytes() == (LOGS / name).read_bytes()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", OTHER_ENCODINGS)
def test_damage_is_reported_by_verify(besedka: Besedka, name: str) -> None:
    status, _, err = besedka("verify", str(LOGS / name))
    assert (status, "line 1 is damaged: it holds NULs or bytes that are no UTF-8" in err) == (1, True)


@pytest.mark.parametrize("name", TABLE)
def test_a_server_refuses_or_reports_and_changes_no_byte(tmp_path: Path, name: str) -> None:
    expected = TABLE[name]
    path = Path(shutil.copy(LOGS / name, tmp_path))
    if isinstance(expected, Foreign):
        with pytest.raises(HistoryUnusable, match=f"looks like {expected.looks_like}; it was left as it is"):
            ChatHistory.open(path)
        assert list(tmp_path.iterdir()) == [path]
    else:
        history = ChatHistory.open(path)
        strange_report = report(history.restored, "2026-01-01 00:00:00")
        history.close()
        assert history.count == expected.messages
        assert (
            expected.strange_report in strange_report
            if expected.strange_report
            else "no message" not in strange_report
        )
        assert ("has no end" in strange_report) == bool(expected.open_line)
    assert path.read_bytes() == (LOGS / name).read_bytes()


def test_a_started_server_reports_what_it_left_out(make_server: ServerMaker) -> None:
    server = make_server()
    shutil.copy(LOGS / "skype.txt", server.history)
    server.start()
    assert "2 lines are no messages, first: line 2" in "\n".join(server.greeting)
    assert server.stop() == 0
    assert server.history.read_bytes() == (LOGS / "skype.txt").read_bytes()
