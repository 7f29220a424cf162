"""What the terminal client itself says, in the language of its user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from besedka.terminal.commands import Command
from besedka.wire.refusals import Code, Language


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language.

    Attributes:
        usage: words of the table of commands, in this language.
        commands: what each command does, by its name.
        keys: keys and what they do.
        refusals: sentences for the refusals that a person meets, by code; for others the server's own is shown.
    """

    language: Language
    your_name: str
    welcome: str
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
    last_room: str
    already_here: str
    name_waits: str
    name_same: str
    bell: str
    bell_kinds: Mapping[str, str]
    not_now: str
    not_sent: str
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
    no_number="{given}: it must be a number, 1 or more, as in /history 50",
    last_room="This is the only room that you are in: /exit leaves it, too.",
    already_here="You are in # {room} already.",
    name_waits="{n} still waiting to be sent under this name; try again when they are.",
    name_same="That is your name already.",
    bell="Bell: {kind}.",
    bell_kinds={"on": "when you are mentioned", "off": "off", "all": "at each message"},
    not_now="Not without a connection.",
    not_sent="Not sent: {text}",
    not_kept="What you type and what waits is not kept: {why}",
    usage={},
    commands={
        "help": "show this",
        "me": "say what you do: /me waves",
        "who": "who is here",
        "rooms": "all rooms, and how many are in each",
        "join": "go to a room, and stay in this one",
        "leave": "leave this room, and go back to the one before",
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
    },
    refusals={
        Code.NAME_TAKEN: "This name, or one that looks like it, is in use; choose another.",
        Code.NAME_RESERVED: "This name looks like the server's own; choose another.",
        Code.BAD_NAME: "This name cannot be used: 1 to 32 visible characters, no colon, no * in front.",
        Code.BAD_ROOM: "There cannot be such a room: 1 to 32 letters and digits, with - and _ inside.",
        Code.TOO_FAST: "That was a lot at once; the rest is sent in a moment.",
        Code.STORAGE_FULL: "Not stored: the server's disk is full.",
        Code.NOT_STORED: "Not stored: the server could not write to its disk.",
        Code.GOING_DOWN: "The server is going down.",
    },
)

RUSSIAN = Phrases(
    language=Language.RU,
    your_name="Ваше имя: ",
    welcome="Вы в комнате # {room}, ваше имя {user}.",
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
    no_number="{given}: нужно число от 1, например /history 50",
    last_room="Других комнат у вас нет: /exit выходит и из этой.",
    already_here="Вы уже в комнате # {room}.",
    name_waits="Под этим именем ещё ждут отправки: {n}; попробуйте, когда они уйдут.",
    name_same="Это и есть ваше имя.",
    bell="Звонок: {kind}.",
    bell_kinds={"on": "когда вас упоминают", "off": "выключен", "all": "при каждом сообщении"},
    not_now="Без связи нельзя.",
    not_sent="Не отправлено: {text}",
    not_kept="Набранное и то, что ждёт отправки, не сохраняется: {why}",
    usage={"TEXT": "ТЕКСТ", "ROOM": "КОМНАТА", "NAME": "ИМЯ", "WORDS": "СЛОВА"},
    commands={
        "help": "показать это",
        "me": "сказать, что вы делаете: /me машет рукой",
        "who": "кто здесь",
        "rooms": "все комнаты и сколько в них людей",
        "join": "перейти в комнату, оставаясь и в этой",
        "leave": "выйти из этой комнаты и вернуться в прежнюю",
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
    },
    refusals={
        Code.NAME_TAKEN: "Это имя (или похожее на него) сейчас занято, выберите другое.",
        Code.NAME_RESERVED: "Это имя похоже на служебное, выберите другое.",
        Code.BAD_NAME: "Такое имя не подходит: нужно от 1 до 32 видимых знаков, без двоеточия и без * в начале.",
        Code.BAD_ROOM: "Такой комнаты быть не может: нужно от 1 до 32 букв и цифр, внутри можно - и _.",
        Code.TOO_FAST: "Слишком много сразу; остальное уйдёт через мгновение.",
        Code.STORAGE_FULL: "Не сохранено: на диске сервера нет места.",
        Code.NOT_STORED: "Не сохранено: сервер не смог записать на диск.",
        Code.GOING_DOWN: "Сервер останавливается.",
    },
)


def phrases(environment: Mapping[str, str]) -> Phrases:
    """The language that the environment asks for (POSIX: LC_ALL before LC_MESSAGES before LANG)."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(variable):
            return RUSSIAN if value.lower().startswith("ru") else ENGLISH
    return ENGLISH
