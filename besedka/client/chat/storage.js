// What this browser keeps between visits. Where it keeps nothing (private mode), the visit goes on without.

const memory = new Map();

function get(key) {
  try {
    return localStorage.getItem(key) ?? memory.get(key) ?? "";
  } catch {
    return memory.get(key) ?? "";
  }
}

function set(key, value) {
  memory.set(key, value);
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is full or forbidden: memory has it for this visit.
  }
}

export const remembered = {
  name: () => get("besedka.name"),
  setName: (name) => set("besedka.name", name),

  /** 256 random bits that show to the server that two tabs are the same person. */
  secret: () => {
    if (!get("besedka.secret")) {
      const bytes = crypto.getRandomValues(new Uint8Array(32));
      set("besedka.secret", Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));
    }
    return get("besedka.secret");
  },
};
