// Links into this chat, with and without what grants access; pasted links and keys. Pure.

import { DEFAULT_ROOM, isKey, fragmentOf, readFragment } from "../protocol.js";

/** A link with tokens behind the room: key, invite, name, device; empty ones are left out. @param {string} href @param {string} room @param {Record<string, string>} tokens */
export function linkTo(href, room, tokens) {
  const given = Object.entries(tokens).filter(([, value]) => value).map(([name, value]) => `;${name}=${encodeURIComponent(value)}`);
  return new URL(`${fragmentOf(room)}${given.join("")}`, href).href.replace(/#$/, "");
}

/** Parses a pasted text: {fragment}, or {mistake}: empty, keyless, wrong. @param {string} text */
export function readPasted(text) {
  const pasted = text.trim();
  const [, hash] = /^\S*?(#\S*)$/.exec(pasted) ?? [];
  const fragment = readFragment(hash ?? "");
  const key = hash ? fragment.key : pasted;
  const isLink = fragment.device || fragment.invite;
  if (!pasted) return { mistake: "empty" };
  if (!key && !isLink && (hash || /^https?:/.test(pasted))) return { mistake: "keyless" };
  if (!isLink && !isKey(key)) return { mistake: "wrong" };
  return { fragment: { ...fragment, key } };
}

/**
 * The fragment that a link into the chat at this address opens in place; empty for other links, and for those that make the user somebody else.
 * @param {string} href @param {string} address
 */
export function fragmentHere(href, address) {
  const [page, hash = ""] = href.split("#");
  const { room, name, device } = readFragment(hash);
  return page !== address.split("#")[0] || name || device ? "" : `#${room ? hash : fragmentOf(DEFAULT_ROOM).slice(1)}`;
}
