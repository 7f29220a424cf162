// The page's own words, in the reader's language. Only one language is fetched, and only what is needed of it.

const SPOKEN = ["en", "ru"];

/** The first language of the browser's list that the page speaks; English if none. */
export async function language(preferred) {
  const tags = preferred.map((tag) => tag.toLowerCase().split("-")[0]);
  const tag = tags.find((one) => SPOKEN.includes(one)) ?? "en";
  const { words } = await import(`./language/${tag}.js`);
  return { ...words, tag, locale: preferred[tags.indexOf(tag)] ?? tag };
}

/** Adds the words that are not needed at the start. */
export async function addRest(words) {
  const { rest } = await import(`./language/${words.tag}.rest.js`);
  Object.assign(words, rest, { refusals: { ...words.refusals, ...rest.refusals } });
}

/** A refusal in the page's language; the server's own sentence where the page has none. */
export function refusalText(words, refusal, limits) {
  const { code, text } = refusal;
  return Object.hasOwn(words.refusals, code) ? words.refusals[code]({ ...limits, ...refusal }) : text;
}
