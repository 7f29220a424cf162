// Fetches modules, with retries. Events that need the features are deferred, in order.

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15_000;
export const DEFERRED_AT_MOST = 1000;

export class FeatureLoader {
  #load;
  #start;
  #overflow;
  /** @type {PageEvent[]} */
  #deferred = [];
  /** @type {Promise<void> | undefined} */
  #loading;

  /**
   * @param {() => Promise<any>} load
   * @param {(module: any, deferred: PageEvent[]) => void} start
   * @param {() => void} overflow too many frames were deferred; they are dropped, and must be sent again
   */
  constructor(load, start, overflow) {
    this.#load = load;
    this.#start = start;
    this.#overflow = overflow;
  }

  /** @param {PageEvent} event */
  defer(event) {
    this.#deferred.push(event);
    this.fetch();
    if (this.#deferred.length <= DEFERRED_AT_MOST) return;
    this.#deferred = this.#deferred.filter(({ type }) => type !== "frame");
    this.#overflow();
  }

  /** Resolves when the features are loaded. */
  fetch() {
    return (this.#loading ??= this.#fetch());
  }

  async #fetch() {
    this.#start(await fetchModule(this.#load), this.#deferred.splice(0));
  }
}

/** Imports a module, however long the network is away. @template T @param {() => Promise<T>} load */
export async function fetchModule(load) {
  for (let wait = FIRST_RETRY_MS; ; wait = Math.min(2 * wait, LONGEST_RETRY_MS)) {
    const module = await load().catch(() => null);
    if (module) return module;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
