// Copies a text, also where browsers give the page no clipboard: on plain http:// in a LAN.

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const activeElement = /** @type {HTMLElement} */ (document.activeElement);
  const box = Object.assign(document.createElement("textarea"), { value: text, className: "unseen" });
  (activeElement?.closest("dialog") ?? document.body).append(box);
  box.select();
  const isCopied = document.execCommand("copy");
  box.remove();
  activeElement?.focus();
  return isCopied;
}
