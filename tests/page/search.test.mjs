import assert from "node:assert/strict";
import { test } from "node:test";

import { beginningOf, parseTerms } from "../../besedka/client/chat/search/terms.js";
import { vectors } from "./vectors.mjs";
import { Visit } from "./visit.mjs";

test("Terms are told from words.", () => {
  const nothing = { text: "", user: "", since: "", until: "" };
  for (const [typed, expected] of vectors("search_terms")) {
    const { invalid, ...terms } = parseTerms(typed);
    assert.equal(invalid, expected.invalid ?? "", typed);
    if (!expected.invalid) assert.deepEqual(terms, { ...nothing, ...expected }, typed);
  }
});

test("A day begins at its midnight, whatever the clock does that day.", () => {
  for (const day of ["2026-03-29", "2026-10-25", "2026-12-31"]) {
    const date = new Date(beginningOf(day) * 1000);
    assert.deepEqual([date.getHours(), date.getMinutes()], [0, 0]);
    assert.ok(Math.abs(beginningOf(day, 1) - beginningOf(day) - 86_400) <= 3_600);
  }
});

test("All of the user's rooms are searched one after the other, and the hits are in the order of their times.", () => {
  const visit = new Visit().comeIn({ head: 2 }).happen({ type: "openRoom", name: "dev" });
  visit.welcome({ room: "dev", head: 9 });
  visit.happen({ type: "search", text: "from:Boris needle", isEverywhere: true });
  const found = (room, before, ...times) => visit.tell({
    type: "found", room, key: "search-1", text: "needle", before, ids: times.map((_, at) => at + 1), messages: times.map((time) => `[${time}] Boris: needle`),
  });
  const asked = () => visit.sent("search").map(({ room, before, user, text }) => [room, before, user, text]);
  assert.deepEqual(asked(), [["dev", 0, "Boris", "needle"]]);
  found("dev", 5, "2025-01-02 10:00:00");
  assert.deepEqual(asked()[1], ["main", 0, "Boris", "needle"]);
  assert.ok(visit.state.search.busy);
  found("main", 0, "2025-01-01 10:00:00", "2025-01-03 10:00:00");
  assert.ok(!visit.state.search.busy);
  assert.deepEqual(visit.state.search.hits.map(({ room, day }) => [room, day]), [["main", "2025-01-01"], ["dev", "2025-01-02"], ["main", "2025-01-03"]]);
  visit.happen({ type: "searchMore" });
  assert.deepEqual(asked().slice(2), [["dev", 5, "Boris", "needle"]], "only where there is more");
});

test("What should be a date, and is none, is not asked for.", () => {
  const visit = new Visit().comeIn({ head: 2 }).happen({ type: "search", text: "since:yesterday exam" });
  assert.deepEqual(visit.sent("search"), []);
  assert.deepEqual([visit.state.search.refusal, visit.state.search.busy], [{ code: "bad_date", date: "yesterday" }, undefined]);
});
