"""Fixtures for the tests with proxies."""

from __future__ import annotations

import pytest

from tests.proxies.proxying import Certificate, make_certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the proxies, and for a chat that has TLS of its own."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))
