// A link that one gives to others: as a text to be copied, and as a QR code for a phone nearby; with a word of warning where
// no other device can open it.

import { path, qr } from "../../qr.js";
import { line } from "../row.js";
import { copy } from "./copying.js";
import { COPY, icon, iconButton } from "./icon.js";

const LOCAL = /^(localhost|.*\.localhost|127\..*|\[::1\])$/;

/** @param name what the link is, for those who do not see it */
export function linkBox(link, name, words) {
  const box = line("div", "link", "");
  const field = Object.assign(document.createElement("textarea"), { value: link, readOnly: true, rows: 3, ariaLabel: name });
  const button = iconButton(COPY, words.copyLink);
  const told = line("p", "quiet", "");
  const row = line("div", "line", "");
  const warning = LOCAL.test(location.hostname) ? [line("p", "lead", words.onlyHere(location.hostname))] : [];
  button.autofocus = true; // before what closes the panel
  told.role = "status";
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => (told.textContent = words[(await copy(link)) ? "copied" : "notCopied"]));
  row.append(field, button);
  box.append(...warning, row, told, ...code(link, words));
  return box;
}

// None, if the link is too long for one.
function code(link, words) {
  const rows = qr(link);
  if (!rows) return [];
  const picture = icon(path(rows), rows.length);
  picture.ariaHidden = null;
  picture.role = "img";
  picture.ariaLabel = words.qr;
  picture.classList.add("qr");
  return [picture];
}
