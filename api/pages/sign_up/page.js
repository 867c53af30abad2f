// The sign-up of a patient. Where it has to be confirmed, a code comes by text, and a second step asks for it.

import { goOn, open, staysHere } from "../shared/frame.js";
import { fieldErrors, submitting } from "../shared/forms.js";
import { session } from "../shared/session.js";
import { Field, html, Problem, useState } from "../shared/ui.js";
import { words as codes } from "../codes/words.js";
import { words } from "../shared/words.js";
import { Confirm } from "./confirm.js";

/** @typedef {import("../shared/session.js").NewAccount} NewAccount */

/** @param {{user: import("../hub-client.js").User | null}} properties */
function SignUp({ user }) {
  const [pending, setPending] = useState(/** @type {{id: string, account: NewAccount} | null} */ (null));
  const form = submitting(async ({ name, email, phone, password }) => {
    staysHere();
    const account = { name, email, phone, password };
    const id = await session.signUp(account);
    if (id) setPending({ id, account });
    else if (session.user) goOn(session.user);
  });
  const wrong = fieldErrors(form, codes.rules);
  const correct = () => {
    setPending(null);
    requestAnimationFrame(() => document.getElementById("phone")?.focus());
  };
  if (user && !form.busy) return goOn(user);
  // Hidden, not taken away: what is written in the form stays for who comes back to correct it.
  return html`<section class="narrow" hidden=${pending !== null}>
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
  </section>
  ${pending && html`<${Confirm} id=${pending.id} account=${pending.account} onCorrect=${correct} />`}`;
}

await open(SignUp);
