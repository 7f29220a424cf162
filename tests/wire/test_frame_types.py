"""The page's types of frames are those of the protocol."""

from __future__ import annotations

import runpy

from tests.running import ROOT


def test_the_typescript_types_of_frames_are_those_of_the_python_frames() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "make_frame_types.py"))["declarations"]()
    assert (ROOT / "types" / "frames.d.ts").read_text(encoding="utf-8") == made, "run `make frames`"
