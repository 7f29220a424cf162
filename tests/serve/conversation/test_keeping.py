"""Keeping order, by the parts: what the operator is refused before anything is noted."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.serve.chat import Chat
from besedka.serve.conversation import Keeping
from besedka.serve.people.names import claim_of
from besedka.serve.settings import Settings
from besedka.wire.refusals import Code, Language, Refused
from besedka.wire.words import Act, Invitation, Moderate
from tests import looping


@pytest.mark.parametrize("looks", ["Anna", "anna", "Аnna"])
def test_nobody_is_admitted_to_a_name_that_is_somebodys(tmp_path: Path, looks: str) -> None:
    async def scenario() -> None:
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        await chat.start()
        chat.register.names.take("Anna", claim_of("her secret"), chat.stamp())
        keeping = Keeping(chat, Language.EN)
        with pytest.raises(Refused) as refused:
            await keeping.command(Moderate(Act.ADMIT, user=looks))
        assert refused.value.code is Code.NAME_CLAIMED
        assert not list(chat.register.invitations.rows())
        assert not (tmp_path / "audit.txt").read_text()
        # Once the name is free again, it can be somebody else's.
        await keeping.command(Moderate(Act.RELEASE, user="Anna"))
        assert isinstance(await keeping.command(Moderate(Act.ADMIT, user=looks)), Invitation)
        await chat.close()

    looping.run(scenario())
