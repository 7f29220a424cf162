"""What the server knows of people, as it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.serve.fairness import Fairness, Sources
from besedka.serve.register import Register
from besedka.serve.settings import Settings
from besedka.wire.refusals import Code, Refused
from tests import looping


def test_a_name_that_cannot_be_had_costs_the_address_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        register = Register(Settings(history=tmp_path / "talk.txt"), lambda: 1_800_000_000.0)
        sources = Sources(Fairness())
        pace = sources.pace(sources.admit("192.0.2.1"))
        register.come_in("Anna", "", "somebody without a secret", pace)
        for number in range(300):
            with pytest.raises(Refused) as refused:
                register.come_in("Anna", f"secret {number}", "", pace)
            assert refused.value.code is Code.NAME_TAKEN
        for number in range(200):
            register.come_in(f"Name {number}", f"secret {number}", "", pace)
        with pytest.raises(Refused) as refused:
            register.come_in("One more", "secret", "", pace)
        assert refused.value.code is Code.TOO_MANY_NAMES

    looping.run(scenario())
