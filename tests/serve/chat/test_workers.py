"""The threads that read for the loop: what an error of the system means to whoever asked."""

from __future__ import annotations

import errno
import os

import pytest

from besedka.serve.chat.workers import Workers
from besedka.wire.errors import ErrorCode, Refused
from tests import looping


@pytest.mark.parametrize(
    ("is_stopping", "code"), [(True, ErrorCode.GOING_DOWN), (False, ErrorCode.ROOM_UNAVAILABLE)]
)
def test_a_log_that_is_closed_by_a_stop_while_it_is_read_is_no_error_of_the_disk(
    is_stopping: bool, code: ErrorCode, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        workers = Workers()

        def read() -> None:
            if is_stopping:
                workers.stop()
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

        try:
            with pytest.raises(Refused) as refused:
                await workers.read(read)
        finally:
            workers.close()
        assert refused.value.code is code
        assert bool(caplog.records) is not is_stopping

    looping.run(scenario())
