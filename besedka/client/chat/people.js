// Who is in a room: who comes, who goes, who types. Pure.

import { acts, behindTold, frames } from "./room.js";

const TYPING_MS = 4000;

acts.typing = (room) => [room, room.isIn ? [{ type: "typing", room: room.name }] : []];

frames.typing = (room, { user }, _, now) => {
  const others = room.typing.filter((one) => one.user !== user);
  return [{ ...room, typing: [...others, { user, until: now + TYPING_MS }] }, []];
};

frames.system = (room, { users, joined, left, text, clients_count: count }, { me }) => {
  if (users) return [{ ...room, users, count }, []];
  // Whoever was here before the connection was lost has not come: he has come back, as we have.
  const known = [me, ...room.wereHere, ...room.users];
  const news = { kind: "system", joined: minus(joined, known), left, text };
  const next = {
    ...room,
    users: [...new Set([...minus(room.users, left), ...joined])],
    wereHere: minus(room.wereHere, [...joined, ...left]),
    count,
  };
  const isNews = news.joined.length || left.length || !joined.length;
  return [isNews && room.isAtEnd ? withNotice(next, news) : next, []];
};

// Comings and goings that follow each other are one row; who came and went meanwhile is in none of them.
function withNotice(room, news) {
  const end = room.rows.findLastIndex((row) => !row.key);
  const above = room.rows[end];
  if (above?.kind !== "system") return { ...room, rows: behindTold(room.rows, [news]) };
  const joined = [...new Set([...minus(above.joined, news.left), ...minus(news.joined, above.left)])];
  const left = [...new Set([...minus(above.left, news.joined), ...minus(news.left, above.joined)])];
  const both = joined.length || left.length ? [{ ...news, joined, left }] : [];
  return { ...room, rows: [...room.rows.slice(0, end), ...both, ...room.rows.slice(end + 1)] };
}

function minus(names, others) {
  return names.filter((name) => !others.includes(name));
}
