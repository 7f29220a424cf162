// The page's own words, in the reader's language.

import { en } from "./language/en.js";
import { ru } from "./language/ru.js";

const known = { en, ru };

/** The first language of the browser's list that the page speaks; English if none. */
export function language(preferred) {
  for (const tag of preferred) {
    const name = tag.toLowerCase().split("-")[0];
    if (known[name]) return { ...known[name], tag: name };
  }
  return { ...en, tag: "en" };
}

/** A refusal in the page's language; the server's own sentence where the page has none. */
export function refusalText(words, { code, text }, limits) {
  const own = words.refusals[code];
  return own ? own(limits) : text;
}
