// The log-in of the pages. The refresh token is in a cookie that no script can read, the access token only in memory.

import { HubError, HubRequests, isUndecided, request } from "../hub-client.js";

/** @typedef {import("../hub-client.js").User} User */
/** @typedef {{accessToken: string, expiresIn: number, user: User, passwordChangeRequired: boolean, secondFactorRequired: boolean}} Said */
/** @typedef {{status: "confirmation_required", signUpId: string}} ToConfirm */
/** @typedef {{name: string, email: string, phone: string, password: string}} NewAccount */
/** @typedef {Omit<Said, "expiresIn"> & {expiresAt: number}} Held */

const PATH = "/api/v1/browser";
const FROM_PAGE = { "X-Requested-By": "page" };
const NAME = "clinic-hub"; // of the channel, of the locks and in the storage
const REFRESH = { inAll: 25_000, each: 8_000, pause: 500 }; // ms; the hub gives the same tokens again for 30 seconds
// Milliseconds to wait for the answer of another tab. One that has refreshed lately surely has what is asked for.
const TABS_ANSWER_WITHIN = 200;
const LATELY = { refreshed: 5_000, within: 3_000 };
const STILL_GOOD = 30_000; // ms that a token has to be good for to be given to another tab

/** One log-in, which all tabs of this browser share. It has what a `HubLine` needs, and the requests of `HubRequests`. */
export class PageSession extends HubRequests {
  url = location.origin;
  /** @type {Held | null} */
  #held = null;
  /** @type {Promise<void> | null} */
  #renewing = null;
  #channel = new BroadcastChannel(NAME);
  /** @type {Set<(user: User | null) => void>} */
  #hears = new Set();

  constructor() {
    super();
    this.#channel.onmessage = ({ data }) => this.#told(data);
    // While a tab is open it holds this lock together with the others: so each knows whether there is another.
    void navigator.locks?.request(`${NAME} tab`, { mode: "shared" }, () => new Promise(() => {}));
  }

  get accessToken() {
    return this.#held?.accessToken ?? "";
  }

  /** Who is signed in; null if nobody is. */
  get user() {
    return this.#held?.user ?? null;
  }

  /** Whether nothing but a change of the first password is possible. */
  get passwordChangeRequired() {
    return this.#held?.passwordChangeRequired ?? false;
  }

  /** Whether nothing but setting up a second factor is possible. */
  get secondFactorRequired() {
    return this.#held?.secondFactorRequired ?? false;
  }

  /** Call `hears` with the user when somebody signs in or out, also in another tab.
   *
   * @param {(user: User | null) => void} hears */
  onChange(hears) {
    this.#hears.add(hears);
  }

  /** Find out who is signed in. Throws a HubError if the hub cannot be asked. */
  async begin() {
    if (!read("signed-in")) return; // nobody has signed in with this browser, so there is no cookie to ask with
    try {
      await this.renew("");
    } catch (error) {
      if (isUndecided(codeOf(error))) throw error;
    }
  }

  /** Sign in, to an account of any role. Throws a HubError.
   *
   * @param {string} email @param {string} password @param {string} [code] of the second factor */
  async signIn(email, password, code) {
    this.#begun(/** @type {Said} */ (await post("/sign-in", { email, password, ...(code ? { code } : {}) })));
  }

  /** Make a patient's account and sign in. Throws a HubError.
   *
   * @param {NewAccount} account @returns {Promise<string | null>} the id of the sign-up if a code has to confirm it */
  async signUp(account) {
    const said = await post("/sign-up", account);
    if ("signUpId" in said) return said.signUpId;
    this.#begun(said);
    return null;
  }

  /** Make the account of a sign-up with the code that came by text, and sign in. Throws a HubError.
   *
   * @param {string} signUpId @param {string} code */
  async confirmSignUp(signUpId, code) {
    this.#begun(/** @type {Said} */ (await post("/sign-up/confirm", { signUpId, code })));
  }

  /** Sign out in all tabs. Throws a HubError if the hub does not answer: then one is still signed in. */
  async signOut() {
    await post("/sign-out");
    this.#channel.postMessage({ kind: "ended" });
    this.end();
  }

  /** Forget the log-in, which the hub has ended. */
  end() {
    write("signed-in", null);
    if (this.#held) this.#hold(null);
  }

  /** Change the password: every other log-in of the person ends. Throws a HubError.
   *
   * @param {string} current @param {string} fresh */
  async changePassword(current, fresh) {
    await this.ask("POST", "/api/v1/auth/password", { current, new: fresh });
    await this.renew(this.accessToken);
  }

  /** The user has changed something of the account.
   *
   * @param {User} user */
  changed(user) {
    if (this.#held) this.#hold({ ...this.#held, user });
  }

  /** Get a new access token unless that has been done since `expired` was current. Throws a HubError.
   *
   * @param {string} expired */
  async renew(expired) {
    if (this.accessToken !== expired) return;
    this.#renewing ??= alone(() => this.#renew(expired)).finally(() => (this.#renewing = null));
    await this.#renewing;
  }

  /** @param {string} expired */
  async #renew(expired) {
    if (await anotherTab()) await this.#askTabs(expired);
    if (this.accessToken !== expired) return;
    // Stored before the request: if its answer is lost with the page, the next one repeats the request.
    const key = read("refresh-key") ?? newKey();
    write("refresh-key", key);
    const give_up_at = Date.now() + REFRESH.inAll;
    for (;;) {
      try {
        const said = /** @type {Said} */ (await request("POST", this.url, `${PATH}/refresh`, undefined, { ...FROM_PAGE, "Idempotency-Key": key }, REFRESH.each));
        write("refresh-key", null);
        return this.#take(said);
      } catch (error) {
        if (!isUndecided(codeOf(error))) {
          write("refresh-key", null);
          this.end();
          throw error;
        }
        if (Date.now() + REFRESH.pause >= give_up_at) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, REFRESH.pause));
    }
  }

  /** Ask the other tabs for a token that is newer than `expired`.
   *
   * @param {string} expired */
  async #askTabs(expired) {
    this.#channel.postMessage({ kind: "ask" });
    const lately = Date.now() - Number(read("refreshed-at") ?? 0) < LATELY.refreshed;
    const give_up_at = Date.now() + (lately ? LATELY.within : TABS_ANSWER_WITHIN);
    while (this.accessToken === expired && Date.now() < give_up_at) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** @param {{kind: "ask"} | {kind: "ended"} | {kind: "tokens", held: Held}} message */
  #told(message) {
    if (message.kind === "ask") {
      if (this.#held && this.#held.expiresAt - Date.now() > STILL_GOOD) this.#channel.postMessage({ kind: "tokens", held: this.#held });
    } else if (message.kind === "ended") {
      if (this.#held) this.#hold(null);
    } else if (message.held.expiresAt > (this.#held?.expiresAt ?? 0) || message.held.user.id !== this.user?.id) {
      this.#hold(message.held);
    }
  }

  /** @param {Said} said */
  #begun(said) {
    write("signed-in", "yes");
    write("refresh-key", null);
    this.#take(said);
  }

  /** @param {Said} said */
  #take({ expiresIn, ...rest }) {
    const held = { ...rest, expiresAt: Date.now() + expiresIn * 1_000 };
    write("refreshed-at", String(Date.now()));
    this.#channel.postMessage({ kind: "tokens", held });
    this.#hold(held);
  }

  /** @param {Held | null} held */
  #hold(held) {
    const before = this.#held;
    this.#held = held;
    if (before?.user !== held?.user) for (const hears of this.#hears) hears(this.user);
  }
}

/** The log-in of this page. */
export const session = new PageSession();

/** The code of an error, for programs.
 *
 * @param {unknown} error */
export function codeOf(error) {
  return error instanceof HubError ? error.code : "internal";
}

/** @param {string} path @param {unknown} [body] @returns {Promise<Said | ToConfirm>} */
function post(path, body) {
  return request("POST", location.origin, `${PATH}${path}`, body, FROM_PAGE);
}

/** Run `work` while no other tab does.
 *
 * On a page over plain http there are no Web Locks. Two tabs that refresh at once there use the same key.
 *
 * @param {() => Promise<void>} work @returns {Promise<void>} */
async function alone(work) {
  if (navigator.locks) await navigator.locks.request(`${NAME} refresh`, work);
  else await work();
}

async function anotherTab() {
  if (!navigator.locks) return true;
  const { held = [] } = await navigator.locks.query();
  return held.filter(({ name }) => name === `${NAME} tab`).length > 1;
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} name */
function read(name) {
  try {
    return localStorage.getItem(`${NAME} ${name}`);
  } catch {
    return name === "signed-in" ? "perhaps" : null; // the storage is blocked
  }
}

/** @param {string} name @param {string | null} value */
function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(`${NAME} ${name}`);
    else localStorage.setItem(`${NAME} ${name}`, value);
  } catch {
    // The storage is blocked or full.
  }
}
