"""What the tests of attacks may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import TalkerMaker
from tests.talking import Talker


@pytest.fixture
def bystander(talker: TalkerMaker) -> Iterator[Talker]:
    """Somebody who talks with himself meanwhile, and must notice nothing: no frame, no wait, no end."""
    talker_ = talker()
    talker_.join("Bystander", "quiet")
    assert talker_.hear()["joined"] == ["Bystander"]
    yield talker_
    talker_.tell("chat", room="quiet", text="all is well")
    assert talker_.hear(seconds=30)["text"] == "all is well"
