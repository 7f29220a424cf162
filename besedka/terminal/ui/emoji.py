"""Emoji by their names, as `:smile:`: the names are those of the page (`besedka/client/chat/writing/emoji.js`; a test compares them). Pure."""

from __future__ import annotations

import re
from typing import Final

from besedka.terminal.ui.markup import Kind, Node, parse

_NAMES: Final = """
smile 😄 smiley 😃 grin 😁 laughing 😆 joy 😂 rofl 🤣 sweat_smile 😅 wink 😉 blush 😊 slight_smile 🙂 upside_down 🙃 innocent 😇
heart_eyes 😍 kissing_heart 😘 yum 😋 stuck_out_tongue 😛 zany 🤪 nerd 🤓 sunglasses 😎 star_struck 🤩 partying 🥳 smirk 😏
unamused 😒 pensive 😔 confused 😕 worried 😟 frowning ☹️ cry 😢 sob 😭 angry 😠 rage 😡 scream 😱 flushed 😳 hot 🥵 cold 🥶
exploding_head 🤯 thinking 🤔 shushing 🤫 zipper_mouth 🤐 raised_eyebrow 🤨 neutral 😐 expressionless 😑 rolling_eyes 🙄
grimacing 😬 relieved 😌 sleepy 😪 sleeping 😴 mask 😷 sick 🤢 sneezing 🤧 dizzy 😵 hugs 🤗 salute 🫡 melting 🫠 clown 🤡 ghost 👻
skull 💀 alien 👽 robot 🤖 poop 💩 see_no_evil 🙈 hear_no_evil 🙉 speak_no_evil 🙊
thumbsup 👍 thumbsdown 👎 ok_hand 👌 clap 👏 wave 👋 raised_hands 🙌 pray 🙏 handshake 🤝 muscle 💪 point_up ☝️ point_down 👇
point_left 👈 point_right 👉 crossed_fingers 🤞 victory ✌️ metal 🤘 call_me 🤙 fist 👊 eyes 👀 brain 🧠 facepalm 🤦 shrug 🤷 writing ✍️
heart ❤️ orange_heart 🧡 yellow_heart 💛 green_heart 💚 blue_heart 💙 purple_heart 💜 black_heart 🖤 broken_heart 💔 sparkles ✨ star ⭐
fire 🔥 boom 💥 zap ⚡ hundred 💯 tada 🎉 balloon 🎈 gift 🎁 trophy 🏆 medal 🏅 rocket 🚀 sun ☀️ moon 🌙 rainbow 🌈 cloud ☁️ rain 🌧️
snow ❄️ umbrella ☔ earth 🌍 tree 🌲 flower 🌸 rose 🌹 cactus 🌵 mushroom 🍄 cat 🐱 dog 🐶 mouse 🐭 bear 🐻 fox 🦊 panda 🐼 frog 🐸
penguin 🐧 owl 🦉 bee 🐝 bug 🐛 butterfly 🦋 turtle 🐢 snake 🐍 whale 🐳 unicorn 🦄 duck 🦆
coffee ☕ tea 🍵 beer 🍺 wine 🍷 pizza 🍕 cake 🍰 cookie 🍪 apple 🍎 banana 🍌 bread 🍞 cheese 🧀 soup 🍲 popcorn 🍿
check ✅ x ❌ warning ⚠️ question ❓ exclamation ❗ stop 🛑 plus ➕ minus ➖ arrow_up ⬆️ arrow_down ⬇️ arrow_left ⬅️ arrow_right ➡️
bulb 💡 memo 📝 book 📖 books 📚 pencil ✏️ pin 📌 paperclip 📎 link 🔗 lock 🔒 key 🔑 bell 🔔 mute 🔕 mag 🔍 calendar 📅 clock 🕐
hourglass ⏳ phone 📱 computer 💻 email 📧 camera 📷 music 🎵 guitar 🎸 gear ⚙️ hammer 🔨 wrench 🔧 package 📦 house 🏠 car 🚗 bike 🚲
train 🚆 plane ✈️ ship 🚢 speech 💬 zzz 💤 money 💰 chart 📈 trash 🗑️ construction 🚧
"""

EMOJI: Final[dict[str, str]] = dict(re.findall(r"(\S+) (\S+)", _NAMES))
"""The emoji, by name."""

_NAMED: Final = re.compile(r":([a-z0-9_+-]{2,}):")
"""A name of one letter is not replaced, as on the page."""

_ALL_NAMED: Final = re.compile(rf"(?<![^\W_])(?<!:)(?:{_NAMED.pattern})+(?![^\W_]|:)")
"""Names side by side; the colons of `12:30:45` or `std::vector::size` are none of these."""

_BEGUN: Final = re.compile(r"(?<![^\W_])(?<!:):([a-z0-9_+-]{2,})\Z")


def with_emoji(text: str) -> str:
    """A text with emoji for their names, but not in code and links."""
    return "".join(map(_with_emoji, parse(text)))


def begun_name(typed: str) -> str | None:
    """The beginning of a name at the end of a typed text, without its colon; None if there is none."""
    found = _BEGUN.search(typed)
    return found[1] if found else None


def names_like(begun: str) -> list[str]:
    """The names that begin like this, the shortest first; if there are none, those of which a later word does."""
    first = [name for name in EMOJI if name.startswith(begun)]
    return sorted(first, key=len) or [name for name in EMOJI if f"_{begun}" in name]


def _with_emoji(node: Node) -> str:
    if node.nodes:
        return "".join(map(_with_emoji, node.nodes))
    if node.kind is not Kind.TEXT:
        return node.text
    return _ALL_NAMED.sub(lambda names: _NAMED.sub(_emoji, names[0]), node.text)


def _emoji(name: re.Match[str]) -> str:
    return EMOJI.get(name[1], name[0])
