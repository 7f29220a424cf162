// The storage shared by all tabs: one entry each, so that no tab overwrites another's. Where nothing can be stored
// (private mode), memory serves the visit.

const PREFIX = "besedka.";
const unstored = new Map(); // entries that storage refused: it is full or forbidden

export function get(key) {
  try {
    return unstored.get(key) ?? localStorage.getItem(PREFIX + key) ?? "";
  } catch {
    return "";
  }
}

/** An empty value removes the entry. */
export function set(key, value) {
  try {
    if (value) localStorage.setItem(PREFIX + key, value);
    else localStorage.removeItem(PREFIX + key);
    unstored.delete(key);
  } catch {
    unstored.set(key, value);
  }
}

/** All entries of a kind: [name, value]. */
export function all(kind) {
  const keys = new Set(unstored.keys());
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) keys.add(key.slice(PREFIX.length));
  } catch {
    // then there is `unstored` only
  }
  const found = [...keys].filter((key) => key.startsWith(`${kind}.`) && get(key));
  return found.map((key) => [key.slice(kind.length + 1), read(get(key))]);
}

export function read(value) {
  try {
    return JSON.parse(value) ?? {};
  } catch {
    return {};
  }
}

/** 256 random bits that identify the person across tabs. */
export function secret() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  if (!get("secret")) set("secret", Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  return get("secret");
}

/** A message key; plain http has no randomUUID. */
export function newKey() {
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
}

/** The outbox of a name, in order: [{key, room, text, after}]. */
export function unsent(name) {
  const messages = all("unsent").map(([key, message]) => ({ ...message, key }));
  return messages.filter(({ user }) => user === name).sort((a, b) => a.at - b.at);
}
