// What is not needed to come in and say something; fetched when the first of it is. The pure modules add to the tables
// of events and frames in state.js and room.js.

import "./people.js";
import "./reading.js";
import "./refused.js";
import "./rooms.js";
import "./search.js";

export { Around } from "./around.js";
