// A forgotten password: a code comes by text, and replaces it.

import { open } from "../shared/frame.js";
import { fieldErrors, submitting } from "../shared/forms.js";
import { session } from "../shared/session.js";
import { Field, FocusedHeading, html, Problem, useState } from "../shared/ui.js";
import { words as codes } from "../codes/words.js";
import { words } from "../shared/words.js";

function Forgotten() {
  const [email, setEmail] = useState("");
  const [done, setDone] = useState(false);
  if (done) return html`<${Done} />`;
  return email ? html`<${NewPassword} email=${email} onDone=${() => setDone(true)} />` : html`<${Ask} onAsked=${setEmail} />`;
}

/** @param {{onAsked: (email: string) => void}} properties */
function Ask({ onAsked }) {
  const form = submitting(async ({ email }) => {
    await session.ask("POST", "/api/v1/auth/password/forgot", { email });
    onAsked(email);
  });
  return html`<section class="narrow">
    <h1>${words.account.forgotten}</h1>
    <p>${codes.forgottenHow}</p>
    <form onSubmit=${form.onSubmit} novalidate>
      <${Field} label=${words.account.email} name="email" type="email" autocomplete="username" error=${fieldErrors(form).email} required />
      <${Problem}>${form.problem}</>
      <button type="submit" aria-busy=${form.busy ? "true" : null}>${codes.sendCode}</button>
    </form>
  </section>`;
}

/** @param {{email: string, onDone: () => void}} properties */
function NewPassword({ email, onDone }) {
  const form = submitting(async ({ code, password }) => {
    await session.ask("POST", "/api/v1/auth/password/reset", { email, code, password });
    onDone();
  });
  const wrong = fieldErrors(form, codes.rules);
  return html`<section class="narrow">
    <${FocusedHeading}>${words.account.forgotten}</>
    <p>${codes.ifThereIs}</p>
    <form onSubmit=${form.onSubmit} novalidate>
      <${Field} label=${codes.code} name="code" autocomplete="one-time-code" error=${wrong.code} required />
      <${Field} label=${words.profile.fresh} name="password" type="password" autocomplete="new-password" hint=${words.account.passwordHint} error=${wrong.password} required />
      <${Problem}>${form.problem}</>
      <button type="submit" aria-busy=${form.busy ? "true" : null}>${words.account.setPassword}</button>
    </form>
  </section>`;
}

function Done() {
  return html`<section class="narrow">
    <${FocusedHeading}>${codes.passwordSet}</>
    <p><a href="/sign-in">${words.account.signIn}</a></p>
  </section>`;
}

await open(Forgotten);
