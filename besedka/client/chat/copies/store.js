// The copies on this device: a database of the browser (IndexedDB) for each address of a chat. Where there is none, or it fails, as in a
// private window, there are no copies, and the page works without.

const COPIES_AT_MOST = 20; // rooms; those copied last stay
const STORE = "rooms";

export class CopyStore {
  /** @type {Promise<IDBDatabase | null>} */
  #database;

  /** @param {string} path of the page: other chats of the same origin have databases of their own */
  constructor(path) {
    this.#database = open(`besedka ${path}`).catch(() => null);
  }

  /** The copies of a user's rooms. @param {string} user @returns {Promise<Copy[]>} */
  async read(user) {
    // In the order of keys an array is behind all strings.
    return (await this.#run("readonly", (store) => store.getAll(IDBKeyRange.bound([user], [user, []])))) ?? [];
  }

  /** Replaces the copies of some rooms, and drops those of other users and of too many rooms. @param {string} user @param {Copy[]} copies */
  async put(user, copies) {
    const isDone = await this.#run("readwrite", (store, transaction) => {
      const requests = copies.map((copy) => store.put(copy));
      transaction.commit(); // the page may be closing
      return requests.at(-1);
    });
    // An old copy may hold what was redacted.
    if (!isDone) return this.remove(user, copies.map(({ room }) => room));
    await this.#run("readwrite", (store) => {
      const found = store.index("at").getAllKeys();
      found.onsuccess = () => {
        const isOwn = (key) => key[0] === user;
        const surplus = found.result.filter(isOwn).slice(0, -COPIES_AT_MOST);
        for (const key of found.result) if (!isOwn(key) || surplus.includes(key)) store.delete(key);
      };
    });
  }

  /** @param {string} user @param {string[]} rooms */
  async remove(user, rooms) {
    await this.#run("readwrite", (store, transaction) => {
      for (const room of rooms) store.delete([user, room]);
      transaction.commit();
    });
  }

  /** Drops all copies. */
  async clear() {
    await this.#run("readwrite", (store, transaction) => {
      store.clear();
      transaction.commit();
    });
  }

  /**
   * The result of the request that is returned, once the transaction is complete; undefined if it fails.
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore, transaction: IDBTransaction) => IDBRequest | undefined | void} act
   */
  async #run(mode, act) {
    const database = await this.#database;
    if (!database) return undefined;
    const done = new Promise((resolve) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE), transaction);
      transaction.oncomplete = () => resolve(request ? request.result : undefined);
      transaction.onabort = () => resolve(undefined);
    });
    return done.catch(() => undefined); // the browser has closed it
  }
}

/** @param {string} name @returns {Promise<IDBDatabase | null>} */
function open(name) {
  return new Promise((resolve) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: ["user", "room"] }).createIndex("at", "at");
    request.onerror = () => resolve(null);
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
  });
}
