// A peer of the benchmark: Node's `ws`, with the broadcast of its README. The first argument is the folder of its modules.
import { createRequire } from "node:module";

const { WebSocket, WebSocketServer } = createRequire(`${process.argv[2]}/`)("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 2048, perMessageDeflate: false });

server.on("listening", () => console.log("listening", server.address().port));

server.on("connection", (member) => {
  member.on("error", console.error);
  member.on("message", (text, isBinary) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(text, { binary: isBinary });
    }
  });
  member.send("joined");
});
