// Add-a-device links. Pure.

import { answered } from "../requests/state.js";
import { newRoom, renewed } from "../room.js";
import { mapValues, newState } from "../state.js";

/** @type {Feature["events"]} */
const events = {
  request: (state, event, { next }) => next(event.frame.type === "add_device" ? { ...state, deviceLink: null } : state),

  /** Confirmed: add this device to the person who created the link. */
  takeDevice: (state, _, { step }) => {
    const next = { ...state, problem: state.problem && { ...state.problem, isTaken: true } };
    return state.connection === "open" ? take(next, step) : [next, [{ do: "connect" }]];
  },

  /** Declined, or back to the login. */
  dismiss: (state) => {
    const rooms = mapValues(state.rooms, (room) => ({ ...room, invite: undefined }));
    return [{ ...state, rooms, problem: null, busy: false, connection: "closed" }, [{ do: "disconnect" }]];
  },

  connected: (state, _, { step, next }) =>
    state.problem?.isTaken ? take({ ...state, connection: "open", retryAt: 0, awaySince: 0 }, step) : next(),
};

/** @type {Feature["frames"]} */
const frames = {
  device_link: (state, { token, user, seconds, key }, { now }) => {
    return [{ ...answered(state, key)[1], deviceLink: { token, user, until: now + seconds * 1000 } }, []];
  },

  /** The device was added to a person. A link that promised another name is a trap. */
  device: (state, { user, secret, key }) => {
    const [request, next] = answered(state, key);
    if (!request) return [state, []];
    const { name } = state.problem ?? {};
    if (name && name !== user) return [{ ...next, problem: { code: "bad_link" } }, [{ do: "disconnect" }]];
    // They may not see the private rooms of the device's previous user.
    const open = Object.values(next.rooms).filter(({ kind }) => !kind).map(renewed);
    const { name: current } = open.find((room) => room.name === next.current) ?? open[0] ?? newRoom(newState().current);
    const rooms = Object.fromEntries((open.length ? open : [newRoom(current)]).map((room) => [room.name, room]));
    return [{ ...next, rooms, current, me: user, hidden: [], isNewDevice: true, problem: null }, [{ do: "become", user, secret }]];
  },

  error: (state, { text, key }, { next }) => {
    const [request, rest] = answered(state, key);
    if (request?.frame.type !== "take_device") return next();
    return [{ ...rest, problem: { code: "bad_link", text } }, [{ do: "disconnect" }]];
  },
};

/** @type {Feature} */
export const devices = { events, frames };

/** @type {(state: State, step: Step) => Change} */
function take(state, step) {
  return step(state, { type: "request", frame: { type: "take_device", token: state.problem?.token ?? "" } });
}
