// What the fan-out is measured beside: a plain socket.io server on Node, which books nothing and only tells.

import { createServer } from "node:http";
import { Server } from "socket.io";

let seq = 0;
const booked = () => ({
  type: "booked",
  appointment: {
    id: "01a20390-f0f9-7144-903d-04fef972a8cf",
    doctorId: "01a20390-f0f9-7144-903d-04fef972a8d0",
    patientId: "01a20390-f0f9-7144-903d-04fef972a8d1",
    start: "2026-12-01T09:00:00Z",
    end: "2026-12-01T09:30:00Z",
    status: "scheduled",
    version: 1,
    reason: null,
    createdAt: "2026-11-22T13:00:00.123Z",
  },
  seq: ++seq,
  prev: seq - 1,
});

const http = createServer((request, response) => {
  request.resume().on("end", () => {
    io.to("doctor").emit("appointment", booked());
    response.writeHead(201, { "Content-Length": 2 }).end("{}");
  });
});
const io = new Server(http, { transports: ["websocket"], serveClient: false, pingInterval: 10_000, pingTimeout: 5_000 });
io.on("connection", (socket) => {
  socket.join("doctor");
  socket.on("anything", (_, ack) => ack({ ok: true }));
});
http.listen(0, "127.0.0.1", 2048, () => process.stdout.write(`${http.address().port}\n`));
