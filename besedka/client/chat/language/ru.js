// The strings needed to log in and post; ru.features.js has the others.

const plural = new Intl.PluralRules("ru");

export function count(n, one, few, many) {
  return `${n} ${{ one, few }[plural.select(n)] ?? many}`;
}

export const strings = {
  title: "Беседка",
  lead: "Место для беседы. Без регистрации: просто назовитесь.",
  yourName: "Ваше имя",
  enter: "Войти",
  entering: "Входим …",
  away: "Нет связи.",
  rooms: "Комнаты",
  search: "Поиск",
  newRoomSure: (name) => `Комнаты # ${name} нет. Создать её?`,
  about: "Об этой комнате",
  log: "Сообщения",
  message: "Напишите сообщение …",
  send: "Отправить",
  people: (n) => count(n, "человек", "человека", "человек"),
  empty: "Здесь ещё ничего не сказано. Начните!",
  fresh: "Новое",
  today: "Сегодня",
  yesterday: "Вчера",
  refusals: {
    empty_name: () => "Напишите, пожалуйста, ваше имя.",
    bad_name: ({ name }) => `Такое имя не подходит: нужно от 1 до ${name} знаков, без двоеточий, невидимых знаков и # в начале.`,
    name_reserved: () => "Это имя похоже на служебное. Выберите, пожалуйста, другое.",
    name_taken: () => "Такое или похожее имя здесь сейчас занято. Выберите, пожалуйста, другое.",
    name_claimed: () => "Это или похожее имя принадлежит другому. Выберите другое; если оно ваше, добавьте это устройство там, где вы под ним вошли.",
    closed: () => "Сервер закрыл соединение.",
  },
};
