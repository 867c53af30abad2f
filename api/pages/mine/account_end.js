// The end of the patient's account, with the password and a second question.

import { HubError } from "../hub-client.js";
import { leaveAfter } from "../shared/frame.js";
import { fieldErrors, submitting } from "../shared/forms.js";
import { session } from "../shared/session.js";
import { Field, FocusedHeading, html, Problem, useState } from "../shared/ui.js";
import { words } from "./words.js";

export function AccountEnd() {
  const [asked, setAsked] = useState(false);
  const form = submitting(async ({ password = "" }) => {
    if (!password) throw new HubError("invalid_request", "", [{ pointer: "/password", detail: words.wrong, code: "missing" }]);
    if (!asked) return setAsked(true);
    setAsked(false);
    await leaveAfter(() => session.deleteAccount(password), words.ended);
  });
  return html`<form onSubmit=${form.onSubmit} novalidate>
    <p>${words.endWhat}</p>
    <p>${words.endNoWay}</p>
    <${Field} label=${words.endPassword} name="password" type="password" autocomplete="current-password" error=${fieldErrors(form, { password: words.wrong }).password} readonly=${asked} required />
    <${Problem}>${form.problem}</>
    ${
      asked
        ? html`<${FocusedHeading} level=${3}>${words.sureTitle}</>
            <div class="actions">
              <button type="submit" class="danger">${words.sure}</button>
              <button type="button" class="secondary" onClick=${() => setAsked(false)}>${words.keep}</button>
            </div>`
        : html`<button type="submit" class="danger" aria-busy=${form.busy ? "true" : null}>${words.end}</button>`
    }
  </form>`;
}
