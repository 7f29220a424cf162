// The step function before and after the features are there, and the loader between the two.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { features } from "../../besedka/client/chat/features.js";
import { DEFERRED_AT_MOST, FeatureLoader } from "../../besedka/client/chat/loader.js";
import { core, createStep, newState } from "../../besedka/client/chat/state.js";
import { Clock } from "./clock.mjs";

const LIMITS = { name: 32, room: 32, text: 5000, frame: 65_536 };
const WELCOME = { type: "welcome", room: "main", user: "Anna", head: 100, epoch: "e", clients_count: 1, users: [], limits: LIMITS, utc_offset: 0 };
const received = (frame, now = 0) => ({ type: "frame", frame, now });
const settle = () => new Promise(setImmediate);
let clock;

beforeEach(() => (clock = new Clock().start()));
afterEach(() => clock.stop());

/** Runs events through a step function: [state, the effects of all]. */
function run(step, state, ...events) {
  return events.reduce(([before, effects], event) => {
    const [next, more] = step(before, event);
    return [next, [...effects, ...more]];
  }, [state, []]);
}

test("without the features a jump and a page of history are deferred, and a target does not break the welcome", () => {
  const step = createStep(core);
  const page = received({ type: "history", room: "main", first: 1, messages: ["[2025-01-01 10:00:00] Boris: x"], before: 2 });
  const jump = { type: "jump", id: 17 };
  const state = newState();
  state.rooms.main.target = 17;
  const [next, effects] = run(step, state, { type: "logIn", name: "Anna", secret: "s" }, { type: "connected" }, jump, received(WELCOME), page);
  assert.deepEqual(effects.filter((effect) => effect.do === "defer").map(({ event }) => event), [jump, page]);
  assert.deepEqual([next.rooms.main.isJoined, next.rooms.main.rows], [true, []]);
  const [, later] = run(createStep(core, ...features), next, jump);
  assert.deepEqual(later.map(({ frame }) => [frame.type, frame.before]), [["history", 43]]);
});

test("a frame that no table has is deferred, whatever its type means in JavaScript", () => {
  for (const type of ["redacted", "constructor", "__proto__", "toString"]) {
    const event = received({ type, room: "main" });
    assert.deepEqual(createStep(core)(newState(), event)[1], [{ do: "defer", event }]);
  }
});

test("a later feature sees an event first, and passes it on with what it has changed", () => {
  const seen = [];
  const feature = (name) => ({
    events: {
      toast: (state, event, { next }) => {
        seen.push([name, event.toast]);
        return next({ ...state, me: state.me + name }, { ...event, toast: name });
      },
    },
  });
  const [state] = createStep(feature("a"), feature("b"))(newState(), { type: "toast", toast: "first" });
  assert.deepEqual([seen, state.me], [[["b", "first"], ["a", "b"]], "ba"]);
});

test("what was deferred while the fetch failed is handed over in order when it succeeds", async () => {
  const started = [];
  let tries = 0;
  const load = async () => {
    tries += 1;
    if (tries < 3) throw new Error("offline");
    return "module";
  };
  const loader = new FeatureLoader(load, (...given) => started.push(given), assert.fail);
  const events = ["redacted", "rights", "error"].map((type) => received({ type }));
  loader.defer(events[0]);
  await settle();
  loader.defer(events[1]);
  clock.tick(1000);
  await settle();
  assert.deepEqual([tries, started], [2, []], "no third try yet");
  loader.defer(events[2]);
  clock.tick(1999);
  await settle();
  assert.equal(tries, 2, "the waits grow");
  clock.tick(1);
  await loader.fetch();
  assert.deepEqual(started, [["module", events]]);
});

test("the waits between tries end at 15 seconds", async () => {
  let tries = 0;
  const load = async () => {
    tries += 1;
    throw new Error("offline");
  };
  const loader = new FeatureLoader(load, assert.fail, assert.fail);
  loader.fetch();
  for (const seconds of [1, 2, 4, 8, 15, 15]) {
    await settle();
    const before = tries;
    clock.tick(seconds * 1000 - 1);
    await settle();
    assert.equal(tries, before);
    clock.tick(1);
    await settle();
    assert.equal(tries, before + 1);
  }
});

test("when too many frames are deferred, the connection is made anew in place of them, and the user's events stay", async () => {
  let overflows = 0;
  let load;
  const started = [];
  const loader = new FeatureLoader(() => new Promise((resolve) => (load = resolve)), (_, deferred) => started.push(...deferred), () => (overflows += 1));
  const jump = { type: "jump", id: 1 };
  loader.defer(jump);
  for (let count = 0; count < DEFERRED_AT_MOST; count += 1) loader.defer(received({ type: "system" }, count));
  load("module");
  await loader.fetch();
  assert.deepEqual([overflows, started], [1, [jump]]);
});
