// The proof of the patient's phone, by a code that comes by text.

import { fieldErrors, submitting } from "../shared/forms.js";
import { session } from "../shared/session.js";
import { announce, Field, html, Problem, useState } from "../shared/ui.js";
import { words } from "../codes/words.js";

const PATH = "/api/v1/users/me/phone";

/** @typedef {import("../hub-client.js").User} User */

export function PhoneCode() {
  const [sent, setSent] = useState(false);
  const ask = submitting(async () => {
    await session.ask("POST", `${PATH}/code`);
    setSent(true);
    announce(words.toPhone);
  });
  const form = submitting(async ({ code }) => {
    session.changed(/** @type {User} */ (await session.ask("POST", `${PATH}/verify`, { code })));
    announce(words.proven);
  });
  return html`
    <p>${sent ? words.toPhone : words.notProven}</p>
    <form onSubmit=${form.onSubmit} novalidate>
      <${Field} label=${words.code} name="code" autocomplete="one-time-code" error=${fieldErrors(form, words.rules).code} required />
      <${Problem}>${form.problem}</>
      <button type="submit" aria-busy=${form.busy ? "true" : null}>${words.prove}</button>
    </form>
    <form onSubmit=${ask.onSubmit} novalidate>
      <${Problem}>${ask.problem}</>
      <button type="submit" class="secondary" aria-busy=${ask.busy ? "true" : null}>${words.sendCode}</button>
    </form>
  `;
}
