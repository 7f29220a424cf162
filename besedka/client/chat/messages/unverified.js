// The mark beside an unverified name.

import { line } from "../view/row.js";

export function unverifiedMark(strings) {
  const mark = line("i", "unverified", "");
  const sign = line("span", "", "?");
  sign.ariaHidden = true;
  mark.title = strings.unverified;
  mark.append(sign, line("span", "unseen", ` (${strings.unverifiedShort})`));
  return mark;
}
