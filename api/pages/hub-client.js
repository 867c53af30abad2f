// The JavaScript client: one person's line to the hub, over all its connections. The Python twin is hub/client.
//
//   const session = await logIn("http://localhost:8000", "patient", "patient1@clinic.test", "Patient#1");
//   const line = new HubLine({ io, session, onSnapshot, onAppointment });
//   await line.open();
//   const answer = await line.command("book", { doctorId, start });     // {ok: true, appointment} or {ok: false, error}
//
// It depends on nothing but socket.io-client, whose `io` it is given: by a bundler, a script tag, or Node.

const UNDECIDED = new Set(["try_again", "unavailable", "draining", "busy", "too_many_requests", "no_answer"]);
const PATIENCE = { inAll: 30_000, each: 12_000 }; // ms; the hub says something within ten seconds
const RECONNECT = { first: 100, longest: 1_000 };
const REFRESH = { inAll: 25_000, each: 8_000, pause: 500 }; // ms; the hub gives the same tokens again for 30 seconds

/** Log in as a "doctor", "patient" or "receptionist"; a Session, with its options. Throws a HubError.
 *
 * `options.code`: that of the authenticator app, or a recovery code, of an account with a second factor.
 * With a first password `session.passwordChangeRequired` is true, and nothing but `session.changePassword` works. */
export async function logIn(url, role, email, password, options = {}) {
  const door = role === "receptionist" ? "staff" : role;
  const said = await request("POST", url, `/api/v1/auth/${door}/login`, { email, password, ...(options.code && { code: options.code }) });
  return new Session(url, said, options);
}

/** What the hub refused: `code` is for programs, `message` for people; `errors` names each wrong field of a request. */
export class HubError extends Error {
  constructor(code, detail, errors = []) {
    super(detail);
    this.name = "HubError";
    this.code = code;
    this.errors = errors;
  }
}

/** Whether the hub may still do what it answered with this code: then it is safe to send the same again. */
export function isUndecided(code) {
  return UNDECIDED.has(code);
}

/** The doctors by name, also without a log-in, which the hub limits by address. Throws a HubError. */
export function readDoctors(url) {
  return request("GET", url, "/api/v1/doctors");
}

/** The slots of a doctor's day ("2026-12-01") as they are now, also without a log-in: `[{start, end, available}]`. */
export function readSlots(url, doctorId, date) {
  return request("GET", url, `/api/v1/doctors/${encodeURIComponent(doctorId)}/slots?${new URLSearchParams({ date })}`);
}

/** How many slots are free on each of `days` days of a doctor, also without a log-in: `[{date, free}]`.
 *
 * They begin at `from` ("2026-12-01"), or today in the doctor's time zone. */
export function readFreeDays(url, doctorId, { from, days = 14 } = {}) {
  const query = new URLSearchParams(from ? { from, days } : { days });
  return request("GET", url, `/api/v1/doctors/${encodeURIComponent(doctorId)}/free-days?${query}`);
}

/** The requests of somebody who is logged in: `url`, `accessToken` and `renew` are those of the classes made of it. */
export class HubRequests {
  /** Patients who match all words of `query`: beginnings of the name's parts, the e-mail, the phone. For staff. */
  searchPatients(query, limit = 20) {
    return this.ask("GET", `/api/v1/patients?${new URLSearchParams({ q: query, limit })}`);
  }

  /** One patient: `{id, name, phone, email, hasLogIn}`. For staff. */
  patient(id) {
    return this.ask("GET", `/api/v1/patients/${encodeURIComponent(id)}`);
  }

  /** Register a patient who cannot log in: `{name, phone?, email?}`. For receptionists.
   *
   * Sent again with the same `key`, it registers nobody a second time. */
  registerPatient(person, key = newId()) {
    return this.ask("POST", "/api/v1/patients", person, { "Idempotency-Key": key });
  }

  /** Change `name`, `phone` or `email` of a patient who cannot log in. For receptionists. */
  changePatient(id, change) {
    return this.ask("PATCH", `/api/v1/patients/${encodeURIComponent(id)}`, change);
  }

  /** Give the appointments of a patient who cannot log in to the account `into`: `{patient, moved, conflicts}`.
   *
   * For receptionists. After a HubError with a code like `try_again` or `no_answer`, call it again. */
  joinPatient(id, into) {
    return this.ask("POST", `/api/v1/patients/${encodeURIComponent(id)}/join`, { into });
  }

  /** Who waits: a patient's own entries, a doctor's own line, for receptionists all lines or that of `doctorId`.
   *
   * Each is `{id, doctorId, patientId, from, to, weekdays, between, status, place, …}`. */
  waitlist(doctorId) {
    return this.ask("GET", `/api/v1/waitlist${doctorId ? `?${new URLSearchParams({ doctorId })}` : ""}`);
  }

  /** Wait for a time: `{doctorId, from, to, weekdays?, between?, patientId?}`; the entry. Staff name the patient.
   *
   * `from` and `to` are days ("2026-12-01") of the doctor's clock, `weekdays` numbers (0 is Monday), and `between`
   * minutes after midnight, `{opens, closes}`. Sent again with the same `key`, it is done once. */
  joinWaitlist(wish, key = newId()) {
    return this.ask("POST", "/api/v1/waitlist", wish, { "Idempotency-Key": key });
  }

  /** Do not wait any more; staff take a patient out of the line. The entry. */
  leaveWaitlist(entryId, key = newId()) {
    const path = `/api/v1/waitlist/${encodeURIComponent(entryId)}`;
    return this.ask("DELETE", path, undefined, { "Idempotency-Key": key });
  }

  /** Offer a free slot to somebody who waits, out of turn; the offer, an appointment. For staff. */
  offerSlot(entryId, start, key = newId()) {
    const path = `/api/v1/waitlist/${encodeURIComponent(entryId)}/offer`;
    return this.ask("POST", path, { start }, { "Idempotency-Key": key });
  }

  /** Move the appointments of a doctor's day: `{date, by}` (minutes) or `{date, to}` (another day). See `cancelDay`. */
  moveDay(doctorId, change, options) {
    return this.#changeDay(`/api/v1/doctors/${encodeURIComponent(doctorId)}/move-day`, change, options);
  }

  /** Cancel the appointments of a doctor's day, `{date, reason}`; the line `finished`. Throws a HubError.
   *
   * `onLine` is called with each line as it comes: `begun`, a `changed` or `not_changed` for each appointment, and
   * `finished`. A request that breaks off is repeated under its `key`, until no further appointment has been decided for
   * `patience.inAll` ms; the lines then come again from the first one on. */
  cancelDay(doctorId, change, options) {
    return this.#changeDay(`/api/v1/doctors/${encodeURIComponent(doctorId)}/cancel-day`, change, options);
  }

  async #changeDay(path, change, { onLine = () => {}, key = newId(), patience = PATIENCE } = {}) {
    let furthest = 0;
    let give_up_at = Date.now() + patience.inAll;
    for (;;) {
      const token = this.accessToken;
      const headers = { Authorization: `Bearer ${token}`, "Idempotency-Key": key };
      try {
        for await (const line of lines(this.url, path, change, headers, patience.each)) {
          onLine(line);
          if (line.number > furthest) [furthest, give_up_at] = [line.number, Date.now() + patience.inAll];
          if (line.type === "finished") return line;
          if (line.type === "interrupted") throw new HubError(line.code, line.detail);
        }
        throw new HubError("no_answer", "The lines ended before the work was done.");
      } catch (error) {
        if (error.code === "token_expired") {
          await this.renew(token);
          continue;
        }
        if (!UNDECIDED.has(error.code) || Date.now() + REFRESH.pause >= give_up_at) throw error;
      }
      await sleep(REFRESH.pause);
    }
  }

  /** The answer to any request; with a new token if the old one has expired. Throws a HubError. */
  async ask(method, path, body, headers = {}) {
    const token = this.accessToken;
    const send = () => request(method, this.url, path, body, { ...headers, Authorization: `Bearer ${this.accessToken}` });
    try {
      return await send();
    } catch (error) {
      if (error.code !== "token_expired") throw error;
      await this.renew(token);
      return await send();
    }
  }

  /** Erase the user, a patient, for good. All log-ins end. Throws a HubError, also when the answer was lost. */
  async deleteAccount(password) {
    await this.ask("DELETE", "/api/v1/users/me", { password });
  }
}

/** The tokens of one log-in. However many find the access token expired, it is refreshed once.
 *
 * A refresh token works once, so several sessions of one log-in share each refresh: the objects of one page, and the
 * tabs of one origin, also a tab that is restored later from tokens that were stored before the refresh. For that, the
 * tokens of the last refresh are kept in `storage` (localStorage where there is one; `null`: only in this page), and
 * one tab refreshes at a time, by a lock of `locks` (the Web Locks of the browser). Call `forget` when one logs out.
 *
 * A refresh whose answer is lost is repeated with the same `Idempotency-Key`, and the hub gives the same tokens. */
export class Session extends HubRequests {
  #shared;

  constructor(url, { accessToken, refreshToken, user = null, passwordChangeRequired = false }, options = {}) {
    super();
    Object.assign(this, { url, accessToken, refreshToken, user, passwordChangeRequired });
    this.renewing = null;
    this.#shared = new SharedTokens(`clinic-hub ${url} ${refreshToken.split(".")[0]}`, options);
  }

  /** Get a new pair unless that has been done since `expired` was current. Throws a HubError when there is none. */
  async renew(expired) {
    if (this.accessToken !== expired) return;
    this.renewing ??= this.#shared.alone(() => this.#renew(expired)).finally(() => (this.renewing = null));
    await this.renewing;
  }

  /** Change the password. Every other log-in of the person ends; this one gets new tokens. Throws a HubError. */
  async changePassword(current, fresh) {
    const headers = { Authorization: `Bearer ${this.accessToken}` };
    await request("POST", this.url, "/api/v1/auth/password", { current, new: fresh }, headers);
    await this.renew(this.accessToken);
    this.passwordChangeRequired = false;
  }

  /** Remove the tokens from the storage. */
  forget() {
    this.#shared.write(null);
  }

  async #renew(expired) {
    const latest = this.#shared.read();
    if (latest) this.#take(latest); // another session of this log-in has refreshed
    if (this.accessToken !== expired) return;
    const key = latest?.key ?? this.#shared.newKey(this.refreshToken);
    // Stored before the request: the page may be closed before the answer comes, and is restored to repeat it.
    this.#shared.write({ accessToken: this.accessToken, refreshToken: this.refreshToken, key });
    try {
      this.#take(await this.#refresh(key));
    } catch (error) {
      if (!UNDECIDED.has(error.code)) this.forget();
      throw error;
    }
    this.#shared.write({ accessToken: this.accessToken, refreshToken: this.refreshToken });
  }

  /** The new tokens, asked for again and again under one key while the hub does not decide. */
  async #refresh(key) {
    const give_up_at = Date.now() + REFRESH.inAll;
    for (;;) {
      try {
        const headers = { "Idempotency-Key": key };
        return await request("POST", this.url, "/api/v1/auth/refresh", { refreshToken: this.refreshToken }, headers, REFRESH.each);
      } catch (error) {
        if (!UNDECIDED.has(error.code) || Date.now() + REFRESH.pause >= give_up_at) throw error;
      }
      await sleep(REFRESH.pause);
    }
  }

  #take({ accessToken, refreshToken }) {
    Object.assign(this, { accessToken, refreshToken });
  }
}

const IN_PAGE = { kept: new Map(), turns: new Map() }; // shared by all sessions of this page

/** The tokens of the last refresh of one log-in, as all its sessions see them: `{accessToken, refreshToken, key?}`.
 *
 * `key` is there while a refresh is under way. */
class SharedTokens {
  #name;
  #storage;
  #locks;

  constructor(name, { storage = browserStorage(), locks = globalThis.navigator?.locks }) {
    this.#name = name;
    this.#storage = storage;
    this.#locks = storage ? locks : null; // without storage there is nothing to share with other tabs
  }

  read() {
    try {
      const kept = this.#storage?.getItem(this.#name);
      if (kept) return JSON.parse(kept);
    } catch {
      // The storage is blocked, or holds what is no JSON: what this page knows has to do.
    }
    return IN_PAGE.kept.get(this.#name) ?? null;
  }

  write(tokens) {
    if (tokens) IN_PAGE.kept.set(this.#name, tokens);
    else IN_PAGE.kept.delete(this.#name);
    try {
      if (tokens) this.#storage?.setItem(this.#name, JSON.stringify(tokens));
      else this.#storage?.removeItem(this.#name);
    } catch {
      // The storage is blocked or full.
    }
  }

  /** Run `work` while no other session of this log-in does; its result. */
  async alone(work) {
    if (this.#locks) return await this.#locks.request(this.#name, work);
    const before = IN_PAGE.turns.get(this.#name);
    const turn = (async () => {
      await before?.catch(() => {});
      return await work();
    })();
    IN_PAGE.turns.set(this.#name, turn);
    try {
      return await turn;
    } finally {
      if (IN_PAGE.turns.get(this.#name) === turn) IN_PAGE.turns.delete(this.#name);
    }
  }

  /** A key for the refresh with this token.
   *
   * There are no Web Locks on a page over plain http. Two tabs may refresh at once there, so both make the same key of
   * the token. It is no secret: it is worth something only together with the token. */
  newKey(refreshToken) {
    return this.#locks ? newId() : `refresh-${fnv64(refreshToken)}`;
  }
}

function browserStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null; // blocked by the browser's settings
  }
}

function fnv64(text) {
  let hash = 0xcbf29ce484222325n;
  for (const character of text) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0))) * 0x100000001b3n);
  }
  return hash.toString(16);
}

/** How far a client has come, so that over all its connections it applies every event once and in order.
 *
 * The hub begins to tell before it answers `sync`, and its answer may hold some of that, or less. So what is told is
 * kept until the answer, and then everything is applied that is above the position. */
export class Progress {
  position = null; // the last `seq` applied, by the doctor's id; null before the first answer
  #kept = [];

  /** From now on, and before the next connection is opened: something may be missed. */
  lost() {
    this.#kept = [];
  }

  /** The argument of `sync`. */
  ask() {
    return this.position === null ? {} : { since: { ...this.position } };
  }

  /** What is to be applied now that this has been told. */
  told(event) {
    if (this.#kept === null) return this.#new([event]);
    this.#kept.push(event);
    return [];
  }

  /** What is to be applied after the answer of `sync`: on top of a snapshot, if it is one. */
  answered(answer) {
    const kept = this.#kept ?? [];
    this.#kept = null;
    if (answer.mode === "snapshot" || this.position === null) {
      this.position = { ...answer.position };
      return this.#new(kept);
    }
    const missed = this.#new(answer.events);
    for (const [doctorId, seq] of Object.entries(answer.position)) {
      this.position[doctorId] = Math.max(seq, this.position[doctorId] ?? 0);
    }
    return [...missed, ...this.#new(kept)];
  }

  #new(events) {
    return events.filter(({ appointment, calendar, entry, seq }) => {
      const { doctorId } = appointment ?? calendar ?? entry;
      if (seq <= (this.position[doctorId] ?? 0)) return false;
      this.position[doctorId] = seq;
      return true;
    });
  }
}

/** A connection that comes back by itself, for commands and for what is told.
 *
 * `onSnapshot(appointments, position)`: one's own appointments as they are, instead of all that was told before; it
 * comes first, and again when too much was missed. `onAppointment({type, appointment, seq, prev})`: a change of one of
 * them, each once and in order, also those that happened while there was no connection; `onCalendar({type, calendar,
 * seq, prev})`: the same of a doctor's own hours (the snapshot's are its third argument); `onWaiting({type, entry, seq,
 * prev})`: the same of the waitlist (a snapshot has no entries: ask for them with `waitlist`). `onWatched(doctorId, date,
 * slots)`: a watched day, at first and after each reconnect; `onSlot({doctorId, start, available})`: every change of it
 * after that. `onBoard({date, position, doctors})`: the board, at first and after each reconnect; after it, apply each
 * `onAppointment` whose `seq` is above `position` of its doctor, and each `onSlot`. `onConnected()`, `onDisconnected()`: how the connection is. `onEnd(error)`: the hub does not let us in any
 * more (a HubError), so the line is over: log in again. */
export class HubLine {
  #io;
  #session;
  #hears;
  #patience;
  #progress = new Progress();
  #known = new Map(); // the highest `seq` of each doctor in any answer or event: no watch is answered from before it
  #watched = new Map();
  #board = null; // the argument of `board`
  #socket = null;
  #shown = null; // the access token that the hub knows us by
  #sentAway = null;
  #pause = RECONNECT.first;
  #timer = null;
  #ended = null;
  #waiting = new Set(); // those who wait for a connection, or for the first answer of `sync`
  #inStep = false;

  constructor({ io, session, patience = PATIENCE, ...hears }) {
    this.#io = io;
    this.#session = session;
    this.#patience = patience;
    this.#hears = hears;
  }

  /** The last `seq` of each doctor that has been told. */
  get position() {
    return { ...this.#progress.position };
  }

  get connected() {
    return this.#socket?.connected ?? false;
  }

  /** Connect; resolves when the first snapshot has been told. Throws a HubError, also after `within` ms. */
  async open(within = this.#patience.inAll) {
    const give_up_at = Date.now() + within;
    this.#socket = this.#io(this.#session.url, {
      transports: ["websocket"], // the hub speaks nothing else, so that no balancer has to be sticky
      forceNew: true,
      autoConnect: false,
      reconnection: false, // coming back is ours: the library would not do it after a goodbye, nor with a new token
      auth: (give) => give({ token: (this.#shown = this.#session.accessToken) }),
    });
    this.#socket.on("connect", () => this.#connected());
    this.#socket.on("disconnect", () => this.#disconnected());
    this.#socket.on("connect_error", (error) => this.#comeBack(error.data?.code ?? "no_answer", error.message));
    this.#socket.on("appointment", (event) => this.#told(event, event.appointment));
    this.#socket.on("calendar", (event) => this.#told(event, event.calendar));
    this.#socket.on("waiting", (event) => this.#told(event, event.entry));
    this.#socket.on("slot", (slot) => {
      this.#know(slot.doctorId, slot.seq);
      this.#hears.onSlot?.(slot);
    });
    this.#socket.on("closing", (why) => (this.#sentAway = why));
    this.#socket.on("token_expiring", () => this.#refresh());
    this.#connect();
    try {
      while (!this.#inStep) await this.#change(give_up_at);
    } catch (error) {
      this.#end(error, false);
      throw error;
    }
  }

  /** Connect anew, when something says that the present connection is dead although nobody has closed it. */
  reconnect() {
    if (this.connected && !this.#ended) this.#socket.disconnect();
  }

  /** Say goodbye; nothing is told any more. */
  close() {
    this.#end(new HubError("closed", "The line was closed."), false);
  }

  /** Send a command, again and again under one `commandId` while the hub leaves it undecided, until patience ends.
   *
   * `kind`: book, confirm, cancel, reschedule, accept, decline, join_waitlist, leave_waitlist; for staff also
   * offer_slot; for doctors also complete, check_in, call_in, undo_visit, change_hours,
   * add_time_off, remove_time_off.
   * The answer is the hub's ack; its code is `no_answer` when none came: then it may or may not have been done, and the
   * same with the same `commandId` is always safe. The ack of what had been done before has `replayed: true` and is that
   * of the first time. A `slot_taken` with `error.appointmentId` is a slot that the same patient has already. */
  async command(kind, argument) {
    const asked = { commandId: newId(), ...argument };
    const give_up_at = Date.now() + this.#patience.inAll;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#ask(kind, asked, give_up_at);
      const pause = (answer.error?.retryAfter ?? Math.min(1, attempt / 10)) * 1_000;
      if (answer.ok || !UNDECIDED.has(answer.error?.code) || Date.now() + pause >= give_up_at) return answer;
      await sleep(pause);
    }
  }

  /** Watch a doctor's calendar day ("2026-12-01") from now on, over reconnects too; the ack. */
  async watch(doctorId, date) {
    this.#watched.set(`${doctorId} ${date}`, { doctorId, date });
    return await this.#watch(doctorId, date, Date.now() + this.#patience.each);
  }

  /** Show a day of these doctors on the board, of all if none is named, over reconnects too; the ack.
   *
   * For receptionists; for doctors, the own day. It replaces the last board. */
  async board(date, doctorId = []) {
    this.#board = { date, doctorId };
    return await this.#showBoard(Date.now() + this.#patience.each);
  }

  /** End the board; the ack. */
  async leaveBoard() {
    const date = this.#board?.date;
    this.#board = null;
    return date ? await this.#ask("leave_board", { date }, Date.now() + this.#patience.each) : { ok: true };
  }

  /** End a watch; the ack. */
  async unwatch(doctorId, date) {
    this.#watched.delete(`${doctorId} ${date}`);
    return await this.#ask("unwatch", { doctorId, date }, Date.now() + this.#patience.each);
  }

  #connect() {
    this.#timer = null;
    this.#progress.lost();
    this.#sentAway = null;
    this.#socket.connect();
  }

  async #connected() {
    this.#pause = RECONNECT.first;
    this.#hears.onConnected?.();
    this.#wake();
    const connection = this.#socket.id;
    // First of all, so that everything asked afterwards is answered after it: the hub keeps the order.
    while (!(await this.#sync()) && this.#stillOn(connection)) await sleep(RECONNECT.longest);
  }

  #stillOn(connection) {
    return this.connected && this.#socket.id === connection;
  }

  async #sync() {
    const synced = this.#emit("sync", this.#progress.ask(), this.#patience.each, (answer) => {
      if (!answer.ok) return;
      if (answer.mode === "snapshot") this.#hears.onSnapshot?.(answer.appointments, answer.position, answer.calendar);
      this.#apply(this.#progress.answered(answer));
      this.#inStep = true;
      this.#wake();
    });
    const days = [...this.#watched.values()];
    const board = this.#board;
    const answer = await synced;
    if (answer.ok && board && board === this.#board) void this.#showBoard(Date.now() + this.#patience.each);
    if (answer.ok) for (const { doctorId, date } of days) void this.#watch(doctorId, date, Date.now() + this.#patience.each);
    return answer.ok;
  }

  #told(event, { doctorId }) {
    this.#know(doctorId, event.seq);
    this.#apply(this.#progress.told(event));
  }

  #know(doctorId, seq = 0) {
    if (seq > (this.#known.get(doctorId) ?? 0)) this.#known.set(doctorId, seq);
  }

  #apply(events) {
    for (const event of events) {
      if (event.calendar) this.#hears.onCalendar?.(event);
      else if (event.entry) this.#hears.onWaiting?.(event);
      else this.#hears.onAppointment?.(event);
    }
  }

  #disconnected() {
    this.#hears.onDisconnected?.();
    if (!this.#ended) this.#comeBack(this.#sentAway?.code ?? "no_answer", this.#sentAway?.detail ?? "");
  }

  /** Connect again after a while, with a new token if it takes one; or end, when the hub has said no for good. */
  async #comeBack(code, detail) {
    try {
      if (code === "token_expired") await this.#session.renew(this.#shown);
      else if (!UNDECIDED.has(code)) throw new HubError(code, detail);
    } catch (error) {
      if (!UNDECIDED.has(error.code)) return this.#end(error, true);
    }
    if (this.#ended || this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#connect(), this.#pause * (0.5 + Math.random() / 2));
    this.#pause = Math.min(RECONNECT.longest, 2 * this.#pause);
  }

  /** Show the hub a new token; if that fails it ends the connection, and we come back with one or not at all. */
  async #refresh() {
    try {
      await this.#session.renew(this.#shown);
    } catch {
      return;
    }
    this.#shown = this.#session.accessToken;
    await this.#emit("authenticate", { token: this.#shown }, this.#patience.each);
  }

  #end(error, tell) {
    if (this.#ended) return;
    this.#ended = error;
    clearTimeout(this.#timer);
    this.#socket?.disconnect();
    this.#wake();
    if (tell) this.#hears.onEnd?.(error);
  }

  async #watch(doctorId, date, give_up_at) {
    const seq = this.#known.get(doctorId);
    const since = seq && { since: { [doctorId]: seq } };
    return await this.#ask("watch", { doctorId, date, ...since }, give_up_at, (answer) => {
      if (answer.ok) this.#hears.onWatched?.(doctorId, date, answer.slots);
    });
  }

  async #showBoard(give_up_at) {
    const since = this.#known.size ? { since: Object.fromEntries(this.#known) } : {};
    return await this.#ask("board", { ...this.#board, ...since }, give_up_at, (answer) => {
      if (answer.ok) this.#hears.onBoard?.({ date: answer.date, position: answer.position, doctors: answer.doctors });
    });
  }

  /** Send something once, when there is a connection; the ack. */
  async #ask(event, argument, give_up_at, hears) {
    try {
      while (!this.connected) await this.#change(give_up_at);
    } catch (error) {
      return { ok: false, error: { code: error.code, detail: error.message } };
    }
    return await this.#emit(event, argument, Math.min(this.#patience.each, give_up_at - Date.now()), hears);
  }

  /** The ack, heard by `hears` before anything that the hub told later. */
  #emit(event, argument, within, hears) {
    return new Promise((resolve) => {
      this.#socket.timeout(Math.max(1, within)).emit(event, argument, (error, answer) => {
        const said = error ? noAnswer(error.message) : (answer ?? noAnswer("an empty ack"));
        for (const [doctorId, seq] of Object.entries(said.position ?? {})) this.#know(doctorId, seq);
        hears?.(said);
        resolve(said);
      });
    });
  }

  /** Resolves when the connection has changed. Throws a HubError when the line is over, or the time. */
  async #change(give_up_at) {
    if (this.#ended) throw this.#ended;
    let timer;
    await new Promise((resolve) => {
      this.#waiting.add(resolve);
      timer = setTimeout(resolve, Math.max(1, give_up_at - Date.now()));
    });
    clearTimeout(timer);
    if (this.#ended) throw this.#ended;
    if (Date.now() >= give_up_at) throw new HubError("no_answer", "The hub did not answer in time.");
  }

  #wake() {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

function noAnswer(detail) {
  return { ok: false, error: { code: "no_answer", detail } };
}

function newId() {
  // randomUUID needs a secure context, which a page on plain http in the house is not.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The JSON that the hub answers to one request, null if nothing; `within` is in ms. Throws a HubError. */
export async function request(method, url, path, body, headers = {}, within = PATIENCE.inAll) {
  let response, said;
  try {
    response = await send(method, url, path, body, headers, AbortSignal.timeout(within));
    said = await response.text();
  } catch (error) {
    throw new HubError("no_answer", error.message); // also when the answer ends in its middle
  }
  if (response.status === 204 || (response.status === 202 && !said)) return null;
  const answer = parsed(said, response);
  if (!response.ok) throw refusal(answer, response);
  return answer;
}

/** The lines of an answer, each as soon as it is there. Throws a HubError, also after `each` ms without a byte. */
async function* lines(url, path, body, headers, each) {
  const silence = new AbortController();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error("The hub said nothing in time.")), each);
  };
  heard();
  try {
    const response = await unbroken(send("POST", url, path, body, headers, silence.signal));
    if (!response.ok) throw refusal(parsed(await unbroken(response.text()), response), response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let begun = "";
    for (;;) {
      const { done, value } = await unbroken(reader.read());
      if (done) return;
      heard();
      const whole = (begun + value).split("\n");
      begun = whole.pop();
      for (const line of whole) if (line) yield parsed(line, response);
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function send(method, url, path, body, headers, signal) {
  return fetch(`${url}${path}`, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
  });
}

/** The result of a part of an exchange. Throws a HubError when the connection ends before it. */
async function unbroken(part) {
  try {
    return await part;
  } catch (error) {
    throw new HubError("no_answer", error.message);
  }
}

function parsed(text, { status }) {
  try {
    return JSON.parse(text);
  } catch {
    throw new HubError("unavailable", `HTTP ${status}`); // of a proxy, not of the hub
  }
}

function refusal({ code, detail, errors }, { status }) {
  return new HubError(code ?? "unavailable", detail ?? `HTTP ${status}`, errors);
}
