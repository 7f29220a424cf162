// The words of a search, and what they narrow down: from:Anna since:2026-11-01 until:2026-11-30 exam. Pure.
// The terminal has the same (besedka/terminal/search_terms.py); tests/vectors/search_terms.json holds both to it.

/** @type {Record<string, "user" | "since" | "until">} */
const FIELDS = { from: "user", "от": "user", since: "since", "с": "since", until: "until", "до": "until" };
const TERM = /(?<!\S)(from|since|until|от|с|до):("[^"]+"|\S+)/gi;
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;

/** The parts of a search; `invalid` is what should be a date of the years 1970 to 9998, and is none.
 * @param {string} typed */
export function parseTerms(typed) {
  const terms = { text: typed.trim(), user: "", since: "", until: "", invalid: "" };
  const rest = typed.replace(TERM, (_, word, value) => {
    terms[FIELDS[word.toLowerCase()]] = value.replace(/^"+|"+$/g, "");
    return "";
  });
  if (rest !== typed) terms.text = rest.split(/\s+/).filter(Boolean).join(" ");
  terms.invalid = [terms.since, terms.until].find((day) => day && !isDate(day)) ?? "";
  return terms;
}

/** Whether it is a day of the years 1970 to 9998, as YYYY-MM-DD.
 * @param {string} typed */
export function isDate(typed) {
  const [, year, month, day] = DATE.exec(typed)?.map(Number) ?? [];
  const date = new Date(year, month - 1, day);
  return year >= 1970 && year <= 9998 && date.getMonth() === month - 1 && date.getDate() === day;
}

/** The first second of a day, or of one some days later, by the server's clock, whose days the log has; in unix seconds.
 * @param {string} day @param {number} utcOffset the clock's, in seconds @param {number} [later] */
export function beginningOf(day, utcOffset, later = 0) {
  const [year, month, date] = day.split("-").map(Number);
  return Math.max(0, Date.UTC(year, month - 1, date + later) / 1000 - utcOffset);
}
