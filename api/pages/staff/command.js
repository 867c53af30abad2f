// A command of the clinic's people: sent once however often one clicks, its refusal said where one has clicked.

import { isUndecided } from "../hub-client.js";
import { live } from "../shared/line.js";
import { useRef, useState } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { words } from "./words.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {{busy: string, problem: string, run: (kind: string, argument: Record<string, unknown>) => Promise<Appointment | true | null>, clear: () => void}} Commands */

/** The state of the commands of one part of a page. `busy`: the kind of the one that is under way.
 *
 * `run` gives a command and returns the appointment after it (or true, if it is about none), null if it was refused:
 * then `problem` says why. One that was not decided goes on under its id when the same is asked once more.
 *
 * @returns {Commands} */
export function useCommand() {
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState("");
  const working = useRef(false);
  const undecided = useRef(/** @type {{of: string, commandId: string} | null} */ (null));
  const run = async (/** @type {string} */ kind, /** @type {Record<string, unknown>} */ argument) => {
    if (working.current) return null;
    working.current = true;
    setBusy(kind);
    setProblem("");
    const of = JSON.stringify([kind, argument]);
    if (undecided.current?.of !== of) undecided.current = { of, commandId: newId() };
    const answer = await live.line.command(kind, { ...argument, commandId: undecided.current.commandId });
    if (answer.ok || !isUndecided(answer.error.code)) undecided.current = null;
    working.current = false;
    setBusy("");
    if (answer.ok) return answer.appointment ?? true;
    setProblem(refusalText({ code: answer.error.code, message: answer.error.detail }));
    return null;
  };
  return { busy, problem, run, clear: () => setProblem("") };
}

/** A refusal in the words of the clinic's people; in the hub's if there are no others.
 *
 * @param {{code: string, message?: string}} error */
export function refusalText({ code, message }) {
  const own = /** @type {Record<string, unknown>} */ (words.errors);
  const all = /** @type {Record<string, unknown>} */ (shared.errors);
  const known = own[code] ?? all[code];
  return typeof known === "string" ? known : message || shared.errors.internal;
}

export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
