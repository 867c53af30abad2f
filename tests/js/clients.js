// Many clients of a test in one process, driven by lines of JSON on standard input; see tests/faults/js_clients.py.

import { createInterface } from "node:readline";
import { io } from "socket.io-client";

import { HubLine, Session } from "../../api/pages/hub-client.js";

class Client {
  log = []; // ["snapshot", position] or ["event", doctorId, seq]
  view = new Map();
  cuts = 0;
  end = null;

  constructor(url, token) {
    this.line = new HubLine({
      io,
      session: new Session(url, { accessToken: token, refreshToken: "-" }),
      patience: { inAll: 60_000, each: 12_000 },
      onSnapshot: (appointments, position) => {
        this.log.push(["snapshot", { ...position }]);
        this.view = new Map(appointments.map((appointment) => [appointment.id, appointment]));
      },
      onAppointment: ({ appointment, seq }) => {
        this.log.push(["event", appointment.doctorId, seq]);
        this.view.set(appointment.id, appointment);
      },
      onDisconnected: () => this.cuts++,
      onEnd: (error) => (this.end = error.code),
    });
  }

  report() {
    const { log, cuts, end, line } = this;
    return { log, cuts, end, position: line.position, view: Object.fromEntries(this.view) };
  }
}

let clients = [];

const does = {
  open: async ({ url, tokens }) => {
    clients = tokens.map((token) => new Client(url, token));
    const turn = [...clients];
    const workers = Array.from({ length: 20 }, async () => {
      for (let next = turn.shift(); next; next = turn.shift()) await next.line.open();
    });
    await Promise.all(workers);
    return clients.length;
  },
  command: ({ client, kind, argument }) => clients[client].line.command(kind, argument),
  positions: () => clients.map(({ line, end }) => ({ position: line.position, end })),
  report: () => clients.map((client) => client.report()),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, what, ...asked } = JSON.parse(line);
  Promise.resolve()
    .then(() => does[what](asked))
    .then(
      (answer) => process.stdout.write(`${JSON.stringify({ id, answer })}\n`),
      (error) => process.stdout.write(`${JSON.stringify({ id, error: `${error.code} ${error.message}` })}\n`),
    );
}
process.exit(0);
