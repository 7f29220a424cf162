"""All phrases of the terminal client, in English and Russian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from besedka.remote.errors import ACCESS_ENDINGS
from besedka.terminal.commands import CommandSpec
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Language
from besedka.wire.languages import language_of

KICKED: Final = ACCESS_ENDINGS[CloseCode.KICKED]


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language.

    Attributes:
        usage: translations of the argument names in the table of commands.
        commands: descriptions of the commands, by name.
        keys: descriptions of keys and signs.
        refusals: sentences for refusals, by code; for other codes the server's own sentence is shown.
    """

    language: Language
    your_name: str
    welcome: str
    welcome_direct: str
    direct_opened: str
    direct_to_self: str
    help_hint: str
    help_page: str
    help_next: str
    invalid_page: str
    reconnecting: str
    reconnecting_now: str
    reconnecting_short: str
    reconnecting_now_short: str
    reconnected: str
    unsent: str
    unsent_on_exit: str
    resending: str
    unsent_damaged: str
    draft: str
    history_replaced: str
    joined: str
    left: str
    people: str
    typing: str
    slow: str
    not_slow: str
    not_archived: str
    slow_hold: str
    slow_next: str
    fast_next: str
    lines: str
    unread: str
    more_unread: str
    older: str
    now: str
    no_older: str
    since: str
    nothing_since: str
    present: str
    rooms: str
    room_here: str
    room_joined: str
    unread_in_room: str
    private: str
    archived: str
    not_private: str
    invitation: str
    invitation_many: str
    local_link: str
    invitations_revoked: str
    member_removed: str
    blocked: str
    unblocked: str
    blocked_names: str
    blocked_nobody: str
    ignored: str
    unignored: str
    not_ignored: str
    ignored_names: str
    ignored_nobody: str
    removed: str
    session_ended: str
    device: str
    confirm_device: str
    confirm_device_nameless: str
    device_added: str
    device_not_stored: str
    moderates: str
    moderates_no_longer: str
    redacted: str
    redacted_unknown: str
    found: str
    found_nothing: str
    found_more: str
    found_no_more: str
    no_search: str
    waiting: str
    nothing_waits: str
    discarded: str
    discarded_all: str
    waits_no_more: str
    unknown_command: str
    similar_command: str
    missing_argument: str
    extra_argument: str
    unknown_choice: str
    not_in: str
    missing_room: str
    renamed: str
    renamed_other: str
    no_answer: str
    invalid_number: str
    invalid_date: str
    invalid_duration: str
    invalid_uses: str
    missing_name: str
    last_room: str
    already_here: str
    name_has_unsent: str
    name_same: str
    bell: str
    bell_kinds: Mapping[str, str]
    not_connected: str
    not_sent: str
    line_overflow: str
    internal_error: str
    not_stored: str
    usage: Mapping[str, str]
    commands: Mapping[str, str]
    keys: Mapping[str, str]
    refusals: Mapping[str, str]

    def usage_of(self, spec: CommandSpec) -> str:
        """The arguments of a command, in this language."""
        usage = spec.usage
        for argument, translation in self.usage.items():
            usage = usage.replace(argument, translation)
        return usage


ENGLISH = Phrases(
    language=Language.EN,
    your_name="Your name: ",
    welcome="You are in # {room} as {user}.",
    welcome_direct="Direct messages with {peer}, as {user}.",
    direct_opened="{who} has opened direct messages with you: /join @{peer}",
    direct_to_self="That is you.",
    help_hint="Enter sends, /help shows the commands.",
    help_page="page {n} of {count}",
    help_next="page {n} of {count}; next: /help {next}",
    invalid_page="{given}: it must be the number of a page, as in /help 2",
    reconnecting="no connection, next try in {n} s",
    reconnecting_now="no connection, trying …",
    reconnecting_short="retry in {n} s",
    reconnecting_now_short="retrying …",
    reconnected="connected again",
    unsent="{n} waiting",
    unsent_on_exit="{n} waiting to be sent; they are stored, and sent when you return",
    resending="sending {n} from the last session",
    unsent_damaged="some unsent messages of the last session cannot be read: {path}",
    draft="Your unfinished line is back.",
    history_replaced="The history was replaced; the new one starts here.",
    joined="{names} joined",
    left="{names} left",
    people="{n} here",
    typing="{names} typing …",
    slow="Slow mode: one message per person every {time}.",
    not_slow="Slow mode is off.",
    not_archived="This room is no longer archived: people can post in it again.",
    slow_hold="Slow mode: this is sent in {time}.",
    slow_next="slow mode, next in {time}",
    fast_next="too fast, next in {time}",
    lines="{n} lines",
    unread="unread",
    more_unread="{n} more before that: /history {n}",
    older="older, from {first} to {last}",
    now="now",
    no_older="There is nothing older.",
    since="from {day} on, {first} to {last}",
    nothing_since="Nothing was said on {day} or later.",
    present="Here: {names}",
    rooms="Rooms:",
    room_here="you are here",
    room_joined="joined",
    unread_in_room="{n} new",
    private="private",
    archived="archived",
    not_private="# {room} is not private; /private ROOM makes a room that is.",
    invitation="One person can join # {room} by this link, within {time}:",
    invitation_many="{n} people can join # {room} by this link, within {time}:",
    local_link="(This address works on this machine only.)",
    invitations_revoked="All invitations to # {room} were revoked.",
    removed="You are no longer a member of # {room}.",
    session_ended="Nothing is sent any more. Enter in an empty line leaves.",
    member_removed="{user} is no longer a member of # {room}.",
    blocked="You no longer receive direct messages from {user}.",
    unblocked="You receive direct messages from {user} again.",
    blocked_names="Blocked: {names}",
    blocked_nobody="You have not blocked anyone.",
    ignored="Messages by {user} are hidden on this machine; /unignore {name} ends it.",
    unignored="Messages by {user} are shown again.",
    not_ignored="{user} is not ignored.",
    ignored_names="Ignored: {names}",
    ignored_nobody="You ignore nobody.",
    device="Open this link on another device to be {user} there; once, within {time}:",
    confirm_device="Use this machine as {user}? (y/n) ",
    confirm_device_nameless="Use this machine as the person who created this link? (y/n) ",
    device_added="You are {user} on this machine now.",
    device_not_stored="This cannot be stored for the next session: {why}",
    moderates="You are now a moderator: /help shows the commands.",
    moderates_no_longer="You are no longer a moderator.",
    redacted="message {id} by {user} was removed",
    redacted_unknown="message {id} was removed",
    found="{n} found",
    found_nothing="Nothing found.",
    found_more="{n} found, and perhaps more: /more shows older ones.",
    found_no_more="Nothing older found.",
    no_search="There is no search to go on with: /find WORDS begins one.",
    waiting="Waiting to be sent; /waiting discard N takes one back:",
    nothing_waits="Nothing is waiting to be sent.",
    discarded="Not sent any more: {text}",
    discarded_all="Nothing is sent any more of what was waiting.",
    waits_no_more="{n}: no such message is waiting; /waiting lists them.",
    unknown_command="There is no command {command}; /help shows all. To post it, write /{command}.",
    similar_command="There is no command {command}; did you mean {near}? To post it, write /{command}.",
    missing_argument="An argument is missing: /{command} {usage}",
    extra_argument="/{command} takes no argument.",
    unknown_choice="{given} is not one of the choices: /{command} {usage}",
    not_in="You are not in # {room}.",
    missing_room="There is no room # {room}. To create it, type /join {room} again.",
    renamed="You are {user} now.",
    renamed_other="{old} is now {user}",
    no_answer="No answer to {command}.",
    invalid_number="{given}: it must be a number, 1 or more, as in /{command} 50",
    invalid_date="{given}: it must be a day, as in 2026-11-30",
    invalid_duration="{given}: it must be a time, as in 30s, 10m, 2h, 3d, 1w; a reason begins with a letter",
    invalid_uses="{given}: it must be how many people, and for how long, as in /invite 3 2h",
    missing_name='The name is missing; put a name with spaces in double quotes: /{command} "Anna Maria"',
    last_room="This is your only room: /exit leaves it too.",
    already_here="You are in # {room} already.",
    name_has_unsent="{n} still waiting to be sent under this name; try again when they are, or see /waiting.",
    name_same="That is your name already.",
    bell="Bell: {kind}.",
    bell_kinds={"on": "when you are mentioned", "off": "off", "all": "at each message"},
    not_connected="No connection.",
    not_sent="Not sent: {text}",
    line_overflow="Dropped: a line holds {limit} characters. besedka send --lines < FILE sends a whole file.",
    internal_error="Internal error: {what}",
    not_stored="Typed lines and unsent messages cannot be stored: {why}",
    usage={},
    commands={
        "help": "show this",
        "me": "say what you are doing: /me waves",
        "who": "who is here",
        "rooms": "all rooms, and how many are in each",
        "join": "go to a room, and stay in this one",
        "leave": "leave this room, and go back to the one before",
        "private": "create a private room: by invitation only",
        "msg": "write a direct message",
        "block": "stop direct messages from somebody",
        "unblock": "allow their direct messages again",
        "ignore": "hide somebody's messages, on this machine only",
        "unignore": "show their messages again",
        "invite": "a link in here: for how many (1), how long (7d)",
        "uninvite": "revoke invitations, or a membership",
        "device": "use your name on another device, too",
        "kick": "disconnect somebody; they may return",
        "mute": "let somebody only read: 30s, 10m, 2h, 3d, 1w, or forever",
        "unmute": "let them write again",
        "ban": "block somebody from the chat: 30s, 10m, 2h, 3d, 1w, or forever",
        "unban": "lift a ban",
        "slow": "slow mode: a message per person in so many seconds; 0: off",
        "redact": "remove a message, by its number",
        "name": "change your name",
        "history": "show older messages, 20 if not said",
        "goto": "show what was said from a day on: /goto 2026-11-01",
        "find": "search the room's whole history; also from:NAME, since:DATE, until:DATE",
        "more": "show older messages that the last search finds",
        "waiting": "what waits to be sent; discard N takes one back, discard all everything",
        "edit": "write in your editor ($VISUAL or $EDITOR)",
        "bell": "ring when you are mentioned, never, or always",
        "clear": "clear the screen",
        "exit": "leave",
    },
    keys={
        "Alt-Enter": "another line",
        "Tab": "complete a name, a room, a command",
        "Up, Ctrl-R": "what you typed before",
        "Alt-1 … Alt-9": "your rooms, by number; Ctrl-N, Ctrl-P: the next, the previous one",
        ":smile:": "an emoji, by its name; Tab completes it",
        "Ctrl-C": "clear the line; leave, if it is empty",
        "//text": "post a text that begins with a slash",
        "Anna?": "the name Anna is not verified",
    },
    refusals={
        ErrorCode.NAME_TAKEN: "This name, or one that looks like it, is in use; choose another.",
        ErrorCode.NAME_CLAIMED: "This name, or one that looks like it, belongs to somebody else. Choose another; if it is yours, "
        "/device creates a link where you use it.",
        ErrorCode.NOT_KNOWN: "Only invited people can join this chat. Ask its operator for an invitation.",
        ErrorCode.NO_SUCH_NAME: "Nobody here is known by this name.",
        ErrorCode.NO_SECRET: "This needs a name of your own: join under one that nobody else has claimed.",
        ErrorCode.ROOM_TAKEN: "This room already exists; choose another name.",
        ErrorCode.NOT_INVITED: "This room is private; you need an invitation to join.",
        ErrorCode.ROOM_ARCHIVED: "This room is archived: it can be read, but nobody can post in it.",
        ErrorCode.BAD_LINK: "This link is no longer valid: it was used up, has expired, or was revoked.",
        ErrorCode.NO_ACCESS: "An access key is needed: use the link that the server printed at its start.",
        KICKED: "You were disconnected by a moderator.",
        ErrorCode.NAME_RESERVED: "This name looks like the server's own; choose another.",
        ErrorCode.BAD_NAME: "This name cannot be used: 1 to 32 visible characters, no colon, no * or # in front.",
        ErrorCode.BAD_ROOM: "Invalid room name: use 1 to 32 letters and digits, with - and _ inside.",
        ErrorCode.TOO_FAST: "Too fast; the rest will be sent in a moment.",
        ErrorCode.STORAGE_FULL: "Not stored: the server's disk is full.",
        ErrorCode.NOT_STORED: "Not stored: the server could not write to its disk.",
        ErrorCode.GOING_DOWN: "The server is going down.",
        ErrorCode.OUT_OF_REACH: "This server cannot reach the others at the moment; what you say waits.",
    },
)

RUSSIAN = Phrases(
    language=Language.RU,
    your_name="Ваше имя: ",
    welcome="Вы в комнате # {room}, ваше имя {user}.",
    welcome_direct="Личные сообщения с {peer}, ваше имя {user}.",
    direct_opened="{who} открывает переписку с вами: /join @{peer}",
    direct_to_self="Это вы и есть.",
    help_hint="Enter отправляет, /help показывает команды.",
    help_page="страница {n} из {count}",
    help_next="страница {n} из {count}; дальше: /help {next}",
    invalid_page="{given}: нужен номер страницы, например /help 2",
    reconnecting="нет связи, новая попытка через {n} с",
    reconnecting_now="нет связи, пробуем …",
    reconnecting_short="связь через {n} с",
    reconnecting_now_short="нет связи",
    reconnected="связь восстановлена",
    unsent="ждут отправки: {n}",
    unsent_on_exit="ждут отправки: {n}; они сохранены и уйдут, когда вы вернётесь",
    resending="с прошлого раза ждали отправки: {n}; отправляем",
    unsent_damaged="часть того, что ждало отправки с прошлого раза, не читается: {path}",
    draft="Недописанное сообщение снова в строке ввода.",
    history_replaced="История заменена; новая начинается здесь.",
    joined="{names} теперь в чате",
    left="{names} больше не в чате",
    people="здесь {n}",
    typing="{names}: набор текста …",
    slow="Медленный режим: одно сообщение от человека за {time}.",
    not_slow="Медленный режим выключен.",
    not_archived="Эта комната больше не в архиве: в неё снова можно писать.",
    slow_hold="Медленный режим: это уйдёт через {time}.",
    slow_next="медленный режим, дальше через {time}",
    fast_next="слишком быстро, дальше через {time}",
    lines="строк: {n}",
    unread="непрочитанное",
    more_unread="до этого ещё {n}: /history {n}",
    older="раньше: с {first} по {last}",
    now="сейчас",
    no_older="Раньше ничего нет.",
    since="с {day}: с {first} по {last}",
    nothing_since="{day} и позже ничего не писали.",
    present="Здесь: {names}",
    rooms="Комнаты:",
    room_here="вы здесь",
    room_joined="открыта",
    unread_in_room="новых: {n}",
    private="частная",
    archived="в архиве",
    not_private="Комната # {room} не частная; частную создаст /private КОМНАТА.",
    invitation="По этой ссылке в # {room} может войти один человек, в течение {time}:",
    invitation_many="По этой ссылке в # {room} могут войти столько человек: {n}, в течение {time}:",
    local_link="(Этот адрес ведёт только на эту машину.)",
    invitations_revoked="Приглашения в # {room} больше не действуют.",
    removed="Вы больше не участник комнаты # {room}.",
    session_ended="Больше ничего не отправляется. Enter в пустой строке — выход.",
    member_removed="{user} больше не входит в # {room}.",
    blocked="Личные сообщения от {user} больше не приходят.",
    unblocked="Личные сообщения от {user} снова приходят.",
    blocked_names="Заблокированы: {names}",
    blocked_nobody="Вы никого не заблокировали.",
    ignored="Сообщения от {user} на этой машине скрыты; отменить: /unignore {name}",
    unignored="Сообщения от {user} снова видны.",
    not_ignored="Сообщения от {user} и так видны.",
    ignored_names="Скрыты сообщения от: {names}",
    ignored_nobody="Вы ничьих сообщений не скрыли.",
    device="На другом устройстве эта ссылка сделает вас {user}, один раз, за {time}:",
    confirm_device="Быть {user} на этой машине? (y/n) ",
    confirm_device_nameless="Быть на этой машине тем, кто создал эту ссылку? (y/n) ",
    device_added="Теперь на этой машине вы — {user}.",
    device_not_stored="Сохранить это на следующий раз нельзя: {why}",
    moderates="Теперь вы модератор: команды покажет /help.",
    moderates_no_longer="Вы больше не модератор.",
    redacted="сообщение {id} от {user} удалено",
    redacted_unknown="сообщение {id} удалено",
    found="найдено: {n}",
    found_nothing="Ничего не найдено.",
    found_more="найдено: {n}; более ранние, если есть, покажет /more.",
    found_no_more="Раньше ничего не найдено.",
    no_search="Продолжать нечего: поиск начинает /find СЛОВА.",
    waiting="Ждут отправки; отменить одно — /waiting discard N:",
    nothing_waits="Ничего не ждёт отправки.",
    discarded="Больше не отправляется: {text}",
    discarded_all="Всё, что ждало отправки, больше не отправляется.",
    waits_no_more="{n}: такое сообщение не ждёт отправки; список покажет /waiting.",
    unknown_command="Нет команды {command}; все команды покажет /help. Чтобы отправить это как сообщение, напишите /{command}.",
    similar_command="Нет команды {command}; может быть, {near}? Чтобы отправить это как сообщение, напишите /{command}.",
    missing_argument="Не хватает аргумента: /{command} {usage}",
    extra_argument="У команды /{command} нет аргументов.",
    unknown_choice="{given} не подходит: /{command} {usage}",
    not_in="Вас нет в комнате # {room}.",
    missing_room="Комнаты # {room} нет. Чтобы создать её, наберите /join {room} ещё раз.",
    renamed="Теперь ваше имя {user}.",
    renamed_other="{old} теперь под именем {user}",
    no_answer="Нет ответа на {command}.",
    invalid_number="{given}: нужно число от 1, например /{command} 50",
    invalid_date="{given}: нужен день, например 2026-11-30",
    invalid_duration="{given}: нужно время, например 30s, 10m, 2h, 3d, 1w; причина начинается с буквы",
    invalid_uses="{given}: нужно, сколько человек и на сколько времени, например /invite 3 2h",
    missing_name='Нет имени; имя с пробелами пишут в кавычках: /{command} "Анна Мария"',
    last_room="Других комнат у вас нет: /exit выходит и из этой.",
    already_here="Вы уже в комнате # {room}.",
    name_has_unsent="Под этим именем ещё ждут отправки: {n}; попробуйте, когда они уйдут, или отмените: /waiting.",
    name_same="Это и есть ваше имя.",
    bell="Звонок: {kind}.",
    bell_kinds={"on": "когда вас упоминают", "off": "выключен", "all": "при каждом сообщении"},
    not_connected="Нет связи.",
    not_sent="Не отправлено: {text}",
    line_overflow="Это не вставлено: в строку входит {limit} знаков. Целый файл можно отправить так: besedka send --lines < ФАЙЛ",
    internal_error="Ошибка в самой программе: {what}",
    not_stored="Набранное и то, что ждёт отправки, не сохраняется: {why}",
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
        "PAGE": "СТРАНИЦА",
        "DATE": "ДАТА",
    },
    commands={
        "help": "показать это",
        "me": "сказать, что вы делаете: /me машет рукой",
        "who": "кто здесь",
        "rooms": "все комнаты и сколько в них людей",
        "join": "перейти в комнату, оставаясь и в этой",
        "leave": "выйти из этой комнаты и вернуться в прежнюю",
        "private": "создать частную комнату: вход по приглашению",
        "msg": "написать личное сообщение",
        "block": "не получать личных сообщений от человека",
        "unblock": "снова получать его личные сообщения",
        "ignore": "скрыть чьи-то сообщения, только на этой машине",
        "unignore": "снова показывать эти сообщения",
        "invite": "ссылка сюда: скольким (1) и на сколько (7d)",
        "uninvite": "отозвать приглашения; исключить кого-то",
        "device": "быть собой и на другом устройстве",
        "kick": "отключить от чата; вернуться можно",
        "mute": "запретить писать: 30s, 10m, 2h, 3d, 1w, бессрочно",
        "unmute": "разрешить писать",
        "ban": "заблокировать вход: 30s, 10m, 2h, 3d, 1w, бессрочно",
        "unban": "разблокировать вход",
        "slow": "медленный режим: сообщение за столько секунд; 0: выключить",
        "redact": "удалить сообщение, по его номеру",
        "name": "сменить имя",
        "history": "показать более ранние сообщения (обычно 20)",
        "goto": "показать, что писали с какого-то дня: /goto 2026-11-01",
        "find": "искать во всей истории комнаты; ещё от:ИМЯ, с:ДАТА, до:ДАТА",
        "more": "показать более ранние находки последнего поиска",
        "waiting": "что ждёт отправки; discard N отменит одно, discard all — всё",
        "edit": "писать в своём редакторе ($VISUAL или $EDITOR)",
        "bell": "звонить, когда вас упоминают, никогда или всегда",
        "clear": "очистить экран",
        "exit": "выйти",
    },
    keys={
        "Alt-Enter": "новая строка",
        "Tab": "дополнить имя, комнату, команду",
        "Up, Ctrl-R": "что вы набирали раньше",
        "Alt-1 … Alt-9": "ваши комнаты по номеру; Ctrl-N, Ctrl-P: следующая, предыдущая",
        ":smile:": "эмодзи по названию; Tab дополнит",
        "Ctrl-C": "очистить строку, а пустая — выйти",
        "//текст": "сказать то, что начинается с косой черты",
        "Анна?": "имя Анна не подтверждено",
    },
    refusals={
        ErrorCode.NAME_TAKEN: "Это имя (или похожее на него) сейчас занято, выберите другое.",
        ErrorCode.NAME_CLAIMED: "Это имя (или похожее на него) принадлежит другому. Выберите другое; если оно ваше, "
        "ссылку для этой машины даст /device там, где вы под ним вошли.",
        ErrorCode.NOT_KNOWN: "Сюда входят только те, чьё имя известно. Попросите приглашение у администратора чата.",
        ErrorCode.NO_SUCH_NAME: "Пользователя с таким именем нет.",
        ErrorCode.NO_SECRET: "Для этого имя должно быть вашим: войдите под таким, которого ни у кого нет.",
        ErrorCode.ROOM_TAKEN: "Такая комната уже есть, выберите другое название.",
        ErrorCode.NOT_INVITED: "Эта комната частная, в неё входят по приглашению.",
        ErrorCode.ROOM_ARCHIVED: "Эта комната в архиве: её можно читать, но писать в неё нельзя.",
        ErrorCode.BAD_LINK: "Эта ссылка больше не действует: она использована, устарела или отозвана.",
        ErrorCode.NO_ACCESS: "Нужен ключ доступа: откройте ссылку, которую показал сервер при запуске.",
        KICKED: "Модератор отключил вас от чата.",
        ErrorCode.NAME_RESERVED: "Это имя похоже на служебное, выберите другое.",
        ErrorCode.BAD_NAME: "Такое имя не подходит: нужно от 1 до 32 видимых знаков, без двоеточия и без * и # в начале.",
        ErrorCode.BAD_ROOM: "Такой комнаты быть не может: нужно от 1 до 32 букв и цифр, внутри можно - и _.",
        ErrorCode.TOO_FAST: "Слишком много сразу; остальное уйдёт через мгновение.",
        ErrorCode.STORAGE_FULL: "Не сохранено: на диске сервера нет места.",
        ErrorCode.NOT_STORED: "Не сохранено: сервер не смог записать на диск.",
        ErrorCode.GOING_DOWN: "Сервер останавливается.",
        ErrorCode.OUT_OF_REACH: "Этот сервер сейчас не достаёт до остальных; написанное ждёт.",
    },
)


def phrases_for(environment: Mapping[str, str]) -> Phrases:
    """The phrases in the language of an environment."""
    return {Language.RU: RUSSIAN, Language.EN: ENGLISH}[language_of(environment)]
