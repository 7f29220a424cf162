// The frames of the protocol by their tag, made from besedka/wire/frames.py by `make frames`. Do not edit.

interface ClientFrames {
  join: { user?: string; room?: string; since?: number; epoch?: string; secret?: string; quiet?: boolean; invite?: string; must_exist?: boolean; rename?: boolean };
  chat: { text: string; room?: string; key?: string; after?: number };
  history: { before?: number; room?: string; limit?: number; from_time?: number; key?: string };
  typing: { room?: string };
  leave: { room?: string };
  read: { id: number; room?: string };
  rooms: { key?: string; after?: string; limit?: number; watch?: boolean };
  search: { text?: string; room?: string; before?: number; limit?: number; key?: string; user?: string; from_time?: number; to_time?: number };
  private: { room: string; key?: string };
  direct: { user: string; key?: string };
  invite: { room: string; uses?: number; seconds?: number; key?: string };
  uninvite: { room: string; user?: string; key?: string };
  block: { user: string; key?: string };
  unblock: { user: string; key?: string };
  add_device: { user: string; secret: string; key?: string };
  take_device: { token: string; key?: string };
  moderate: { act: "kick" | "mute" | "unmute" | "ban" | "unban" | "slow" | "redact" | "appoint" | "dismiss" | "admit" | "release" | "entrust" | "archive" | "unarchive" | "rename" | "delete"; user?: string; room?: string; id?: number; seconds?: number; reason?: string; key?: string; to?: string };
}

interface ServerFrames {
  welcome: { room: string; user: string; head: number; epoch: string; clients_count: number; users: string[]; limits: { name: number; room: number; text: number; frame: number }; utc_offset: number; reset?: boolean; kind?: "open" | "private" | "direct"; peer?: string; may?: string[]; read_up_to?: number; slow?: number; archived?: boolean };
  history: { room: string; first: number; messages: string[]; before?: number; keys?: Record<number, string>; unverified?: number[]; from_time?: number; key?: string };
  chat: { room: string; id: number; user: string; text: string; timestamp: string; at: number; key?: string; unverified?: boolean };
  system: { room: string; text: string; timestamp: string; clients_count: number; joined: string[]; left: string[]; user: string; users?: string[]; renamed?: Record<string, string>; slow?: number; archived?: boolean };
  typing: { room: string; user: string };
  rooms: { rooms: { name: string; clients_count: number; kind?: "open" | "private" | "direct"; peer?: string; asked?: number; blocked?: boolean; archived?: boolean }[]; key?: string; blocked?: string[]; next?: string };
  found: { room: string; text: string; messages: string[]; ids: number[]; before: number; key?: string; unverified?: number[] };
  place: { room: string; kind: "open" | "private" | "direct"; peer?: string; key?: string; asked?: boolean };
  invitation: { room: string; token: string; uses: number; expires: number; key?: string };
  device_link: { token: string; user: string; seconds: number; key?: string };
  device: { user: string; secret: string; key?: string };
  done: { text: string; key?: string };
  redacted: { room: string; id: number; text: string };
  rights: { room: string; may: string[] };
  read: { room: string; id: number };
  error: { code: string; text: string; timestamp: string; key?: string; room?: string; retry_after?: number };
}
