"""What the terminal client itself says, in the language of its user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from besedka.remote.errors import ACCESS_ENDINGS
from besedka.terminal.commands import Command
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Language

KICKED: Final = ACCESS_ENDINGS[CloseCode.KICKED]


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language.

    Attributes:
        usage: words of the table of commands, in this language.
        orders: what those who keep order have done, by its name.
        commands: what each command does, by its name.
        keys: keys and what they do.
        refusals: sentences for the refusals that a person meets, by code; for others the server's own is shown.
    """

    language: Language
    your_name: str
    welcome: str
    welcome_direct: str
    direct_began: str
    direct_oneself: str
    how: str
    away: str
    away_now: str
    back: str
    waiting: str
    waits: str
    kept: str
    kept_damaged: str
    reset: str
    joined: str
    left: str
    people: str
    typing: str
    unread: str
    missed: str
    older: str
    now: str
    no_older: str
    here: str
    rooms: str
    room_here: str
    news: str
    private: str
    not_private: str
    invitation: str
    invitation_many: str
    for_this_machine: str
    uninvited_all: str
    uninvited: str
    put_out: str
    device: str
    be_device: str
    be_device_nameless: str
    is_device: str
    device_not_kept: str
    moderates: str
    moderates_no_more: str
    redacted: str
    redacted_unknown: str
    lasts: str
    lasts_open: str
    orders: Mapping[str, str]
    found: str
    found_nothing: str
    unknown_command: str
    near_command: str
    lacks: str
    too_much: str
    not_one: str
    not_in: str
    renamed: str
    no_answer: str
    no_number: str
    no_span: str
    bare_number: str
    no_uses: str
    no_name: str
    last_room: str
    already_here: str
    name_waits: str
    name_same: str
    bell: str
    bell_kinds: Mapping[str, str]
    not_now: str
    not_sent: str
    line_full: str
    went_wrong: str
    not_kept: str
    usage: Mapping[str, str]
    commands: Mapping[str, str]
    keys: Mapping[str, str]
    refusals: Mapping[str, str]

    def behind(self, command: Command) -> str:
        """What follows a command, in this language."""
        usage = command.usage
        for word, own in self.usage.items():
            usage = usage.replace(word, own)
        return usage


ENGLISH = Phrases(
    language=Language.EN,
    your_name="Your name: ",
    welcome="You are in # {room} as {user}.",
    welcome_direct="You talk with {peer} alone, as {user}.",
    direct_began="{peer} wants to talk with you alone: /join @{peer}",
    direct_oneself="That is you.",
    how="Enter sends, /help tells the rest.",
    away="no connection, next try in {n} s",
    away_now="no connection, trying …",
    back="connected again",
    waiting="{n} waiting",
    waits="{n} waiting to be sent; they are kept, and go out when you come back",
    kept="{n} from last time are sent now",
    kept_damaged="some of what waited from last time cannot be read: {path}",
    reset="The history was replaced; it starts anew here.",
    joined="{names} joined",
    left="{names} left",
    people="{n} here",
    typing="{names} typing …",
    unread="unread",
    missed="{n} more before that: /history {n}",
    older="older, from {first} to {last}",
    now="now",
    no_older="There is nothing older.",
    here="Here: {names}",
    rooms="Rooms:",
    room_here="you are here",
    news="{n} new",
    private="private",
    not_private="# {room} is not private; /private ROOM makes a room that is.",
    invitation="By this link one person may come into # {room}, within {time}:",
    invitation_many="By this link {n} people may come into # {room}, within {time}:",
    for_this_machine="(The address leads to this machine only.)",
    uninvited_all="No invitation into # {room} is valid any more.",
    put_out="You are no member of # {room} any more.",
    uninvited="{user} is no member of # {room} any more.",
    device="On another device this makes you {user}, once, within {time}:",
    be_device="Be {user} on this machine? (y/n) ",
    be_device_nameless="Be, on this machine, who has made this link? (y/n) ",
    is_device="You are {user} on this machine now.",
    device_not_kept="This cannot be kept for the next time: {why}",
    moderates="You keep order here now: /help tells how.",
    moderates_no_more="You do not keep order here any more.",
    redacted="message {id} by {user} was removed",
    redacted_unknown="message {id} was removed",
    lasts="for {time}",
    lasts_open="until it is taken back",
    orders={
        "kick": "{user} was shown out.",
        "mute": "{user} may not talk, {time}.",
        "unmute": "{user} may talk again.",
        "ban": "{user} is banned, {time}.",
        "unban": "{user} may come in again.",
        "slow": "Everyone here may say one message in {time}.",
        "slow_off": "Everyone here may say as much as they like.",
    },
    found="{n} found",
    found_nothing="Nothing found.",
    unknown_command="There is no command {command}; /help shows all. To say it, write /{command}.",
    near_command="There is no command {command}; did you mean {near}? To say it, write /{command}.",
    lacks="It needs something more: /{command} {usage}",
    too_much="/{command} takes nothing behind it.",
    not_one="{given} is none of them: /{command} {usage}",
    not_in="You are not in # {room}.",
    renamed="You are {user} now.",
    no_answer="No answer to {command}.",
    no_number="{given}: it must be a number, 1 or more, as in /{command} 50",
    bare_number="{number} what? {number}m, 2h, 3d",
    no_span="{given}: it must be a time, as in 30s, 10m, 2h, 3d",
    no_uses="{given}: it must be how many people, and for how long, as in /invite 3 2h",
    no_name='The name is missing; one with blanks stands in double quotes: /{command} "Anna Maria"',
    last_room="This is the only room that you are in: /exit leaves it, too.",
    already_here="You are in # {room} already.",
    name_waits="{n} still waiting to be sent under this name; try again when they are.",
    name_same="That is your name already.",
    bell="Bell: {kind}.",
    bell_kinds={"on": "when you are mentioned", "off": "off", "all": "at each message"},
    not_now="Not without a connection.",
    not_sent="Not sent: {text}",
    line_full="That is left out: the line takes {limit} characters. besedka send --lines < FILE sends a whole file.",
    went_wrong="Besedka has made an error: {what}",
    not_kept="What you type and what waits is not kept: {why}",
    usage={},
    commands={
        "help": "show this",
        "me": "say what you do: /me waves",
        "who": "who is here",
        "rooms": "all rooms, and how many are in each",
        "join": "go to a room, and stay in this one",
        "leave": "leave this room, and go back to the one before",
        "private": "make a private room: by invitation only",
        "msg": "talk with one person alone",
        "invite": "a link in here: for how many (1), how long (7d)",
        "uninvite": "take back invitations, or a membership",
        "device": "be the same person on another device, too",
        "kick": "show somebody out of the chat",
        "mute": "let them only read: 30s, 10m, 2h, 3d, for good",
        "unmute": "let them talk again",
        "ban": "let somebody in no more",
        "unban": "let them in again",
        "slow": "one message in so many seconds; 0: no limit",
        "redact": "take away the text of a message, by its number",
        "name": "take another name",
        "history": "show older messages, 20 if not said",
        "find": "look for words in all that was said here",
        "edit": "write in your editor ($VISUAL or $EDITOR)",
        "bell": "ring when you are mentioned, never, or always",
        "clear": "clear the screen",
        "exit": "leave",
    },
    keys={
        "Alt-Enter": "another line",
        "Tab": "complete a name, a room, a command",
        "Up, Ctrl-R": "what you typed before",
        "Ctrl-C": "clear the line; leave, if it is empty",
        "//text": "say something that begins with a slash",
        "Anna?": "nobody has shown that the name Anna is theirs",
    },
    refusals={
        ErrorCode.NAME_TAKEN: "This name, or one that looks like it, is in use; choose another.",
        ErrorCode.NAME_CLAIMED: "This name, or one that looks like it, belongs to somebody else. Choose another; if it is yours, "
        "/device makes a link where you are in under it.",
        ErrorCode.NOT_KNOWN: "Only people whose name is known come in here. Ask whoever runs the chat for an invitation.",
        ErrorCode.NO_SUCH_NAME: "Nobody of this name is known here.",
        ErrorCode.NO_SECRET: "For this your name must be your own: come in under one that nobody else has.",
        ErrorCode.ROOM_TAKEN: "There is such a room already; choose another name.",
        ErrorCode.NOT_INVITED: "This room is private; an invitation is needed to enter it.",
        ErrorCode.BAD_LINK: "This link is not valid any more: it was used up, is too old, or was taken back.",
        ErrorCode.NO_ACCESS: "An access key is needed: use the link that the server has shown at its start.",
        KICKED: "You were shown out.",
        ErrorCode.NAME_RESERVED: "This name looks like the server's own; choose another.",
        ErrorCode.BAD_NAME: "This name cannot be used: 1 to 32 visible characters, no colon, no * in front.",
        ErrorCode.BAD_ROOM: "There cannot be such a room: 1 to 32 letters and digits, with - and _ inside.",
        ErrorCode.TOO_FAST: "That was a lot at once; the rest is sent in a moment.",
        ErrorCode.STORAGE_FULL: "Not stored: the server's disk is full.",
        ErrorCode.NOT_STORED: "Not stored: the server could not write to its disk.",
        ErrorCode.GOING_DOWN: "The server is going down.",
    },
)

RUSSIAN = Phrases(
    language=Language.RU,
    your_name="Ваше имя: ",
    welcome="Вы в комнате # {room}, ваше имя {user}.",
    welcome_direct="Вы говорите с {peer} наедине, ваше имя {user}.",
    direct_began="{peer} хочет поговорить с вами наедине: /join @{peer}",
    direct_oneself="Это вы и есть.",
    how="Enter отправляет, /help расскажет остальное.",
    away="нет связи, новая попытка через {n} с",
    away_now="нет связи, пробуем …",
    back="связь восстановлена",
    waiting="ждут отправки: {n}",
    waits="ждут отправки: {n}; они сохранены и уйдут, когда вы вернётесь",
    kept="с прошлого раза ждали отправки: {n}; отправляем",
    kept_damaged="часть того, что ждало отправки с прошлого раза, не читается: {path}",
    reset="История была заменена; здесь она начинается заново.",
    joined="{names} теперь в чате",
    left="{names} больше не в чате",
    people="здесь {n}",
    typing="{names}: набор текста …",
    unread="непрочитанное",
    missed="до этого ещё {n}: /history {n}",
    older="раньше: с {first} по {last}",
    now="сейчас",
    no_older="Раньше ничего нет.",
    here="Здесь: {names}",
    rooms="Комнаты:",
    room_here="вы здесь",
    news="новых: {n}",
    private="частная",
    not_private="Комната # {room} не частная; частную создаст /private КОМНАТА.",
    invitation="По этой ссылке в # {room} может войти один человек, в течение {time}:",
    invitation_many="По этой ссылке в # {room} могут войти столько человек: {n}, в течение {time}:",
    for_this_machine="(Этот адрес ведёт только на эту машину.)",
    uninvited_all="Приглашения в # {room} больше не действуют.",
    put_out="Вы больше не участник комнаты # {room}.",
    uninvited="{user} больше не входит в # {room}.",
    device="На другом устройстве эта ссылка сделает вас {user}, один раз, за {time}:",
    be_device="Быть {user} на этой машине? (y/n) ",
    be_device_nameless="Быть на этой машине тем, кто создал эту ссылку? (y/n) ",
    is_device="Теперь на этой машине вы — {user}.",
    device_not_kept="Сохранить это на следующий раз нельзя: {why}",
    moderates="Теперь вы следите здесь за порядком: /help расскажет как.",
    moderates_no_more="Вы больше не следите здесь за порядком.",
    redacted="сообщение {id} от {user} удалено",
    redacted_unknown="сообщение {id} удалено",
    lasts="на {time}",
    lasts_open="пока это не отменят",
    orders={
        "kick": "{user}: выставлен за дверь.",
        "mute": "{user}: говорить нельзя, {time}.",
        "unmute": "{user}: снова можно говорить.",
        "ban": "{user}: вход закрыт, {time}.",
        "unban": "{user}: снова можно войти.",
        "slow": "Здесь теперь можно сказать одно сообщение за {time}.",
        "slow_off": "Здесь снова можно говорить сколько угодно.",
    },
    found="найдено: {n}",
    found_nothing="Ничего не найдено.",
    unknown_command="Нет команды {command}; все команды покажет /help. Чтобы сказать это, напишите /{command}.",
    near_command="Нет команды {command}; может быть, {near}? Чтобы сказать это, напишите /{command}.",
    lacks="Нужно что-то ещё: /{command} {usage}",
    too_much="После /{command} ничего не нужно.",
    not_one="{given} не подходит: /{command} {usage}",
    not_in="Вас нет в комнате # {room}.",
    renamed="Теперь ваше имя {user}.",
    no_answer="Нет ответа на {command}.",
    no_number="{given}: нужно число от 1, например /{command} 50",
    bare_number="{number} чего? {number}m, 2h, 3d",
    no_span="{given}: нужно время, например 30s, 10m, 2h, 3d",
    no_uses="{given}: нужно, сколько человек и на сколько времени, например /invite 3 2h",
    no_name='Нет имени; имя с пробелами пишут в кавычках: /{command} "Анна Мария"',
    last_room="Других комнат у вас нет: /exit выходит и из этой.",
    already_here="Вы уже в комнате # {room}.",
    name_waits="Под этим именем ещё ждут отправки: {n}; попробуйте, когда они уйдут.",
    name_same="Это и есть ваше имя.",
    bell="Звонок: {kind}.",
    bell_kinds={"on": "когда вас упоминают", "off": "выключен", "all": "при каждом сообщении"},
    not_now="Без связи нельзя.",
    not_sent="Не отправлено: {text}",
    line_full="Это не вставлено: в строку входит {limit} знаков. Целый файл можно отправить так: besedka send --lines < ФАЙЛ",
    went_wrong="Ошибка в самой программе: {what}",
    not_kept="Набранное и то, что ждёт отправки, не сохраняется: {why}",
    usage={
        "TEXT": "ТЕКСТ",
        "ROOM": "КОМНАТА",
        "NAME": "ИМЯ",
        "WORDS": "СЛОВА",
        "USES": "ЧИСЛО",
        "TIME": "ВРЕМЯ",
        "REASON": "ПРИЧИНА",
        "SECONDS": "СЕКУНДЫ",
        "ID": "НОМЕР",
    },
    commands={
        "help": "показать это",
        "me": "сказать, что вы делаете: /me машет рукой",
        "who": "кто здесь",
        "rooms": "все комнаты и сколько в них людей",
        "join": "перейти в комнату, оставаясь и в этой",
        "leave": "выйти из этой комнаты и вернуться в прежнюю",
        "private": "создать частную комнату: вход по приглашению",
        "msg": "поговорить с кем-то наедине",
        "invite": "ссылка сюда: скольким (1) и на сколько (7d)",
        "uninvite": "отозвать приглашения; исключить кого-то",
        "device": "быть собой и на другом устройстве",
        "kick": "выставить кого-то за дверь",
        "mute": "пусть только читает: 30s, 10m, 2h, 3d, всегда",
        "unmute": "пусть снова говорит",
        "ban": "больше не впускать",
        "unban": "снова впускать",
        "slow": "одно сообщение за столько секунд; 0: без меры",
        "redact": "убрать текст сообщения, по его номеру",
        "name": "взять другое имя",
        "history": "показать более ранние сообщения (обычно 20)",
        "find": "искать слова во всём, что здесь сказано",
        "edit": "писать в своём редакторе ($VISUAL или $EDITOR)",
        "bell": "звонить, когда вас упоминают, никогда или всегда",
        "clear": "очистить экран",
        "exit": "выйти",
    },
    keys={
        "Alt-Enter": "новая строка",
        "Tab": "дополнить имя, комнату, команду",
        "Up, Ctrl-R": "что вы набирали раньше",
        "Ctrl-C": "очистить строку, а пустая — выйти",
        "//текст": "сказать то, что начинается с косой черты",
        "Анна?": "никто не доказал, что имя Анна — его",
    },
    refusals={
        ErrorCode.NAME_TAKEN: "Это имя (или похожее на него) сейчас занято, выберите другое.",
        ErrorCode.NAME_CLAIMED: "Это имя (или похожее на него) принадлежит другому. Выберите другое; если оно ваше, "
        "ссылку для этой машины даст /device там, где вы под ним вошли.",
        ErrorCode.NOT_KNOWN: "Сюда входят только те, чьё имя известно. Попросите того, кто ведёт чат, пригласить вас.",
        ErrorCode.NO_SUCH_NAME: "Никого с таким именем здесь не знают.",
        ErrorCode.NO_SECRET: "Для этого имя должно быть вашим: войдите под таким, которого ни у кого нет.",
        ErrorCode.ROOM_TAKEN: "Такая комната уже есть, выберите другое название.",
        ErrorCode.NOT_INVITED: "Эта комната частная, в неё входят по приглашению.",
        ErrorCode.BAD_LINK: "Эта ссылка больше не действует: она использована, устарела или отозвана.",
        ErrorCode.NO_ACCESS: "Нужен ключ доступа: откройте ссылку, которую показал сервер при запуске.",
        KICKED: "Вас выставили за дверь.",
        ErrorCode.NAME_RESERVED: "Это имя похоже на служебное, выберите другое.",
        ErrorCode.BAD_NAME: "Такое имя не подходит: нужно от 1 до 32 видимых знаков, без двоеточия и без * в начале.",
        ErrorCode.BAD_ROOM: "Такой комнаты быть не может: нужно от 1 до 32 букв и цифр, внутри можно - и _.",
        ErrorCode.TOO_FAST: "Слишком много сразу; остальное уйдёт через мгновение.",
        ErrorCode.STORAGE_FULL: "Не сохранено: на диске сервера нет места.",
        ErrorCode.NOT_STORED: "Не сохранено: сервер не смог записать на диск.",
        ErrorCode.GOING_DOWN: "Сервер останавливается.",
    },
)


def phrases(environment: Mapping[str, str]) -> Phrases:
    """The language that the environment asks for (POSIX: LC_ALL before LC_MESSAGES before LANG)."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(variable):
            return RUSSIAN if value.lower().startswith("ru") else ENGLISH
    return ENGLISH
