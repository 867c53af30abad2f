// Forms: one submission at a time, what went wrong beside its field or below the form, nothing typed is lost.

import { HubError } from "../hub-client.js";
import { codeOf } from "./session.js";
import { focusWrongField, useState, written } from "./ui.js";
import { errorText } from "./language.js";
import { words } from "./words.js";

/** @typedef {{onSubmit: (event: SubmitEvent) => void, busy: boolean, problem: string, error: HubError | null}} Form */

/** The state of a form whose texts are given to `send`. Call it in a component, like the hooks of Preact.
 *
 * @param {(texts: Record<string, string>) => Promise<void>} send @returns {Form} */
export function submitting(send) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {HubError | null} */ (null));
  const onSubmit = async (/** @type {SubmitEvent} */ event) => {
    const texts = written(event);
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await send(texts);
    } catch (caught) {
      setError(caught instanceof HubError ? caught : new HubError(codeOf(caught), ""));
      focusWrongField();
    } finally {
      setBusy(false);
    }
  };
  return { onSubmit: (event) => void onSubmit(event), busy, error, problem: error && !isOfFields(error) ? errorText(error) : "" };
}

/** What is wrong with each field of a form, by the field's name in the hub's request.
 *
 * `rules` are words for the codes of single rules.
 *
 * @param {Form} form @param {Record<string, string>} rules @returns {Record<string, string | undefined>} */
export function fieldErrors({ error }, rules = {}) {
  if (error?.code === "email_taken") return { email: errorText(error) };
  if (error?.code === "phone_taken") return { phone: errorText(error) };
  const known = /** @type {Record<string, string>} */ ({ ...words.errors.fields, ...rules });
  const said = (error?.errors ?? []).map(({ pointer, detail, code }) => [pointer.slice(1), known[code] ?? known[pointer.slice(1)] ?? detail]);
  return Object.fromEntries(said);
}

/** @param {HubError} error */
function isOfFields({ code, errors }) {
  return code === "email_taken" || code === "phone_taken" || errors.length > 0;
}
