// The JavaScript client against a stand-in for the hub that answers as a test tells it to.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { Server } from "socket.io";
import { io } from "socket.io-client";

import { HubError, HubLine, logIn, Progress, readDoctors, readFreeDays, readSlots, Session } from "../../api/pages/hub-client.js";

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

test("a doctor is told of the own hours in one order with the appointments", async () => {
  await withHub(async (hub) => {
    const told = [];
    const hours = (seq) => ({ type: "hours_changed", calendar: { doctorId: "ada", shifts: [] }, seq, prev: seq - 1 });
    hub.on("sync", () => ({ ...snapshot({ ada: 1 }), calendar: { doctorId: "ada" } }));
    await hub.line({
      onSnapshot: (_, position, calendar) => told.push(calendar.doctorId),
      onAppointment: ({ seq }) => told.push(seq),
      onCalendar: ({ type, seq }) => told.push(`${type} ${seq}`),
    });
    hub.tell("appointment", event(2));
    hub.tell("calendar", hours(3));
    await until(() => told.length === 3);
    hub.on("sync", () => resume({ ada: 5 }, hours(3), event(4), hours(5)));
    hub.cut();
    await until(() => told.length === 5);
    assert.deepEqual(told, ["ada", 2, "hours_changed 3", 4, "hours_changed 5"]);
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

test("a watch says the highest position of all answers and events", async () => {
  await withHub(async (hub) => {
    const asked = [];
    let slots = 0;
    hub.on("sync", () => snapshot({ ada: 1 }));
    hub.on("watch", ({ since }) => ({ ok: true, slots: [], position: { ada: 3 + asked.push(since) } }));
    hub.on("book", () => ({ ok: true, appointment: APPOINTMENT, position: { ada: 2 } }));
    const line = await hub.line({ onSlot: () => slots++ });
    await line.watch("ada", "2026-06-01");
    await line.command("book", { doctorId: "ada" });
    await line.watch("ada", "2026-06-02");
    hub.tell("slot", { doctorId: "ada", available: false, seq: 9 });
    await until(() => slots === 1);
    await line.watch("ada", "2026-06-03");
    await line.watch("ben", "2026-06-01");
    assert.deepEqual(asked, [{ ada: 1 }, { ada: 4 }, { ada: 9 }, undefined]);
  });
});

test("a board is shown again after a reconnect until one leaves it", async () => {
  await withHub(async (hub) => {
    const told = [];
    const asked = [];
    hub.on("board", (argument) => {
      asked.push(argument);
      return { ok: true, date: argument.date, position: { ada: 3 }, doctors: [] };
    });
    hub.on("leave_board", ({ date }) => ({ ok: asked.push(date) > 0 }));
    const line = await hub.line({ onBoard: ({ position }) => told.push(position.ada) });
    assert.equal((await line.board("2026-06-01", ["ada"])).ok, true);
    hub.cut();
    await until(() => told.length === 2);
    assert.equal((await line.leaveBoard()).ok, true);
    const shown = { date: "2026-06-01", doctorId: ["ada"] };
    assert.deepEqual(asked, [shown, { ...shown, since: { ada: 3 } }, "2026-06-01"]);
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

test("what had been done before is said to be a repetition", async () => {
  await withHub(async (hub) => {
    const line = await hub.line();
    hub.on("book", () => ({ ok: true, appointment: APPOINTMENT, replayed: true }));
    assert.equal((await line.command("book", { doctorId: "ada", commandId: "k" })).replayed, true);
    const own = { code: "slot_taken", detail: "You have this slot already.", appointmentId: "a1" };
    hub.on("book", () => ({ ok: false, error: own }));
    assert.deepEqual((await line.command("book", { doctorId: "ada" })).error, own);
  });
});

test("a refresh whose answer is lost is repeated with its key and signs nobody out", async () => {
  await withLogIn(async (hub, stored) => {
    hub.loses = 2;
    const session = new Session(hub.url, stored);
    await session.renew(stored.accessToken);
    assert.deepEqual([session.accessToken, hub.over], ["access-2", false]);
    assert.equal(hub.keys.length, 3);
    assert.equal(new Set(hub.keys).size, 1);
    await session.renew("access-2");
    assert.deepEqual([session.accessToken, hub.over], ["access-3", false]);
    assert.equal(new Set(hub.keys).size, 2);
  });
});

test("two sessions restored from one stored session share each refresh, at once and later", async () => {
  await withLogIn(async (hub, stored) => {
    const [one, two] = [new Session(hub.url, stored), new Session(hub.url, stored)];
    await Promise.all([one.renew("access-1"), two.renew("access-1"), one.renew("access-1")]);
    assert.deepEqual([one.accessToken, two.accessToken, hub.keys.length], ["access-2", "access-2", 1]);
    await one.renew("access-2");
    const three = new Session(hub.url, stored);
    await three.renew("access-1");
    await two.renew("access-2");
    assert.deepEqual([two.accessToken, three.accessToken, hub.keys.length], ["access-3", "access-3", 2]);
    await three.renew("access-3");
    assert.deepEqual([three.accessToken, hub.over], ["access-4", false]);
  });
});

for (const locks of [true, false]) {
  test(`tabs restored from one stored session share each refresh, ${locks ? "with" : "without"} Web Locks`, async () => {
    await withLogIn(async (hub, stored) => {
      const options = { storage: new FakeStorage(), locks: locks ? new FakeLocks() : null };
      const tab = async (name) => {
        const page = await import(`../../api/pages/hub-client.js?tab=${name}-${locks}`); // a page of its own
        return new page.Session(hub.url, stored, options);
      };
      const [one, two] = [await tab("one"), await tab("two")];
      await Promise.all([one.renew("access-1"), two.renew("access-1")]);
      assert.deepEqual([one.accessToken, two.accessToken, hub.over], ["access-2", "access-2", false]);
      if (locks) assert.equal(hub.keys.length, 1);
      assert.equal(new Set(hub.keys).size, 1);
      await one.renew("access-2");
      const restored = await tab("restored");
      await restored.renew("access-1");
      assert.deepEqual([restored.accessToken, hub.over], ["access-3", false]);
    });
  });
}

test("a page that is closed before the answer is restored and repeats the refresh with its key", async () => {
  await withLogIn(async (hub, stored) => {
    const options = { storage: new FakeStorage(), locks: new FakeLocks() };
    const closed = await import("../../api/pages/hub-client.js?tab=closed");
    hub.loses = 1;
    const lost = new closed.Session(hub.url, stored, { ...options, locks: new FakeLocks() }); // its lock ends with it
    void lost.renew("access-1").catch(() => {});
    await until(() => hub.keys.length === 1);
    const restored = new Session(hub.url, stored, options);
    await restored.renew("access-1");
    assert.deepEqual([restored.accessToken, hub.over], ["access-2", false]);
    assert.equal(new Set(hub.keys).size, 1);
    await lost.renew("access-1");
  });
});

test("a refresh that is refused leaves no tokens in the storage, nor does a log-out", async () => {
  await withLogIn(async (hub, stored) => {
    const options = { storage: new FakeStorage(), locks: new FakeLocks() };
    const session = new Session(hub.url, stored, options);
    await session.renew("access-1");
    assert.equal(options.storage.kept.size, 1);
    session.forget();
    assert.equal(options.storage.kept.size, 0);
    hub.over = true;
    await assert.rejects(session.renew("access-2"), { code: "invalid_token" });
    assert.equal(options.storage.kept.size, 0);
  });
});

class FakeStorage {
  kept = new Map();
  getItem = (name) => this.kept.get(name) ?? null;
  setItem = (name, value) => this.kept.set(name, value);
  removeItem = (name) => this.kept.delete(name);
}

class FakeLocks {
  #last = Promise.resolve();

  request(_, work) {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

/** A hub's refresh: a token works once, and the same exchange with the same key again. `loses`: answers that get lost. */
class LogIn {
  keys = [];
  loses = 0;
  over = false;
  #number = 1;
  #last = null;

  async answer(request, response) {
    let body = "";
    for await (const chunk of request) body += chunk;
    const [token, key] = [JSON.parse(body).refreshToken, request.headers["idempotency-key"]];
    this.keys.push(key);
    if (token === `log-in.${this.#number}`) {
      this.#number++;
      this.#last = { token, key };
    } else if (token !== this.#last?.token || key !== this.#last.key) {
      this.over = true; // a used token
    }
    if (this.loses-- > 0) return request.socket.destroy();
    response.writeHead(this.over ? 401 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(this.over ? { code: "invalid_token", detail: "" } : this.pair()));
  }

  pair() {
    return { accessToken: `access-${this.#number}`, refreshToken: `log-in.${this.#number}` };
  }
}

async function withLogIn(run) {
  const hub = new LogIn();
  const http = createServer((request, response) =>
    request.url.endsWith("/refresh") ? hub.answer(request, response) : hub.otherwise(request, response),
  );
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  hub.url = `http://127.0.0.1:${http.address().port}`;
  try {
    await run(hub, hub.pair());
  } finally {
    http.closeAllConnections();
    http.close();
  }
}

test("a receptionist logs in at the staff's door, and changes the first password with new tokens after it", async () => {
  await withHub(async (hub) => {
    hub.firstPassword = true;
    const session = await logIn(hub.url, "receptionist", "desk@clinic.test", "right");
    assert.equal(session.passwordChangeRequired, true);
    const first = session.accessToken;
    await session.changePassword("right", "own words");
    assert.equal(session.passwordChangeRequired, false);
    assert.notEqual(session.accessToken, first);
    assert.deepEqual(hub.requests, [
      ["/api/v1/auth/staff/login", undefined],
      ["/api/v1/auth/password", `Bearer ${first}`],
      ["/api/v1/auth/refresh", undefined],
    ]);
  });
});

test("a connection that is said to be dead is made anew, and nothing is missed", async () => {
  await withHub(async (hub) => {
    const told = [];
    hub.on("sync", () => snapshot({ ada: 1 }));
    const line = await hub.line({ onAppointment: ({ seq }) => told.push(seq), onDisconnected: () => told.push("lost") });
    hub.on("sync", () => resume({ ada: 2 }, event(2)));
    line.reconnect();
    await until(() => told.length === 2);
    assert.deepEqual(told, ["lost", 2]);
  });
});

test("doctors and free times are read without a log-in, and a refusal names the wrong fields", async () => {
  await withHub(async (hub) => {
    for (const read of [readDoctors(hub.url), readSlots(hub.url, "a/b", "2026-12-01"), readFreeDays(hub.url, "a", { from: "2026-12-01", days: 7 })]) await read;
    await assert.rejects(readFreeDays(hub.url, "a", { days: 99 }), (error) => error.errors[0].pointer === "/days");
    assert.deepEqual(hub.requests, [
      ["/api/v1/doctors", undefined],
      ["/api/v1/doctors/a%2Fb/slots?date=2026-12-01", undefined],
      ["/api/v1/doctors/a/free-days?from=2026-12-01&days=7", undefined],
      ["/api/v1/doctors/a/free-days?days=99", undefined],
    ]);
  });
});

test("the desk registers a patient under one key, also when the token has expired", async () => {
  await withHub(async (hub) => {
    const session = new Session(hub.url, { accessToken: "expired", refreshToken: "refresh" });
    const made = await session.registerPatient({ name: "Ann" }, "k");
    assert.deepEqual(made, { method: "POST", url: "/api/v1/patients", body: '{"name":"Ann"}', key: "k" });
    assert.match((await session.registerPatient({ name: "Ann" })).key, /^[0-9a-f]{32}$/);
  });
});

test("the desk searches for patients, with a new token when the first has expired", async () => {
  await withHub(async (hub) => {
    const session = new Session(hub.url, { accessToken: "expired", refreshToken: "refresh" });
    assert.equal((await session.searchPatients("ann & co", 5)).url, "/api/v1/patients?q=ann+%26+co&limit=5");
    assert.equal(session.accessToken, "token-2");
    assert.equal((await session.patient("a/b")).url, "/api/v1/patients/a%2Fb");
    const changed = await session.changePatient("ann", { phone: null });
    assert.deepEqual(changed, { method: "PATCH", url: "/api/v1/patients/ann", body: '{"phone":null}' });
    const joined = await session.joinPatient("a/b", "ann");
    assert.deepEqual(joined, { method: "POST", url: "/api/v1/patients/a%2Fb/join", body: '{"into":"ann"}' });
    assert.deepEqual(hub.requests.map(([, token]) => token), [
      "Bearer expired", undefined, "Bearer token-2", "Bearer token-2", "Bearer token-2", "Bearer token-2",
    ]);
  });
});

const BEGUN = { type: "begun", total: 2 };
const changed = (number) => ({ type: "changed", number, total: 2, replayed: false });
const FINISHED = { type: "finished", changed: 2, notChanged: [], position: { ada: 2 } };
const INTERRUPTED = { type: "interrupted", code: "try_again", detail: "no actor" };
const ndjson = (...given) => given.map((line) => JSON.stringify(line) + "\n").join("");

test("each line of a day change is told as soon as it is there, also if it comes in pieces", async () => {
  await withDays(async (hub, session) => {
    const told = [];
    let goOn;
    hub.answers.push(async (response) => {
      const text = ndjson(BEGUN, changed(1));
      response.write(text.slice(0, -20));
      await new Promise((resolve) => (goOn = resolve));
      response.write(text.slice(-20) + ndjson({ ...changed(2), who: "Zoë" }));
      response.end(ndjson(FINISHED));
    });
    const result = session.moveDay("a/b", { date: "2026-12-01", by: 30 }, { onLine: (line) => told.push(line), key: "k" });
    await until(() => told.length === 1 && goOn);
    assert.deepEqual(told, [BEGUN]);
    goOn();
    assert.deepEqual(await result, FINISHED);
    assert.deepEqual(told, [BEGUN, changed(1), { ...changed(2), who: "Zoë" }, FINISHED]);
    assert.deepEqual(hub.asked, [["/api/v1/doctors/a%2Fb/move-day", { date: "2026-12-01", by: 30 }, "k"]]);
  });
});

test("a day change that breaks off is repeated under its key until it is finished", async () => {
  await withDays(async (hub, session) => {
    const told = [];
    hub.answers.push(
      (response) => response.destroy(),
      (response) => response.write(ndjson(BEGUN, changed(1)), () => response.destroy()),
      (response) => response.end(ndjson(BEGUN, changed(1))),
      (response) => response.end(ndjson(BEGUN, INTERRUPTED)),
      (response) => response.end(ndjson(BEGUN) + "<html>"),
      (response) => response.write(ndjson(BEGUN)), // and then nothing
      (response) => response.end(ndjson(BEGUN, changed(1), changed(2), FINISHED)),
    );
    const options = { onLine: ({ type }) => told.push(type), patience: { inAll: 60_000, each: 500 } };
    assert.deepEqual(await session.cancelDay("ada", { date: "2026-12-01", reason: "ill" }, options), FINISHED);
    assert.equal(hub.asked.length, 7);
    assert.equal(new Set(hub.asked.map((asked) => JSON.stringify(asked))).size, 1);
    assert.equal(told.at(-1), "finished");
  });
});

test("a day change that is refused, or in which nothing more is decided, ends", async () => {
  await withDays(async (hub, session) => {
    const quick = { patience: { inAll: 1_500, each: 1_000 } };
    hub.answers.push((response) => response.writeHead(404).end('{"code": "not_found", "detail": "There is no such doctor."}'));
    await assert.rejects(session.moveDay("who", { by: 30 }, quick), { code: "not_found", message: "There is no such doctor." });
    assert.equal(hub.asked.length, 1);
    const stuck = (response) => response.end(ndjson(BEGUN, changed(1), INTERRUPTED));
    hub.answers.push(stuck, stuck, stuck, stuck, stuck);
    await assert.rejects(session.moveDay("ada", { by: 30 }, quick), { code: "try_again" });
    assert.ok(hub.asked.length > 2, "it was not repeated");
  });
});

test("a day change goes on with a new token when the first has expired", async () => {
  await withDays(async (hub, session) => {
    hub.answers.push(
      (response) => response.writeHead(401).end('{"code": "token_expired"}'),
      (response) => response.end(ndjson(BEGUN, changed(1), changed(2), FINISHED)),
    );
    assert.deepEqual(await session.moveDay("ada", { by: 30 }), FINISHED);
    assert.equal(session.accessToken, "access-2");
    assert.deepEqual(hub.asked[0], hub.asked[1]);
  });
});

/** A stand-in that answers each day change with the next of `answers`. */
async function withDays(run) {
  await withLogIn(async (logIn, stored) => {
    const hub = { answers: [], asked: [] };
    logIn.otherwise = async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      hub.asked.push([request.url, JSON.parse(body), request.headers["idempotency-key"]]);
      await hub.answers.shift()(response);
    };
    await run(hub, new Session(logIn.url, stored));
  });
}

/** A stand-in: `on` says how an event is answered (undefined: not at all), `admits` which code refuses a token. */
class StandIn {
  tokens = [];
  requests = [];
  firstPassword = false;
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
    this.requests.push([request.url, request.headers.authorization]);
    if (request.url.includes("/patients")) {
      const expired = request.headers.authorization === "Bearer expired";
      response.writeHead(expired ? 401 : 200, { "Content-Type": "application/json" });
      const { method, url } = request;
      const key = request.headers["idempotency-key"];
      return response.end(JSON.stringify(expired ? { code: "token_expired" } : { method, url, body, ...(key && { key }) }));
    }
    if (request.url.startsWith("/api/v1/doctors") && request.method === "GET") {
      const wrong = request.url.includes("days=99");
      response.writeHead(wrong ? 422 : 200, { "Content-Type": "application/json" });
      return response.end(JSON.stringify(wrong ? { code: "invalid_request", errors: [{ pointer: "/days" }] } : []));
    }
    if (request.url.endsWith("/password")) return response.writeHead(204).end();
    const right = request.url.endsWith("/refresh") ? this.refreshes : JSON.parse(body).password === "right";
    const code = request.url.endsWith("/refresh") ? "invalid_token" : "invalid_credentials";
    if (right && request.url.endsWith("/refresh")) this.#issued++;
    response.writeHead(right ? 200 : 401, { "Content-Type": "application/json" });
    const tokens = { accessToken: `token-${this.#issued}`, refreshToken: "refresh", passwordChangeRequired: this.firstPassword };
    response.end(JSON.stringify(right ? tokens : { code }));
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
