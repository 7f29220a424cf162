// A clock that jumps: in place of setTimeout, clearTimeout and Date.now.

const real = { setTimeout, clearTimeout, now: Date.now };

export class Clock {
  #now = 1_700_000_000_000;
  #waiting = new Map();
  #count = 0;

  start() {
    globalThis.setTimeout = (act, ms = 0) => {
      this.#count += 1;
      this.#waiting.set(this.#count, { act, at: this.#now + ms });
      return this.#count;
    };
    globalThis.clearTimeout = (id) => this.#waiting.delete(id);
    Date.now = () => this.#now;
    return this;
  }

  stop() {
    globalThis.setTimeout = real.setTimeout;
    globalThis.clearTimeout = real.clearTimeout;
    Date.now = real.now;
  }

  tick(ms) {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#waiting].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [id, { act, at }] = due;
      this.#waiting.delete(id);
      this.#now = at;
      act();
    }
    this.#now = end;
  }
}
