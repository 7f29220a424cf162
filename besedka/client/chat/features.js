// The features that logging in and posting do not need, fetched on first use. Their tables, from the bottom up: a later one
// handles an event first.

import { access } from "./access_key/state.js";
import { application } from "./app/state.js";
import { copying } from "./copies/state.js";
import { devices } from "./devices/state.js";
import { invitations } from "./invitations/state.js";
import { moderation } from "./moderation/state.js";
import { people } from "./people/state.js";
import { reading } from "./reading/state.js";
import { refusals } from "./refusals/state.js";
import { requests } from "./requests/state.js";
import { privateRooms } from "./rooms/private.js";
import { rooms } from "./rooms/state.js";
import { searching } from "./search/state.js";

export { App } from "./app/app.js";

/** @type {Feature[]} */
export const features = [
  people, reading, refusals, rooms, requests, privateRooms, invitations, devices, moderation, access, searching, copying, application,
];
