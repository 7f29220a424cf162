// How a name stands in a sentence: in quotation marks unless it is a single word, so that nobody's name passes for our words. Pure.
// besedka/wire/naming.py does the same; tests/vectors/naming.json is for both.

const WORD = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}_'.-]*$/u;
const SIGN_AT_END = /['.-]$/;
const QUOTES = /["«»“”„‟″‶〃〝〞《》『』\uff02\u02ba\u02dd\u02ee\u05f4\u05f2]|['‘’]{2,}/g;

/** A name as it stands in a sentence; `marks` are the quotation marks, one in front and one behind. @type {(name: string, marks: string) => string} */
export function inSentence(name, marks) {
  return WORD.test(name) && !SIGN_AT_END.test(name) ? name : marks[0] + name.replace(QUOTES, "'") + marks[1];
}
