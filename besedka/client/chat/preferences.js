// What the user has chosen for this device: theme, text size, language, clock, and the key that sends.

import { get, read, set } from "./storage.js";

const ENTRY = "preferences";

/** The choices, the default first: it is not stored. */
export const CHOICES = {
  theme: ["system", "light", "dark"],
  size: ["100", "115", "130", "150"], // percent
  language: ["auto", "en", "ru"],
  clock: ["auto", "24", "12"],
  send: ["enter", "ctrl"],
};

/** What is chosen now, whole and valid. @returns {Preferences} */
export function preferences() {
  const stored = read(get(ENTRY));
  const entries = Object.entries(CHOICES).map(([name, values]) => [name, values.includes(stored[name]) ? stored[name] : values[0]]);
  return Object.fromEntries(entries);
}

/** @param {keyof Preferences} name @param {string} value */
export function setPreference(name, value) {
  const chosen = Object.entries({ ...preferences(), [name]: value }).filter(([name, value]) => value !== CHOICES[name][0]);
  set(ENTRY, chosen.length ? JSON.stringify(Object.fromEntries(chosen)) : "");
  applyPreferences();
}

/** Applies those that the style needs. */
export function applyPreferences() {
  const { theme, size } = preferences();
  const { dataset, style } = document.documentElement;
  dataset.theme = theme;
  style.colorScheme = theme === "system" ? "" : theme;
  style.fontSize = size === "100" ? "" : `${size}%`;
}

/** A function that shows a time of day, HH:MM:SS, as chosen, or as is usual in a locale. @param {string} locale @returns {(time: string) => string} */
export function clockFormat(locale) {
  const { clock } = preferences();
  const hour12 = clock === "auto" ? new Intl.DateTimeFormat(locale, { hour: "numeric" }).resolvedOptions().hour12 : clock === "12";
  if (!hour12) return (time) => time.slice(0, 5);
  const format = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit", hour12: true, timeZone: "UTC" });
  return (time) => (/^\d\d:\d\d:\d\d$/.test(time) ? format.format(new Date(`1970-01-01T${time}Z`)) : time.slice(0, 5));
}
