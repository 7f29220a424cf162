// A clock that jumps: in place of setTimeout, clearTimeout and Date.now.

const real = { setTimeout, clearTimeout, now: Date.now };

export class Clock {
  #now = 1_700_000_000_000;
  #set = 0;
  #waiting = new Map();
  #count = 0;

  start() {
    globalThis.setTimeout = (act, ms = 0) => {
      this.#count += 1;
      this.#waiting.set(this.#count, { act, at: this.#now + ms });
      return this.#count;
    };
    globalThis.clearTimeout = (id) => this.#waiting.delete(id);
    Date.now = () => this.#now + this.#set;
    return this;
  }

  stop() {
    globalThis.setTimeout = real.setTimeout;
    globalThis.clearTimeout = real.clearTimeout;
    Date.now = real.now;
  }

  /** Set the wall clock, as NTP or a person does; timers do not notice. */
  set(ms) {
    this.#set += ms;
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
