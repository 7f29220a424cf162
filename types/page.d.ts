// The types of the page's pure modules. They are global, so that a module needs no import for them: the page has no build step.

/** A row of the log: a message, or a notice of people who joined and left. */
interface Row {
  kind: "message" | "system";
  /** In the room's log; none while the message waits to be delivered. */
  id?: number;
  /** Of a message in the outbox, or one that was refused. */
  key?: string;
  user?: string;
  text: string;
  /** Of the server: YYYY-MM-DD and HH:MM:SS. */
  day?: string;
  time?: string;
  own?: boolean;
  /** It mentions this user. */
  mentioned?: boolean;
  /** It was posted before this visit. */
  old?: boolean;
  /** It was received as it was posted. */
  live?: boolean;
  /** kept: from the copy on this device, shown until the server sends the log. */
  status?: "waiting" | "delivered" | "failed" | "kept";
  isUnverified?: boolean;
  isRemoved?: boolean;
  refusal?: Refusal;
  joined?: string[];
  renamed?: [string, string][]; // old and new names
  left?: string[];
  isOfMode?: boolean; // a notice of slow mode, or of the archive
}

/** A refusal: a code of the protocol or of the page, with the values of its sentence. */
interface Refusal {
  code: string;
  text?: string;
  wait?: number;
  /** It is shown with its message. */
  isShown?: boolean;
  /** The room, if its name means something to people. */
  where?: string;
  number?: string;
  date?: string;
  given?: string;
  command?: string;
  usage?: string;
  word?: string;
  near?: string;
}

/** A message in the outbox. */
interface Unsent {
  key: string;
  text: string;
  /** The message is not in the log up to this id. */
  after: number;
  sent?: boolean;
  /** It may have been stored already, so it is sent with `after`. */
  again?: boolean;
}

/** One room. */
interface Room {
  name: string;
  /** Nothing is sent before: it would overtake the outbox. */
  isJoined: boolean;
  isJoining: boolean;
  rows: Row[];
  /** The window of rows reaches the end of the log. */
  isAtEnd: boolean;
  outbox: Unsent[];
  /** The server has refused messages as too many; all are sent again in a moment. */
  isThrottled: boolean;
  /** The last id of the log. */
  lastId: number;
  /** The oldest id in the window; 0: none yet. */
  firstId: number;
  /** The newest id in the window. */
  endId: number;
  epoch: string;
  /** How many people are there, and the names of the first of them. */
  count: number;
  users: string[];
  /** Nobody may post. */
  isArchived: boolean;
  /** The people typing, and until when to show it, in ms of `performance.now()`. */
  typing: { user: string; until: number }[];
  /** The people present when the connection was lost. */
  usersBefore: string[];
  /** Messages up to this id were posted before this visit. */
  oldUntil: number;
  /** Rows from this id on were received since the last welcome, or compared with the log since: no redaction is missing in them. */
  provenFrom: number;
  /** The page that was asked for: before an id, or since a moment in unix seconds, the beginning of a day. */
  fetching: { what: "older" | "newer" | "around" | "again"; before: number } | { what: "since"; since: number; day: string } | null;
  /** The id of a message to scroll to; 0: the end. */
  target: number | null;
  /** The day to go to when the room is joined; empty: none. */
  day: string;
  /** The reader is at the end of the window. */
  isFollowing: boolean;
  /** The last id that was read; -1: this user has never been here. */
  readTo: number;
  /** The line above unread messages stands behind this id; -1: there is none. */
  unreadFrom: number;
  /** How often the user has marked a message of this log as unread: of two tabs' positions that of more times counts. */
  rewinds: number;
  /** The message that was marked as unread last; 0: none. */
  markedId: number;
  /** What was marked stays unread while the room is on the screen. */
  isKeptUnread: boolean;
  /** The last id that the user has read, on any device, as the server has it; -1: it keeps no marks for this user. */
  mark: number;
  /** How many unread messages mention this user. */
  mentions: number;
  /** Which messages notify. */
  notice: "all" | "mentions" | "none";
  refusal: Refusal | null;
  /** Nothing for a room that is open to all. */
  kind?: "open" | "private" | "direct";
  /** Of a direct room: the other person. */
  peer?: string;
  /** The user's rights beside posting: invite, moderate. */
  may?: string[];
  /** A direct room that somebody else has opened, and in which this user has not answered. */
  asked?: boolean;
  /** The token to join with. */
  invite?: string;
  /** It came from an address or a command, and may be mistyped: no new room is opened for it unless the user says so. */
  mustExist?: boolean;
  /** A direct room that somebody else has opened, and whose first messages are news. */
  isNew?: boolean;
}

/** The reason why the login is shown, or a step to take first. */
interface Problem {
  code: string;
  text?: string;
  token?: string;
  name?: string;
  /** The user has agreed to take over the device link. */
  isTaken?: boolean;
}

/** The last messages of an open room, copied to this device. */
interface Copy {
  user: string;
  room: string;
  epoch: string;
  /** The oldest first. */
  messages: CopiedMessage[];
  /** When it was made, in unix milliseconds. */
  at: number;
}
type CopiedMessage = Pick<Row, "day" | "time" | "isUnverified" | "isRemoved"> & { id: number; user: string; text: string };

interface Search {
  /** As it was typed. */
  text: string;
  terms: { text: string; user: string; since: string; until: string; invalid: string };
  isEverywhere: boolean;
  /** The rooms that are still to be asked; the first one is being asked. */
  rooms: string[];
  /** The oldest first. */
  hits: { id: number; room: string; user: string; text: string; day: string; time: string; isUnverified: boolean; isRemoved?: boolean }[];
  /** For each room that was asked, where to go on; 0 if all of it was searched. */
  before: Record<string, number>;
  key: string;
  busy?: boolean;
  refusal?: Refusal | null;
}

/** The state of the page. */
type Listed = ServerFrames["rooms"]["rooms"][number];

interface State {
  scene: "start" | "login" | "chat";
  /** Logging in. */
  busy: boolean;
  problem: Problem | null;
  connection: "closed" | "open" | "away";
  /** In ms of `performance.now()`, while away. */
  retryAt: number;
  awaySince: number;
  me: string;
  /** The name of the last successful login. */
  knownName: string;
  secret: string;
  /** The name of the room on the screen. */
  current: string;
  /** The rooms of this user, by name. */
  rooms: Record<string, Room>;
  /** The rooms of the server, as far as its pages of them were read. */
  listed: Listed[];
  /** What the next page begins after; empty if there is none, or the answer is not here yet. */
  moreRooms?: string;
  /** The names of the people whom this user has blocked. */
  blocked?: string[];
  limits: { name: number; room: number; text: number };
  utcOffset: number;
  /** The window has the focus. */
  isFocused: boolean;
  search: Search | null;
  searchCount?: number;
  /** To notify. */
  permission: NotificationPermission | "impossible";
  sound: boolean;
  /** Requests that the server has not answered, by key. */
  pending?: Record<string, PendingRequest>;
  requestCount?: number;
  toast?: Toast | null;
  /** The newest invitation, and the newest link for another device. */
  invitation?: { room: string; token: string; uses: number; expires: number } | null;
  deviceLink?: { token: string; user: string; until: number } | null;
  /** The reason why the server is about to close the connection. */
  reason?: string;
  /** Direct rooms that this user has left. */
  hidden?: string[];
  /** This device has just been added to a person's devices. */
  isNewDevice?: boolean;
}

/** Choices for this device; see preferences.js. */
interface Preferences {
  theme: string;
  size: string;
  language: string;
  clock: string;
  send: string;
}

interface PendingRequest {
  frame: ClientFrame;
  /** Posted in the room that the response opens. */
  say?: Say;
}
type Say = { key: string; text: string };

/** A toast: a text, a string of the page's own, or a refusal. `left`: a room that the user has left, with its draft. */
type Toast = { code?: string; word?: string; left?: { room: Room; draft: string } } & Partial<Refusal>;

/** The events of `step`, by type. `name` is the room's, if it is not the current one. */
interface Events {
  start: { name: string; me?: string; rooms?: Record<string, Partial<Room>> };
  restore: { unsent: (Unsent & { room: string })[] };
  logIn: { name: string; secret: string };
  resume: { name: string; secret: string };
  connected: {};
  disconnected: { retryIn: number; now: number };
  connectionRefused: { code: number };
  frame: { frame: ServerFrame; now: number; at: number };

  say: Say;
  invited: { invite: string };
  typing: {};
  retry: { key: string };
  discard: { key: string };
  resend: {};
  refused: { frame: ServerFrameOf<"error">; now: number };
  showRefusal: { refusal: Refusal };
  clearRefusal: {};

  focus: { isFocused: boolean };
  seen: {};
  read: { readTo: number; rewinds?: number };
  markRead: {};
  markUnread: { id: number };
  follow: { isFollowing: boolean };
  loadOlder: {};
  loadNewer: {};
  jump: { id: number };
  goto: { day: string };
  jumped: {};

  showCopies: { copies: Copy[] };
  proveRows: {};

  openRoom: { name: string; invite?: string; isMeant?: boolean };
  leaveRoom: { name: string; refusal?: Refusal; undo?: { draft: string } };
  undoLeave: { room: Room; draft: string };
  roomRenamed: { frame: ServerFrameOf<"welcome">; now: number; at: number };
  listRooms: { more?: boolean };

  request: { frame: ClientFrame; say?: Say };
  toast: { toast: Toast | null };
  takeDevice: {};
  dismiss: {};

  search: { text: string; isEverywhere?: boolean };
  searchMore: {};
  endSearch: {};

  setPreferences: Partial<Pick<State, "permission" | "sound" | "hidden">>;
  setNotice: { notice: Room["notice"] };
  navigate: { room: string; id: number; key?: string; invite?: string; name?: string; device?: string };
  logOut: {};
  rename: { to: string };
}

type EventOf<T extends keyof Events> = { type: T; name?: string } & Events[T];
type PageEvent = { [T in keyof Events]: EventOf<T> }[keyof Events];
type ClientFrame = { [T in keyof ClientFrames]: { type: T } & ClientFrames[T] }[keyof ClientFrames];
type ServerFrame = { [T in keyof ServerFrames]: ServerFrameOf<T> }[keyof ServerFrames];
type ServerFrameOf<T extends keyof ServerFrames> = { type: T } & ServerFrames[T];

/** Effects outside of the state. */
type Effect =
  | { do: "connect" | "disconnect" }
  | { do: "send"; frame: ClientFrame }
  | { do: "schedule"; seconds: number; event: PageEvent }
  | { do: "defer"; event: PageEvent }
  | { do: "remember"; name: string }
  | { do: "keepDraft"; name: string; text: string }
  | { do: "askForRoom"; name: string }
  | { do: "renewCopy"; name: string }
  | { do: "received"; frame: { room: string; id: number; user: string; text: string; unverified?: boolean } }
  | { do: "become"; user: string; secret: string };

type Change = [State, Effect[]];
type RoomEdit = (room: Room) => Room;
type RoomChange = [Room, ClientFrame[]];
/** The row of a delivered message; `unverified` is as in its frame: of this message, or the ids in a `history`. */
type RowOf = (room: Room, message: { id: number; user: string; text: string } & Partial<Row>, state: State, unverified?: boolean | number[]) => Row;
type RowsOf = (room: Room, frame: ServerFrames["history"], state: State) => Row[];
type Step = (state: State, event: PageEvent) => Change;

/** The context of a handler: `next` is the handler of the features below, if there is one. */
interface Context<E> {
  step: Step;
  next: (state?: State, event?: E) => Change;
  /** When a frame was received: in ms of `performance.now()`, and in unix seconds of this machine. */
  now: number;
  at: number;
}

/** Server frames by handler: a requested page of history is a `page`. */
type FrameTypes = ServerFrames & { page: ServerFrames["history"] & { before: number } };

/** A feature: its handlers. */
interface Feature {
  events?: { [T in keyof Events]?: (state: State, event: EventOf<T>, context: Context<EventOf<T>>) => Change };
  frames?: { [T in keyof FrameTypes]?: (state: State, frame: FrameTypes[T], context: Context<FrameTypes[T]>) => Change };
  roomEvents?: { [T in keyof Events]?: (room: Room, event: Events[T], state: State) => RoomChange };
  roomFrames?: { [T in keyof FrameTypes]?: (room: Room, frame: FrameTypes[T], state: State, received: { now: number; at: number }) => RoomChange };
}

/** A handler of any type, once the tables of all features are put together. */
type Handler = (state: State, event: any, context: Context<any>) => Change;
type HandlerTable = Map<string, Handler>;

/** The part of an address behind its #; absent parts are empty. */
interface Fragment {
  room: string;
  id: number;
  key: string;
  invite: string;
  name: string;
  device: string;
}
