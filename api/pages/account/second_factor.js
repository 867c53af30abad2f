// The second factor of a doctor or a receptionist: set it up, get new recovery codes, turn it off.

import { goOn } from "../shared/frame.js";
import { submitting } from "../shared/forms.js";
import { codeOf, session } from "../shared/session.js";
import { announce, html, Problem, Skeleton, useEffect, useRef, useState } from "../shared/ui.js";
import { Confirm, WithCode, WithPassword } from "./forms.js";
import { RecoveryCodes } from "./recovery_codes.js";
import { words } from "./words.js";

/** @typedef {{enabled: boolean, recoveryCodesLeft: number}} State */
/** @typedef {{secret: string, uri: string}} Secret */
/** @typedef {{recoveryCodes: string[]}} Codes */
/** @typedef {"" | "renew" | "end"} Task */

const PATH = "/api/v1/users/me/second-factor";
const FEW = 3; // recovery codes: so many left, and one is told to make new ones
const RETRY = 2_000; // ms between two attempts to read the state

/** @param {{user: import("../hub-client.js").User}} properties */
export function SecondFactor({ user }) {
  const [state, setState] = useState(/** @type {State | "unused" | null} */ (null));
  const [secret, setSecret] = useState(/** @type {Secret | null} */ (null));
  const [codes, setCodes] = useState(/** @type {string[]} */ ([]));
  const [task, setTask] = useState(/** @type {Task} */ (""));
  const [notice, say] = useState("");
  const [forced, setForced] = useState(session.secondFactorRequired); // until one goes on
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => read(setState), []);
  useEffect(() => {
    if (notice) box.current?.focus(); // what one has pressed is gone
  }, [notice]);

  const setUp = async (/** @type {string} */ password) => {
    say("");
    setSecret(/** @type {Secret} */ (await session.ask("POST", PATH, { password })));
  };
  const confirm = async (/** @type {string} */ code) => {
    let made = /** @type {string[]} */ ([]);
    try {
      made = /** @type {Codes} */ (await session.ask("POST", `${PATH}/confirm`, { code })).recoveryCodes;
    } catch (error) {
      // An earlier request has come to the hub, and its answer was lost.
      if (codeOf(error) !== "forbidden") throw error;
      const now = /** @type {State} */ (await session.ask("GET", PATH));
      setSecret(null);
      setState(now);
      if (!now.enabled) return say(words.startAgain);
    }
    setSecret(null);
    setState({ enabled: true, recoveryCodesLeft: made.length });
    setCodes(made);
    if (made.length > 0) announce(words.isOn);
    else say(words.codesLost);
    if (forced) await session.renew(session.accessToken).catch(() => {}); // `leave` does it once more
  };
  const giveUp = () => {
    setSecret(null);
    say(words.stillOff);
  };
  const replace = async (/** @type {string} */ password, /** @type {string} */ code) => {
    const { recoveryCodes } = /** @type {Codes} */ (await session.ask("POST", `${PATH}/recovery-codes`, { password, code }));
    setState({ enabled: true, recoveryCodesLeft: recoveryCodes.length });
    setTask("");
    say("");
    setCodes(recoveryCodes);
  };
  const end = async (/** @type {string} */ password, /** @type {string} */ code) => {
    await session.ask("POST", `${PATH}/disable`, { password, code });
    setTask("");
    setState({ enabled: false, recoveryCodesLeft: 0 });
    say(words.isOffNow);
    await session.renew(session.accessToken).catch(() => {}); // where it is required, one sets up another one now
    setForced(session.secondFactorRequired);
  };
  const leave = submitting(async () => {
    if (session.secondFactorRequired) await session.renew(session.accessToken);
    if (forced) return void goOn(user);
    setCodes([]);
    say(words.codesKept);
  });

  if (state === "unused") return null;
  return html`<section class="second-factor" aria-labelledby="second-factor">
    <h2 id="second-factor">${words.factor}</h2>
    ${notice && html`<p class="notice" tabindex="-1" ref=${box}>${notice}</p>`}
    ${
      !state
        ? html`<${Skeleton} lines=${2} />`
        : codes.length > 0
          ? html`<${RecoveryCodes} codes=${codes} form=${leave} />`
          : secret
            ? html`<${Confirm} secret=${secret} onConfirm=${confirm} onBack=${giveUp} />`
            : state.enabled
              ? html`<${On} left=${state.recoveryCodesLeft} task=${task} onTask=${setTask} onRenew=${replace} onEnd=${end} />
                  ${forced && html`<form onSubmit=${leave.onSubmit}><${Problem}>${leave.problem}</><button type="submit">${words.goOn}</button></form>`}`
              : html`<p>${forced ? words.required : words.why}</p>
                  <${WithPassword} onSend=${setUp} />`
    }
  </section>`;
}

/** It is on: what one can do with it.
 *
 * @param {{
 *   left: number,
 *   task: Task,
 *   onTask: (task: Task) => void,
 *   onRenew: (password: string, code: string) => Promise<void>,
 *   onEnd: (password: string, code: string) => Promise<void>,
 * }} properties */
function On({ left, task, onTask, onRenew, onEnd }) {
  const buttons = useRef(/** @type {Record<string, HTMLElement | null>} */ ({}));
  const back = useRef(/** @type {Task} */ (""));
  useEffect(() => {
    if (!task) buttons.current[back.current]?.focus();
    back.current = task;
  }, [task]);
  if (task === "renew") return html`<${WithCode} key="renew" title=${words.renewTitle} about=${words.renewAbout} submit=${words.renew} onSend=${onRenew} onBack=${() => onTask("")} />`;
  if (task === "end") return html`<${WithCode} key="end" title=${words.endTitle} about=${words.endAbout} submit=${words.end} danger=${true} onSend=${onEnd} onBack=${() => onTask("")} />`;
  const button = (/** @type {Task} */ of) => (/** @type {HTMLElement | null} */ found) => void (buttons.current[of] = found);
  return html`<p>${words.isOn} ${words.left(left)} ${left <= FEW && words.few}</p>
    <p class="actions">
      <button type="button" class="secondary" ref=${button("renew")} onClick=${() => onTask("renew")}>${words.renew}…</button>
      <button type="button" class="secondary" ref=${button("end")} onClick=${() => onTask("end")}>${words.end}…</button>
    </p>`;
}

/** Read whether there is a second factor, again and again while the hub does not answer.
 *
 * @param {(state: State | "unused") => void} tell */
function read(tell) {
  session.ask("GET", PATH).then(
    (state) => tell(/** @type {State} */ (state)),
    (error) => (codeOf(error) === "forbidden" ? tell("unused") : void setTimeout(() => read(tell), RETRY)),
  );
}
