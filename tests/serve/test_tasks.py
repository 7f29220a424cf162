"""Tasks that are cancelled end, also where a library swallows a cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from besedka.serve.tasks import cancel_all
from tests import looping


def test_a_task_that_loses_its_first_cancellation_ends_all_the_same() -> None:
    async def scenario() -> None:
        never = asyncio.Event()

        async def stubborn() -> None:
            with suppress(asyncio.CancelledError):
                await never.wait()
            await never.wait()

        async def failing() -> None:
            try:
                await never.wait()
            finally:
                raise ValueError("at its end")

        tasks = [asyncio.create_task(work()) for work in (stubborn, failing, never.wait)]
        await asyncio.sleep(0)
        await asyncio.wait_for(cancel_all(tasks), 60)
        assert all(task.done() for task in tasks)

    looping.run(scenario())
