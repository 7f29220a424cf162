// What this browser keeps between visits, for all its tabs: one entry for each thing, so that no tab writes over what
// another has written. Where the browser keeps nothing (private mode), the visit goes on without.

const OURS = "besedka.";
const unkept = new Map(); // what storage has not taken: it is full or forbidden

export function get(key) {
  try {
    return unkept.get(key) ?? localStorage.getItem(OURS + key) ?? "";
  } catch {
    return "";
  }
}

/** An empty value is none. */
export function set(key, value) {
  try {
    if (value) localStorage.setItem(OURS + key, value);
    else localStorage.removeItem(OURS + key);
    unkept.delete(key);
  } catch {
    unkept.set(key, value);
  }
}

/** All entries of a kind: [name, value]. */
export function all(kind) {
  const keys = new Set(unkept.keys());
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(OURS)) keys.add(key.slice(OURS.length));
  } catch {
    // There is only what it has not taken.
  }
  const ours = [...keys].filter((key) => key.startsWith(`${kind}.`) && get(key));
  return ours.map((key) => [key.slice(kind.length + 1), read(get(key))]);
}

export function read(value) {
  try {
    return JSON.parse(value) ?? {};
  } catch {
    return {};
  }
}

/** 256 random bits that show to the server that two tabs are the same person. */
export function secret() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  if (!get("secret")) set("secret", Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  return get("secret");
}

/** A message's own; on plain http browsers make none. */
export function newKey() {
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
}

/** What was said under a name and not heard back, in order: [{key, room, text, after}]. */
export function unsent(name) {
  const messages = all("unsent").map(([key, message]) => ({ ...message, key }));
  return messages.filter(({ user }) => user === name).sort((a, b) => a.at - b.at);
}
