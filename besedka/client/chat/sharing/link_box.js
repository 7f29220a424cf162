// A link to share: as a text to copy, and as a QR code for a phone nearby; where no other device can open it, with a warning instead.

import { path, qr } from "./qr.js";
import { line } from "../view/row.js";
import { copy } from "./clipboard.js";
import { COPY, icon, iconButton } from "../view/controls/icon.js";

const LOCAL = /^(localhost|.*\.localhost|127\..*|\[::1\])$/;

/** @param name the accessible name of the link */
export function linkBox(link, name, strings) {
  const box = line("div", "link", "");
  const field = Object.assign(document.createElement("textarea"), { value: link, readOnly: true, rows: 3, ariaLabel: name });
  const button = iconButton(COPY, strings.copyLink);
  const status = line("p", "quiet", "");
  const row = line("div", "line", "");
  const isLocal = LOCAL.test(location.hostname);
  button.autofocus = true; // before the closing button
  status.role = "status";
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => (status.textContent = strings[(await copy(link)) ? "copied" : "notCopied"]));
  row.append(field, button);
  box.append(...(isLocal ? [line("p", "lead", strings.onlyHere)] : []), row, status, ...(isLocal ? [] : code(link, strings)));
  return box;
}

// None, if the link is too long for one.
function code(link, strings) {
  const rows = qr(link);
  if (!rows) return [];
  const picture = icon(path(rows), rows.length);
  picture.ariaHidden = null;
  picture.role = "img";
  picture.ariaLabel = strings.qr;
  picture.classList.add("qr");
  return [picture];
}
