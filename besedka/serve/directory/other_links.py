"""Add-a-device links of the other nodes of a cluster, as requests see them. A server that is alone has none."""

from __future__ import annotations

from typing import Protocol


class OtherLinks(Protocol):
    """The links of all nodes."""

    async def offer(self, token: str) -> None:
        """Have a link that was made here be valid at the other nodes."""

    async def take(self, token: str) -> tuple[str, str]:
        """Use a link of another node.

        Returns:
            The name and the secret.

        Raises:
            Refused: `bad_link`; `out_of_reach` if it is not known whether there is such a link.
        """
