// Whom the user has blocked. A block is of a person: the list of rooms marks the direct room with them, whatever name they were blocked under. Pure.

/** Whether the user has blocked somebody, as far as the list says it under this name. @type {(state: Pick<State, "blocked" | "listed">, user: string) => boolean} */
export function isBlocked({ blocked = [], listed }, user) {
  return blocked.includes(user) || listed.some((room) => room.blocked && room.peer === user);
}

/** Finds the direct rooms that a new block has ended. */
export class Blocks {
  /** @type {Listed[]} */
  #listed = [];

  /**
   * The joined rooms, without unsent messages, that the list marks and the list before did not. The first list says nothing of what is new.
   * @type {(state: Pick<State, "listed" | "rooms">) => string[]}
   */
  ended({ listed, rooms }) {
    const before = this.#listed;
    if (listed === before) return [];
    this.#listed = listed;
    const isMarked = (/** @type {string} */ name) => before.some((room) => room.name === name && room.blocked);
    const isEnded = (/** @type {Listed} */ { name, blocked }) => blocked && !isMarked(name) && rooms[name] && !rooms[name].outbox.length;
    return before.length ? listed.filter(isEnded).map(({ name }) => name) : [];
  }
}
