// The strings of the page in the reader's language. Only one language is fetched, and only what is needed of it.

const LANGUAGES = ["en", "ru"];

/** The strings needed to log in, in the first language of the browser's list that the page speaks; English if none. */
export async function loadStrings(preferred) {
  const tags = preferred.map((tag) => tag.toLowerCase().split("-")[0]);
  const tag = tags.find((one) => LANGUAGES.includes(one)) ?? "en";
  const { strings } = await import(`./language/${tag}.js`);
  return { ...strings, tag, locale: preferred[tags.indexOf(tag)] ?? tag };
}

/** Adds the strings of the features. */
export async function addFeatureStrings(strings) {
  const { features } = await import(`./language/${strings.tag}.features.js`);
  Object.assign(strings, features, { refusals: { ...strings.refusals, ...features.refusals } });
}

/** A refusal in the page's language; the server's own sentence where the page has none. */
export function refusalText(strings, refusal, limits) {
  const { code, text } = refusal;
  return Object.hasOwn(strings.refusals, code) ? strings.refusals[code]({ ...limits, ...refusal }) : text;
}
