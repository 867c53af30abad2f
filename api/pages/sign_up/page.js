// The sign-up of a patient.

import { goOn, open, staysHere } from "../shared/frame.js";
import { fieldErrors, submitting } from "../shared/forms.js";
import { session } from "../shared/session.js";
import { Field, html, Problem } from "../shared/ui.js";
import { words as codes } from "../codes/words.js";
import { words } from "../shared/words.js";

/** @param {{user: import("../hub-client.js").User | null}} properties */
function SignUp({ user }) {
  const form = submitting(async ({ name, email, phone, password }) => {
    staysHere();
    await session.signUp({ name, email, phone, password });
    if (session.user) goOn(session.user);
  });
  const wrong = fieldErrors(form, codes.rules);
  if (user && !form.busy) return goOn(user);
  return html`<section class="narrow">
    <h1>${words.account.signUp}</h1>
    <form onSubmit=${form.onSubmit} novalidate>
      <${Field} label=${words.account.name} name="name" autocomplete="name" error=${wrong.name} required />
      <${Field} label=${words.account.email} name="email" type="email" autocomplete="email" error=${wrong.email} required />
      <${Field} label=${words.account.phone} name="phone" type="tel" autocomplete="tel" hint=${words.account.phoneHint} error=${wrong.phone} required />
      <${Field} label=${words.account.password} name="password" type="password" autocomplete="new-password" hint=${words.account.passwordHint} error=${wrong.password} required />
      <${Problem}>${form.problem}</>
      <button type="submit" aria-busy=${form.busy ? "true" : null}>${words.account.signUp}</button>
    </form>
    <p>${words.account.haveAccount} <a href=${`/sign-in${location.search}`}>${words.account.signIn}</a></p>
  </section>`;
}

await open(SignUp);
