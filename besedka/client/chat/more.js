// What is not needed to come in and say something; fetched when the first of it is. The pure modules add to the tables
// of events and frames in state.js and room.js.

import "./people.js";
import "./reading.js";
import "./refused.js";
import "./rooms.js";
import "./search.js";
import "./asking.js"; // the last one: it looks at what comes before the others do

export { Around } from "./around.js";
