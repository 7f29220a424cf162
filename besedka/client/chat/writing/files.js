// Files that are pasted or dropped: the chat has none, and says so.

const hasFiles = (/** @type {DataTransfer | null} */ data) => Boolean(data?.types.includes("Files"));

export class View {
  #actions;
  #scene = "";

  /** @param {Strings} _ @param {Actions} actions */
  constructor(_, actions) {
    this.#actions = actions;
    addEventListener("drop", ({ dataTransfer }) => hasFiles(dataTransfer) && this.#refuse());
    // A copied part of a page may hold a text beside its picture: that is pasted.
    addEventListener("paste", ({ clipboardData }) => {
      if (hasFiles(clipboardData) && !clipboardData?.types.includes("text/plain")) this.#refuse();
    });
  }

  /** @param {State} state */
  draw({ scene }) {
    this.#scene = scene;
  }

  #refuse() {
    if (this.#scene === "chat") this.#actions.dispatch({ type: "showRefusal", refusal: { code: "no_files" } });
  }
}
