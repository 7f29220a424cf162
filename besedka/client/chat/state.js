// What the page knows, and how it changes. Pure: step(state, event) gives the next state and what is to be done.
//
// Rows, oldest first: messages that the server has told (with an id), notices among them, and behind them all what
// still waits to be heard back (the outbox). Row objects are never changed, only replaced, so a view can compare them.

import { DEFAULT_ROOM, dayOf, readLine } from "./protocol.js";

const ROWS_AT_MOST = 1000; // more than anybody scrolls; older ones are fetched again when one does
const ROWS_KEPT = 600;
const OLDER_LIMIT = 50;
const ON_THE_WAY_AT_MOST = 32; // messages sent and not heard back: who says too much at once has little to say again
const TYPING_MS = 4000;

export function begin(room = DEFAULT_ROOM) {
  return {
    scene: "start", // start | login | chat
    busy: false, // coming in
    problem: null, // why one could not come in: {code, text}
    connection: "closed", // closed | open | away
    isIn: false, // the join was answered; before that nothing may be said, or it would overtake what waits
    retryIn: 0,
    held: false, // too much was said at once: what waits is said again in a moment
    room,
    me: "",
    secret: "",
    rows: [],
    outbox: [], // {key, text, after, sent, again}; after: the last id seen when it was said
    lastId: 0,
    firstId: 0, // the oldest id that is shown; 0: none yet
    epoch: "",
    utcOffset: 0,
    limits: { name: 32, text: 5000 },
    count: 0,
    users: [],
    typing: [], // {user, until}
    wereHere: [], // who was here when the connection was lost
    oldUntil: 0, // messages up to this id were said before one came in
    fetching: false,
    refusal: null, // of the last thing said
  };
}

export function step(state, event) {
  const handler = handlers[event.type];
  return handler ? handler(state, event) : [state, []];
}

const handlers = {
  start: (state, { name }) => [{ ...state, scene: "login", me: name }, []],

  enter: (state, { name, secret }) => {
    const me = name.trim();
    if (!me) return [{ ...state, problem: { code: "empty_name" } }, []];
    // While the connection is being made, a corrected name is taken along when it is there.
    const effects = state.connection === "open" ? [send(joining({ ...state, me, secret }))] : [{ do: "connect" }];
    return [{ ...state, me, secret, busy: true, problem: null }, effects];
  },

  leave: (state) => [
    { ...begin(state.room), scene: "login", me: state.me },
    [{ do: "disconnect" }],
  ],

  open: (state) => [{ ...state, connection: "open", retryIn: 0 }, [send(joining(state))]],

  closed: (state, { retryIn }) => {
    const wereHere = state.connection === "open" ? state.users : state.wereHere;
    return [{ ...state, connection: "away", isIn: false, held: false, retryIn, typing: [], fetching: false, wereHere }, []];
  },

  shut: (state, { code }) => [
    { ...state, connection: "closed", isIn: false, scene: "login", busy: false, problem: { code: "closed", text: String(code) } },
    [],
  ],

  say: (state, { text, key }) => {
    const message = { key, text, after: state.lastId };
    const row = { kind: "message", key, user: state.me, text, own: true, status: "waiting" };
    const next = { ...state, outbox: [...state.outbox, message], rows: [...state.rows, row], refusal: null };
    return sendWaiting(next);
  },

  sayAgain: (state) => (state.held ? sendWaiting({ ...state, held: false, refusal: null }) : [state, []]),

  typing: (state) => [state, state.isIn ? [send({ type: "typing", room: state.room })] : []],

  older: (state) => {
    if (state.fetching || !state.isIn || state.firstId <= 1) return [state, []];
    const frame = { type: "history", room: state.room, before: state.firstId, limit: OLDER_LIMIT };
    return [{ ...state, fetching: true }, [send(frame)]];
  },

  frame: (state, { frame, now }) => {
    const handler = frames[frame.type];
    return handler ? handler(state, frame, now) : [state, []];
  },
};

const frames = {
  welcome: (state, frame) => {
    const restart = frame.reset || (state.epoch && frame.epoch && frame.epoch !== state.epoch);
    const fresh = restart ? { rows: waitingRows(state.rows), lastId: 0, firstId: 0 } : {};
    const next = {
      ...state,
      ...fresh,
      scene: "chat",
      isIn: true,
      refusal: null,
      busy: false,
      problem: null,
      me: frame.user,
      room: frame.room,
      epoch: frame.epoch,
      utcOffset: frame.utc_offset,
      limits: frame.limits,
      count: frame.clients_count,
      users: frame.users,
      // Coming in anew; on coming back, what was missed is new.
      oldUntil: state.scene === "chat" ? 0 : frame.head,
    };
    // What was on its way on the lost connection may have been stored.
    const outbox = next.outbox.map((message) => ({ ...message, again: message.again || message.sent, sent: false }));
    const [sending, effects] = sendWaiting({ ...next, outbox });
    return [sending, [{ do: "remember", name: frame.user }, ...effects]];
  },

  history: (before, frame) => {
    const state = Object.values(frame.keys ?? {}).reduce(acknowledged, before);
    const known = frame.before === undefined ? state.lastId : 0;
    const rows = frame.messages
      .map((raw, index) => told(state, { ...readLine(raw), id: frame.first + index }))
      .filter((row) => row.id > known);
    if (frame.before !== undefined) {
      const fits = frame.before === state.firstId;
      const older = fits ? rows.map((row) => ({ ...row, old: true })) : [];
      const firstId = fits ? frame.first : state.firstId;
      return sendWaiting({ ...state, fetching: false, rows: [...older, ...state.rows], firstId });
    }
    return sendWaiting(withTold(state, rows));
  },

  chat: (state, frame) => {
    const typing = state.typing.filter((one) => one.user !== frame.user);
    const next = acknowledged({ ...state, typing }, frame.key);
    if (frame.id <= state.lastId) return sendWaiting(next);
    const { id, user, text, timestamp: time, at } = frame;
    const row = told(state, { id, user, text, time, day: dayOf(at, state.utcOffset) });
    return sendWaiting(withTold(next, [{ ...row, live: true }]));
  },

  system: (state, frame) => {
    if (frame.users) return [{ ...state, users: frame.users, count: frame.clients_count }, []];
    const gone = new Set(frame.left);
    const users = [...new Set([...state.users.filter((user) => !gone.has(user)), ...frame.joined])];
    // Whoever was here before the connection was lost has not come: he has come back, as we have.
    const known = new Set([state.me, ...state.wereHere, ...state.users]);
    const told = new Set([...frame.joined, ...frame.left]);
    const wereHere = state.wereHere.filter((user) => !told.has(user));
    const next = { ...state, users, wereHere, count: frame.clients_count };
    const joined = frame.joined.filter((user) => !known.has(user));
    if (!joined.length && !frame.left.length && frame.joined.length) return [next, []];
    const row = { kind: "system", joined, left: frame.left, text: frame.text };
    return [{ ...next, rows: behindTold(next.rows, [row]) }, []];
  },

  typing: (state, frame, now) => {
    const others = state.typing.filter((one) => one.user !== frame.user);
    return [{ ...state, typing: [...others, { user: frame.user, until: now + TYPING_MS }] }, []];
  },

  error: (state, frame) => {
    const refusal = { code: frame.code, text: frame.text };
    if (state.busy) return [{ ...state, busy: false, problem: refusal }, []];
    // Nothing of what waits is lost, and its order stays: the server refuses all until then.
    if (frame.key && frame.code === "too_fast") {
      const later = { do: "later", seconds: frame.retry_after, event: { type: "sayAgain" } };
      if (state.held) return [state, []];
      const outbox = state.outbox.map((message) => ({ ...message, sent: false }));
      return [{ ...state, outbox, held: true, refusal }, [later]];
    }
    // The server ends after these: what was refused waits, and is said again to the next one.
    const isSaidAgain = frame.code === "not_stored" || frame.code === "going_down";
    if (!frame.key || isSaidAgain) return [{ ...state, refusal, fetching: false }, []];
    const outbox = state.outbox.filter((message) => message.key !== frame.key);
    const rows = state.rows.map((row) =>
      row.key === frame.key && !row.id ? { ...row, status: "failed", refusal } : row,
    );
    return sendWaiting({ ...state, outbox, rows, refusal });
  },
};

// What waits is sent in order, and not more of it than may be on its way at once.
function sendWaiting(state) {
  if (!state.isIn || state.held) return [state, []];
  let free = ON_THE_WAY_AT_MOST - state.outbox.filter((message) => message.sent).length;
  const effects = [];
  const outbox = state.outbox.map((message) => {
    if (message.sent || free <= 0) return message;
    free -= 1;
    effects.push(send(saying(state, message)));
    return { ...message, sent: true };
  });
  return effects.length ? [{ ...state, outbox }, effects] : [state, []];
}

// One's own message was heard back: it waits no more, and stands where the server has put it.
function acknowledged(state, key) {
  const outbox = state.outbox.filter((message) => message.key !== key);
  if (outbox.length === state.outbox.length) return state;
  return { ...state, outbox, rows: state.rows.filter((row) => row.id || row.key !== key) };
}

function told(state, message) {
  return {
    kind: "message",
    ...message,
    own: message.user === state.me,
    old: message.id <= state.oldUntil,
    status: "told",
  };
}

// Messages that were told go in front of those that wait.
function withTold(state, rows) {
  if (!rows.length) return state;
  let all = behindTold(state.rows, rows);
  let firstId = state.firstId || rows[0].id;
  if (all.length > ROWS_AT_MOST) {
    all = all.slice(-ROWS_KEPT);
    firstId = all.find((row) => row.id)?.id ?? firstId;
  }
  return { ...state, rows: all, firstId, lastId: rows.at(-1).id };
}

function behindTold(rows, added) {
  let end = rows.length;
  while (end > 0 && rows[end - 1].status === "waiting") end -= 1;
  return [...rows.slice(0, end), ...added, ...rows.slice(end)];
}

function waitingRows(rows) {
  return rows.filter((row) => row.kind === "message" && !row.id);
}

function joining({ room, me, secret, lastId, epoch }) {
  const frame = { type: "join", room, user: me, secret };
  return lastId ? { ...frame, since: lastId, epoch } : frame;
}

function saying({ room }, { key, text, after, again }) {
  const frame = { type: "chat", room, text, key };
  return again ? { ...frame, after } : frame;
}

function send(frame) {
  return { do: "send", frame };
}
