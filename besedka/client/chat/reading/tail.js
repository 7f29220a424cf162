// The rows of a room that are drawn: all of them, or in a flood the last ones only. Touches no element.

export class Tail {
  /** @type {Row | undefined} */
  #first; // if not all are drawn

  /** Whether some rows are left out. */
  get isCut() {
    return Boolean(this.#first);
  }

  /** Leaves out all rows but the last `count`. @param {Row[]} rows @param {number} count */
  cut(rows, count) {
    this.#first = rows[rows.length - count];
  }

  /** Takes in `count` more rows above. @param {Row[]} rows @param {number} count */
  extend(rows, count) {
    this.#first = rows[rows.indexOf(/** @type {Row} */ (this.#first)) - count];
  }

  /** Takes in all rows. */
  restore() {
    this.#first = undefined;
  }

  /** The room with the rows to draw; all of them if the first one is gone. @param {Room} room @returns {Room} */
  of(room) {
    const from = this.#first ? room.rows.indexOf(this.#first) : 0;
    if (from < 1) this.restore();
    if (!this.#first) return room;
    const rows = room.rows.slice(from);
    return { ...room, rows, firstId: rows.find(({ id }) => id)?.id ?? room.endId + 1 };
  }
}
