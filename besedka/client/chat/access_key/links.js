// The links of this page that let somebody in, and what a user may paste in place of one. Pure.

import { isKey, placeOf, readPlace } from "../protocol.js";

/** A link with tokens behind the room: key, invite, name, device; empty ones are left out. @param {string} href @param {string} room @param {Record<string, string>} tokens */
export function linkTo(href, room, tokens) {
  const given = Object.entries(tokens).filter(([, value]) => value).map(([name, value]) => `;${name}=${encodeURIComponent(value)}`);
  return new URL(`${placeOf(room)}${given.join("")}`, href).href.replace(/#$/, "");
}

/** What a pasted text gives: {place}, or what is wrong with it, {mistake}: empty, keyless, wrong. @param {string} text */
export function readPasted(text) {
  const pasted = text.trim();
  const [, hash] = /^\S*?(#\S*)$/.exec(pasted) ?? [];
  const place = readPlace(hash ?? "");
  const key = hash ? place.key : pasted;
  const isLink = place.device || place.invite;
  if (!pasted) return { mistake: "empty" };
  if (!key && !isLink && (hash || /^https?:/.test(pasted))) return { mistake: "keyless" };
  if (!isLink && !isKey(key)) return { mistake: "wrong" };
  return { place: { ...place, key } };
}
