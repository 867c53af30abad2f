// A command to the hub: sent once however often one clicks, its refusal said where one has clicked.

import { isUndecided } from "../hub-client.js";
import { live } from "./line.js";
import { useRef, useState } from "./ui.js";
import { errorText } from "./language.js";

/** @typedef {Extract<import("../hub-client.js").Ack, {ok: true}>} Done */
/** @typedef {{busy: string, problem: string, run: (kind: string, argument: Record<string, unknown>) => Promise<Done | null>, clear: () => void}} Commands */

/** The state of the commands of one part of a page. `busy`: the kind of the one that is under way.
 *
 * `run` gives a command and returns the ack, null if it was refused: then `problem` says why, in the words of
 * `textOf`. One that was not decided goes on under its id when the same is asked once more.
 *
 * @param {(error: {code: string, message?: string}) => string} [textOf] @returns {Commands} */
export function useCommand(textOf = errorText) {
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
    if (answer.ok) return answer;
    setProblem(textOf({ code: answer.error.code, message: answer.error.detail }));
    return null;
  };
  return { busy, problem, run, clear: () => setProblem("") };
}

export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
