// The mark beside a name that nobody has shown to be his.

import { line } from "../row.js";

export function doubt(words) {
  const mark = line("i", "doubt", "");
  const sign = line("span", "", "?");
  sign.ariaHidden = true;
  mark.title = words.doubt;
  mark.append(sign, line("span", "unseen", ` (${words.doubtSaid})`));
  return mark;
}
