// A command of the clinic's people, and a refusal in their words.

import { useCommand as useAnyCommand } from "../shared/command.js";
import { words as shared } from "../shared/words.js";
import { words } from "./words.js";

/** @typedef {import("../hub-client.js").Appointment} Appointment */
/** @typedef {{busy: string, problem: string, run: (kind: string, argument: Record<string, unknown>) => Promise<Appointment | true | null>, clear: () => void}} Commands */

/** The commands of one part of a page, as those of `shared/command.js`; `run` returns the appointment after the
 * command, true if it is about none, null if it was refused.
 *
 * @returns {Commands} */
export function useCommand() {
  const { run, ...rest } = useAnyCommand(refusalText);
  return {
    ...rest,
    run: async (kind, argument) => {
      const answer = await run(kind, argument);
      return answer && (answer.appointment ?? true);
    },
  };
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
