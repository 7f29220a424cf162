// A link that one gives to others: as a text to be copied, and as a QR code for a phone nearby.

import { path, qr } from "../../qr.js";
import { line } from "../row.js";
import { copy } from "./copying.js";
import { COPY, icon, iconButton } from "./icon.js";

/** @param name what the link is, for those who do not see it */
export function linkBox(link, name, words) {
  const box = line("div", "link", "");
  const field = Object.assign(document.createElement("input"), { value: link, readOnly: true, ariaLabel: name });
  const button = iconButton(COPY, words.copyLink);
  const told = line("p", "quiet", "");
  const row = line("div", "line", "");
  told.role = "status";
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => (told.textContent = words[(await copy(link)) ? "copied" : "notCopied"]));
  row.append(field, button);
  box.append(row, told, ...code(link, words));
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
