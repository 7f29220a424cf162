"""The sources of a command's access key; a key that has worked is remembered."""

from __future__ import annotations

from typing import NamedTuple

from besedka.commands.options import DEFAULT_URL, setting
from besedka.commands.preferences import preferences

KEY = setting(
    "--key",
    show_default="the remembered one",
    help="The access key, if it is not in the address. Others on this machine see what is given here: BESEDKA_KEY is better.",
)


class AccessKey(NamedTuple):
    """An access key, and where it comes from.

    Attributes:
        text: the key; empty if there is none.
        source: for people.
    """

    text: str
    source: str


def find_key(url: str, option: str | None) -> AccessKey:
    """The key for a chat: from the address, the option, the config file, or the one that has worked there before.

    The config file's key belongs to the chat that its ``url`` names; it is never sent to another.

    Args:
        url: as typed.
        option: the value of ``--key`` or of the environment.

    Raises:
        InvalidAddress: if the URL or the key is not valid.
    """
    from besedka.home import remembered_key
    from besedka.remote.address import address, check_key

    there = address(url)
    check_key(option or "")
    if there.key:
        return AccessKey(there.key, "from the address")
    if option:
        return AccessKey(option, "from --key or BESEDKA_KEY")
    own = preferences()
    if "key" in own and address(own.get("url", DEFAULT_URL)).url == there.url:
        return AccessKey(own["key"], "from the config file")
    return AccessKey(remembered_key(there.url), "remembered")


def remember(url: str, key: str) -> None:
    """Remember a key that has worked for a chat."""
    from besedka.home import remember_key
    from besedka.remote.address import address

    if key:
        remember_key(address(url).url, key)
