// The line of a page to the hub, and whether there is a connection at all.

import { HubLine } from "../hub-client.js";
import { io } from "../vendor/socket.io.esm.min.js";
import { session } from "./session.js";

/** @typedef {import("../hub-client.js").Hears} Hears */

const BEAT = { every: 1_300, within: 1_300 }; // ms: so a connection that is dead without a word is known within 3 s
const OPENS_WITHIN = 24 * 60 * 60 * 1_000; // ms: as long as somebody may leave a page open while the hub is away
const QUICK = 700; // ms: a line that comes back sooner is no loss, as when the hub is restarted

/** Whether the hub can be reached, and who wants to know. */
class Connection {
  lost = false;
  /** @type {Set<(lost: boolean) => void>} */
  #hears = new Set();
  #beatLost = false;
  #lineLost = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Set<HubLine>} */
  lines = new Set();

  /** Call `hears` whenever the connection is lost or back, and return what ends that.
   *
   * @param {(lost: boolean) => void} hears */
  onChange(hears) {
    this.#hears.add(hears);
    return () => void this.#hears.delete(hears);
  }

  /** Begin to look after the connection, while somebody looks at the page. */
  start() {
    addEventListener("offline", () => this.beaten(false));
    addEventListener("online", () => void this.#beat());
    document.addEventListener("visibilitychange", () => void this.#beat());
    setInterval(() => void this.#beat(), BEAT.every);
  }

  /** @param {boolean} lost */
  lineIs(lost) {
    clearTimeout(this.#timer);
    const say = () => {
      this.#lineLost = lost;
      this.#say();
    };
    if (lost) this.#timer = setTimeout(say, QUICK);
    else say();
  }

  async #beat() {
    if (document.hidden) return;
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), BEAT.within);
    try {
      const { ok } = await fetch("/health/live", { method: "HEAD", cache: "no-store", signal: silence.signal });
      this.beaten(ok); // a proxy whose hub is away answers too
    } catch {
      this.beaten(false);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {boolean} well */
  beaten(well) {
    const back = well && this.#beatLost;
    this.#beatLost = !well;
    // The network was away, and a websocket may not have noticed: what was told meanwhile would come late, or never.
    if (back) for (const line of this.lines) line.reconnect();
    this.#say();
  }

  #say() {
    const lost = this.#beatLost || this.#lineLost;
    if (lost === this.lost) return;
    this.lost = lost;
    for (const hears of this.#hears) hears(lost);
  }
}

/** The connection of this page. */
export const connection = new Connection();

/** The line of the user who is signed in, for all parts of a page. It opens when the first part listens. */
class Live {
  /** @type {HubLine | null} */
  #line = null;
  /** @type {Set<Hears>} */
  #hears = new Set();

  get line() {
    this.#line ??= this.#open();
    return this.#line;
  }

  /** Tell a part of the page what the line hears (as a `HubLine` does), and return what ends that.
   *
   * The first one hears the first snapshot, so let it listen before others ask for `line`.
   *
   * @param {Hears} hears */
  hear(hears) {
    this.#hears.add(hears);
    void this.line;
    return () => void this.#hears.delete(hears);
  }

  #open() {
    const line = new HubLine({
      io,
      session,
      onSnapshot: (...told) => this.#tell((each) => each.onSnapshot?.(...told)),
      onAppointment: (event) => this.#tell((each) => each.onAppointment?.(event)),
      onCalendar: (event) => this.#tell((each) => each.onCalendar?.(event)),
      onWaiting: (event) => this.#tell((each) => each.onWaiting?.(event)),
      onWatched: (...told) => this.#tell((each) => each.onWatched?.(...told)),
      onSlot: (event) => this.#tell((each) => each.onSlot?.(event)),
      onBoard: (board) => this.#tell((each) => each.onBoard?.(board)),
      onConnected: () => {
        connection.lineIs(false);
        this.#tell((each) => each.onConnected?.());
      },
      onDisconnected: () => {
        connection.lineIs(true);
        this.#tell((each) => each.onDisconnected?.());
      },
      onEnd: (error) => {
        session.end();
        this.#tell((each) => each.onEnd?.(error));
      },
    });
    connection.lines.add(line);
    line.open(OPENS_WITHIN).catch(() => session.end());
    return line;
  }

  /** @param {(each: Hears) => void} tell */
  #tell(tell) {
    for (const each of this.#hears) tell(each);
  }
}

/** The line of this page. */
export const live = new Live();
