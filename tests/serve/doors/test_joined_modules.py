"""The page's modules, joined: the same program, in fewer files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from besedka.serve.doors.http.joined_modules import ENTRIES, UnreadableModuleError, join, parse
from besedka.serve.doors.http.pages import PAGE as CLIENT
from tests.page.test_page_modules import NODE

PAGE = {
    "chat.js": """// The page.

import {
  count,
  next as again,
} from "./chat/counter.js";

const { strings } = await import("./chat/strings.js");

globalThis.find = async () => {
  const features = await import("./chat/features.js");
  const { View } = await import(`./chat/view/${"lazy"}.js`);
  const { next } = await import("./chat/counter.js");
  return [strings.hi, again(), next(), features.total(), features.Late.name, new View().count, count];
};
""",
    "chat/counter.js": "// Counts.\n\nlet at = 0;\n\nexport const count = 0;\n\nexport function next() {\n  return ++at;\n}\n",
    "chat/strings.js": "export const strings = { hi: 'hello' };\n",
    "chat/features.js": (
        'import { next } from "./counter.js";\nimport { double } from "./sums/double.js";\n\n'
        'export { Old as Late } from "./late.js";\n\nexport const total = () => double(next());\n'
    ),
    "chat/late.js": "export class Old {}\n",
    "chat/sums/double.js": 'import { next } from "../counter.js";\n\nexport const double = (number) => 2 * number + 0 * next();\n',
    "chat/view/catalog.js": 'import { Old } from "../late.js";\n\nexport const VIEWS = { Old };\n',
    "chat/view/lazy.js": (
        'import { next } from "../counter.js";\n\nexport class View {\n  count = next();\n}\n'
    ),
}


def run(folder: Path) -> object:
    """The result of the page, read from a folder."""
    (folder / "package.json").write_text('{"type": "module"}')
    script = "await import('./chat.js'); console.log(JSON.stringify(await globalThis.find()))"
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_joined_modules_are_the_same_program(tmp_path: Path) -> None:
    def read(path: str) -> str:
        return (tmp_path / path).read_text()

    for path, text in PAGE.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    apart = run(tmp_path)
    joined = join(read)
    assert joined.keys() == PAGE.keys() - {"chat/strings.js", "chat/view/lazy.js"}
    for path, text in joined.items():
        (tmp_path / path).write_text(text)
    assert run(tmp_path) == apart == ["hello", 1, 2, 6, "Old", 5, 0]


def test_the_page_is_joined_and_its_other_modules_stay_as_they_are() -> None:
    joined = join(lambda path: (CLIENT / path).read_text(encoding="utf-8"))
    stubs = {path for path in joined if joined[path].count("\n") == 2}
    assert stubs == joined.keys() - set(ENTRIES)
    assert {"chat/room.js", "chat/people/state.js", "chat/rooms/sidebar.js"} <= stubs
    assert "chat/help/view.js" not in joined


@pytest.mark.parametrize(
    "text",
    [
        'import View from "./view.js";',
        'import * as view from "./view.js";',
        'import "./view.js";',
        "export default 1;",
        "export let at = 0;",
        "const a = 1;\nexport { a };",
        'export * from "./view.js";',
    ],
)
def test_a_module_that_is_written_in_another_way_is_refused_by_its_line(text: str) -> None:
    with pytest.raises(UnreadableModuleError, match=r"chat/odd\.js: '(import|export) .*' cannot be joined"):
        parse("chat/odd.js", text)
