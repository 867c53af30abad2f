// The JavaScript client against a stand-in for the hub that answers as a test tells it to.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { Server } from "socket.io";
import { io } from "socket.io-client";

import { HubError, HubLine, logIn, Progress, Session } from "../../api/pages/hub-client.js";

const APPOINTMENT = { id: "a1", doctorId: "ada", patientId: "ann", version: 1, status: "scheduled" };
const event = (seq, doctorId = "ada") => ({ type: "booked", appointment: { ...APPOINTMENT, doctorId }, seq, prev: seq - 1 });
const snapshot = (position = {}) => ({ ok: true, mode: "snapshot", appointments: [], position });
const resume = (position, ...events) => ({ ok: true, mode: "resume", events, position });
const no = (code) => ({ ok: false, error: { code, detail: `it is ${code}` } });
const seqs = (events) => events.map(({ seq }) => seq);

test("what is told before the answer is kept, and applied once and in order after it", () => {
  const progress = new Progress();
  assert.deepEqual(progress.ask(), {});
  assert.deepEqual(progress.told(event(5)), []);
  assert.deepEqual(progress.told(event(6)), []);
  assert.deepEqual(seqs(progress.answered(snapshot({ ada: 5 }))), [6]);
  assert.deepEqual(seqs(progress.told(event(7))), [7]);
  assert.deepEqual(seqs(progress.told(event(7))), []);
  progress.lost();
  assert.deepEqual(progress.ask(), { since: { ada: 7 } });
  assert.deepEqual(progress.told(event(9)), []);
  assert.deepEqual(progress.told(event(11)), []);
  assert.deepEqual(seqs(progress.answered(resume({ ada: 10, ben: 4 }, event(8), event(9), event(2, "ben")))), [8, 9, 2, 11]);
  assert.deepEqual(progress.position, { ada: 11, ben: 4 });
});

test("each event is told once and in order over a cut, also what is told while the hub answers", async () => {
  await withHub(async (hub) => {
    const told = [];
    hub.on("sync", () => snapshot({ ada: 1 }));
    const line = await hub.line({
      onSnapshot: (_, position) => told.push(position),
      onAppointment: ({ seq }) => told.push(seq),
    });
    hub.tell("appointment", event(1));
    hub.tell("appointment", event(2));
    await until(() => told.length === 2);
    hub.on("sync", ({ since }) => {
      assert.deepEqual(since, { ada: 2 });
      for (const seq of [4, 5, 6]) hub.tell("appointment", event(seq));
      return resume({ ada: 5 }, event(3), event(4), event(5));
    });
    hub.cut();
    await until(() => told.length === 6);
    assert.deepEqual(told, [{ ada: 1 }, 2, 3, 4, 5, 6]);
    assert.deepEqual(line.position, { ada: 6 });
  });
});

test("a command is sent again under one commandId until the hub decides it", async () => {
  await withHub(async (hub) => {
    const line = await hub.line();
    const ids = [];
    hub.on("book", ({ commandId }) => (ids.push(commandId) < 3 ? no("busy") : { ok: true, appointment: APPOINTMENT }));
    assert.deepEqual(await line.command("book", { doctorId: "ada" }), { ok: true, appointment: APPOINTMENT });
    assert.equal(ids.length, 3);
    assert.equal(new Set(ids).size, 1);
    hub.on("confirm", () => no("wrong_status"));
    assert.deepEqual(await line.command("confirm", { appointmentId: "a1" }), no("wrong_status"));
  });
});

test("a hub that says when to come back is asked again then, or not at all when that is too late", async () => {
  await withHub(async (hub) => {
    const line = await hub.line();
    const asked = [];
    const later = (retryAfter) => ({ ok: false, error: { code: "too_many_requests", detail: "", retryAfter } });
    hub.on("book", () => (asked.push(Date.now()) < 2 ? later(1) : { ok: true, appointment: APPOINTMENT }));
    assert.equal((await line.command("book", { doctorId: "ada" })).ok, true);
    assert.ok(asked[1] - asked[0] >= 990, `asked again after ${asked[1] - asked[0]} ms`);
    hub.on("confirm", () => later(3600));
    assert.deepEqual(await line.command("confirm", { appointmentId: "a1" }), later(3600));
  });
});

test("a command whose connection is cut is sent again on the next one", async () => {
  await withHub(async (hub) => {
    const line = await hub.line();
    const ids = [];
    hub.on("cancel", ({ commandId }) => {
      if (ids.push(commandId) > 1) return { ok: true, appointment: APPOINTMENT };
      hub.cut();
    });
    assert.equal((await line.command("cancel", { appointmentId: "a1", commandId: "mine" })).ok, true);
    assert.deepEqual(ids, ["mine", "mine"]);
  });
});

test("a command that nobody answers says so, and only after its patience", async () => {
  await withHub(async (hub) => {
    const line = await hub.line({ patience: { inAll: 300, each: 100 } });
    hub.on("cancel", () => undefined);
    assert.equal((await line.command("cancel", { appointmentId: "a1" })).error.code, "no_answer");
  });
});

test("a watched day comes before its changes, and again after a reconnect", async () => {
  await withHub(async (hub) => {
    const told = [];
    hub.on("watch", ({ doctorId, date }) => {
      assert.deepEqual([doctorId, date], ["ada", "2026-06-01"]);
      setImmediate(() => hub.tell("slot", { doctorId, available: false }));
      return { ok: true, slots: [1, 2] };
    });
    const line = await hub.line({
      onWatched: (_doctorId, _date, slots) => told.push(slots.length),
      onSlot: ({ available }) => told.push(available),
    });
    assert.equal((await line.watch("ada", "2026-06-01")).ok, true);
    await until(() => told.length === 2);
    hub.cut();
    await until(() => told.length === 4);
    assert.deepEqual(told, [2, false, 2, false]);
  });
});

test("a token that expires is refreshed on the line", async () => {
  await withHub(async (hub) => {
    const shown = [];
    hub.on("authenticate", ({ token }) => ({ ok: shown.push(token) > 0 }));
    await hub.line();
    hub.tell("token_expiring", {});
    await until(() => shown.length === 1);
    assert.deepEqual(shown, ["token-2"]);
    assert.deepEqual(hub.tokens, ["token-1"]);
  });
});

test("who is refused or sent away with an expired token comes back with a new one", async () => {
  await withHub(async (hub) => {
    hub.admits = (token) => (token === "token-1" ? "token_expired" : null);
    const line = await hub.line();
    assert.deepEqual(hub.tokens, ["token-1", "token-2"]);
    hub.sendAway("token_expired");
    await until(() => hub.tokens.length === 3 && line.connected);
    assert.equal(hub.tokens[2], "token-3");
  });
});

test("whose log-in has ended hears of it and does not come back", async () => {
  await withHub(async (hub) => {
    let end = null;
    const line = await hub.line({ onEnd: (error) => (end = error) });
    hub.sendAway("session_ended");
    await until(() => end);
    assert.ok(end instanceof HubError);
    assert.equal(end.code, "session_ended");
    assert.equal((await line.command("confirm", { appointmentId: "a1" })).error.code, "session_ended");
    assert.equal(hub.tokens.length, 1);
  });
});

test("a hub that is draining is tried again, one that says no is not", async () => {
  await withHub(async (hub) => {
    hub.admits = () => (hub.tokens.length < 3 ? "draining" : null);
    await hub.line();
    assert.equal(hub.tokens.length, 3);
    hub.admits = () => "invalid_token";
    await assert.rejects(hub.line(), { code: "invalid_token" });
    assert.equal(hub.tokens.length, 4);
  });
});

test("a refresh token that is worth nothing ends the line", async () => {
  await withHub(async (hub) => {
    hub.admits = () => "token_expired";
    hub.refreshes = false;
    await assert.rejects(hub.line(), { code: "invalid_token" });
  });
});

test("a sync that is not answered well is asked again", async () => {
  await withHub(async (hub) => {
    let asked = 0;
    hub.on("sync", () => (++asked === 1 ? no("unavailable") : snapshot()));
    await hub.line();
    assert.equal(asked, 2);
  });
});

test("a log-in gives a session, or says why not", async () => {
  await withHub(async (hub) => {
    const session = await logIn(hub.url, "patient", "ann@clinic.test", "right");
    assert.equal(session.accessToken, "token-1");
    await assert.rejects(logIn(hub.url, "patient", "ann@clinic.test", "wrong"), { code: "invalid_credentials" });
    await assert.rejects(logIn("http://127.0.0.1:1", "patient", "a", "b"), { code: "no_answer" });
  });
});

/** A stand-in: `on` says how an event is answered (undefined: not at all), `admits` which code refuses a token. */
class StandIn {
  tokens = [];
  admits = () => null;
  refreshes = true;
  #answers = new Map([["sync", () => snapshot()]]);
  #lines = [];
  #issued = 1;

  async open() {
    this.http = createServer((request, response) => this.#rest(request, response));
    this.io = new Server(this.http, { transports: ["websocket"], serveClient: false });
    this.io.use((socket, next) => {
      this.tokens.push(socket.handshake.auth.token);
      const code = this.admits(socket.handshake.auth.token);
      next(code ? Object.assign(new Error(`it is ${code}`), { data: { code } }) : undefined);
    });
    this.io.on("connection", (socket) =>
      socket.onAny((name, argument, ack) => {
        const answer = this.#answers.get(name)?.(argument);
        if (answer !== undefined) ack(answer);
      }),
    );
    await new Promise((resolve) => this.http.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.http.address().port}`;
  }

  async line(options = {}) {
    const session = new Session(this.url, { accessToken: `token-${this.#issued}`, refreshToken: "refresh" });
    const line = new HubLine({ io, session, patience: { inAll: 5_000, each: 1_000 }, ...options });
    this.#lines.push(line);
    await line.open();
    return line;
  }

  on(name, answer) {
    this.#answers.set(name, answer);
  }

  tell(name, data) {
    this.io.emit(name, data);
  }

  cut() {
    for (const socket of this.io.sockets.sockets.values()) socket.conn.transport.socket.terminate();
  }

  sendAway(code) {
    this.tell("closing", { code, detail: `it is ${code}` });
    this.io.disconnectSockets();
  }

  async close() {
    for (const line of this.#lines) line.close();
    await this.io.close();
  }

  async #rest(request, response) {
    let body = "";
    for await (const chunk of request) body += chunk;
    const right = request.url.endsWith("/refresh") ? this.refreshes : JSON.parse(body).password === "right";
    const code = request.url.endsWith("/refresh") ? "invalid_token" : "invalid_credentials";
    if (right && request.url.endsWith("/refresh")) this.#issued++;
    response.writeHead(right ? 200 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify(right ? { accessToken: `token-${this.#issued}`, refreshToken: "refresh" } : { code }));
  }
}

async function withHub(run) {
  const hub = new StandIn();
  await hub.open();
  try {
    await run(hub);
  } finally {
    await hub.close();
  }
}

async function until(condition) {
  const end = Date.now() + 5_000;
  while (!condition()) {
    assert.ok(Date.now() < end, "not in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
