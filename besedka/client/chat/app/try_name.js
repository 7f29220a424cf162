// Asks the server whether it welcomes the user under another name, over a connection of its own: the user stays in under the old one.

import { encode } from "../socket.js";

const ANSWER_MS = 10_000;

/** The refusal; null, if the name is welcome. @type {(url: string, protocols: string[], name: string, secret: string) => Promise<Refusal | null>} */
export function tryName(url, protocols, name, secret) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    const end = (/** @type {Refusal | null} */ refusal) => {
      clearTimeout(timer);
      resolve(refusal);
      socket.close(1000);
    };
    const timer = setTimeout(() => end({ code: "away" }), ANSWER_MS);
    socket.onopen = () => socket.send(encode({ type: "join", user: name, secret, quiet: true }));
    socket.onclose = () => end({ code: "away" });
    socket.onmessage = ({ data }) => {
      const { type, code, text } = JSON.parse(data);
      if (type === "welcome") end(null);
      else if (type === "error") end({ code, text });
    };
  });
}
