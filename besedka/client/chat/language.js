// The page's strings. Only one language is fetched, and of it only what is needed.

import { fetchModule } from "./loader.js";
import { CHOICES, clockFormat } from "./preferences.js";

const LANGUAGES = CHOICES.language.slice(1);

/** The login's strings, in the browser's first language that the page has; else in English. */
export async function loadStrings(preferred) {
  const tags = preferred.map((tag) => tag.toLowerCase().split("-")[0]);
  const tag = tags.find((tag) => LANGUAGES.includes(tag)) ?? "en";
  const { strings } = await fetchModule(() => import(`./language/${tag}.js`));
  const locale = preferred.find((one) => one.toLowerCase().startsWith(`${tag}-`)) ?? preferred[tags.indexOf(tag)] ?? tag;
  return { ...strings, tag, locale, clock: clockFormat(locale) };
}

/** Adds the strings of the features. */
export async function addFeatureStrings(strings) {
  const { features } = await import(`./language/${strings.tag}.features.js`);
  Object.assign(strings, features, { refusals: { ...strings.refusals, ...features.refusals } });
}

/** A refusal in the page's language, else the server's own sentence. */
export function refusalText(strings, refusal, limits) {
  const { code, text } = refusal;
  return Object.hasOwn(strings.refusals, code) ? strings.refusals[code]({ ...limits, ...refusal }) : text;
}
