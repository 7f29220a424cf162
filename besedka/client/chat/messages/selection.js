// Copies a selection of several messages as the lines of the log that they are, whole. Browsers would copy times and names as they stand
// on the screen, without days. A selection inside one message is the browser's.

import { here } from "../state.js";
import { toLogLine } from "./log_line.js";

export class View {
  /** @type {State} */
  #state;
  #rows = document.getElementById("rows");

  constructor() {
    document.addEventListener("copy", (event) => this.#copied(event));
  }

  /** @param {State} state */
  draw(state) {
    this.#state = state;
  }

  #copied(event) {
    if (event.target.closest?.("input, textarea")) return;
    const selection = getSelection();
    const ranges = Array.from({ length: selection.rangeCount }, (_, index) => selection.getRangeAt(index));
    const items = [...this.#rows.querySelectorAll(".message")].filter((item) => ranges.some((range) => isSelected(item, range)));
    const ids = new Set(items.map(({ dataset }) => Number(dataset.id)));
    // Messages that wait have no line yet.
    const rows = here(this.#state).rows.filter(({ id }) => ids.has(id));
    if (items.length < 2 || !rows.length) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", rows.map((row) => toLogLine({ ...row, isUnverified: false })).join("\n"));
  }
}

/** Whether a part of a message is selected, and not its edge or its hidden name only. */
function isSelected(item, range) {
  const bubble = item.querySelector(".bubble");
  if (!range.intersectsNode(bubble)) return false;
  const part = range.cloneRange();
  if (!bubble.contains(part.startContainer)) part.setStartBefore(bubble);
  if (!bubble.contains(part.endContainer)) part.setEndAfter(bubble);
  return part.toString().trim() !== "";
}
