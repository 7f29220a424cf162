// What the page says until one talks; the rest is in ru.rest.js.

const plural = new Intl.PluralRules("ru");

export function count(n, one, few, many) {
  return `${n} ${{ one, few }[plural.select(n)] ?? many}`;
}

export const words = {
  title: "Беседка",
  lead: "Место для беседы. Без регистрации: просто назовитесь.",
  yourName: "Ваше имя",
  enter: "Войти",
  entering: "Входим …",
  away: "Нет связи.",
  rooms: "Комнаты",
  search: "Поиск",
  about: "Об этой комнате",
  log: "Сообщения",
  message: "Напишите сообщение …",
  send: "Отправить",
  people: (n) => count(n, "человек", "человека", "человек"),
  newMessages: (n) => `${count(n, "новое сообщение", "новых сообщения", "новых сообщений")} ↓`,
  latest: "К последним ↓",
  older: "Более ранние ↑",
  empty: "Здесь ещё ничего не сказано. Начните!",
  fresh: "Новое",
  today: "Сегодня",
  yesterday: "Вчера",
  joined: (names) => `${names} теперь в чате`,
  left: (names) => `${names} больше не в чате`,
  more: (n) => `ещё ${n}`,
  unfold: "Показать всё",
  again: "Ещё раз",
  discard: "Не надо",
  refusals: {
    empty_name: () => "Напишите, пожалуйста, ваше имя.",
    bad_name: ({ name }) => `Такое имя не подходит: нужно от 1 до ${name} знаков, без двоеточий и невидимых знаков.`,
    name_reserved: () => "Это имя похоже на служебное. Выберите, пожалуйста, другое.",
    name_taken: () => "Такое или похожее имя здесь сейчас занято. Выберите, пожалуйста, другое.",
    bad_room: ({ room }) => `Такой комнаты быть не может: нужно от 1 до ${room} букв и цифр, внутри можно - и _.`,
    closed: () => "Сервер закрыл соединение.",
  },
};
