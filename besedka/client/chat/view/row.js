// A row of the log as an element, with its plain text; messages/format.js formats it.

const template = document.querySelector("#row-message").content.firstElementChild;

/** @param strings with the format of a clock */
export function message({ id, user, text, day, time, own, old, mentioned, status }, strings) {
  const item = template.cloneNode(true);
  const [name, bubble] = item.children;
  const [said, clock] = bubble.children;
  const kinds = { [status]: true, own, old, mentioned };
  item.classList.add(...Object.keys(kinds).filter((kind) => kinds[kind]));
  if (id) item.dataset.id = id;
  name.textContent = user;
  name.style.setProperty("--hue", hue(user));
  said.textContent = text;
  clock.textContent = time ? strings.clock(time) : "⋯";
  if (day) clock.title = clock.dateTime = `${day} ${time}`;
  return item;
}

export function line(tag, className, textContent) {
  return Object.assign(document.createElement(tag), { className, textContent });
}

/** Writes a text only if it has changed: each write costs a layout. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The colour of a name: one of twelve distinct hues. */
export function hue(name) {
  let sum = 7;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 65_521;
  return (sum % 12) * 30;
}
