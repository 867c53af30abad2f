// The code that confirms a sign-up, and what to do when none comes.

import { goOn, staysHere } from "../shared/frame.js";
import { fieldErrors, submitting } from "../shared/forms.js";
import { session } from "../shared/session.js";
import { announce, Field, FocusedHeading, html, Problem, useEffect, useState } from "../shared/ui.js";
import { words as codes } from "../codes/words.js";
import { words } from "../shared/words.js";

/** @param {{id: string, account: import("../shared/session.js").NewAccount, onCorrect: () => void}} properties */
export function Confirm({ id: first, account, onCorrect }) {
  const [id, setId] = useState(first);
  const form = submitting(async ({ code }) => {
    staysHere();
    await session.confirmSignUp(id, code);
    if (session.user) goOn(session.user);
  });
  const again = submitting(async () => {
    const another = await session.signUp(account);
    if (another === null) return void (session.user && goOn(session.user));
    setId(another);
    announce(codes.newCodeSent);
  });
  useEffect(() => announce(codes.signUpSent(account.phone)), []);
  return html`<section class="narrow">
    <${FocusedHeading}>${codes.proveTitle}</>
    <p>${codes.signUpSent(account.phone)}</p>
    <form onSubmit=${form.onSubmit} novalidate>
      <${Field} label=${codes.code} name="code" autocomplete="one-time-code" inputmode="numeric" error=${fieldErrors(form, codes.rules).code} required />
      <${Problem}>${form.problem}</>
      <button type="submit" aria-busy=${form.busy ? "true" : null}>${codes.createAccount}</button>
    </form>
    <h2>${codes.noText}</h2>
    <p>${codes.noTextHow}</p>
    <form onSubmit=${again.onSubmit} novalidate>
      <${Problem}>${again.problem}</>
      <button type="submit" class="secondary" aria-busy=${again.busy ? "true" : null}>${codes.sendNewCode}</button>
      <button type="button" class="secondary" onClick=${onCorrect}>${codes.correct}</button>
    </form>
    <p>${codes.perhapsAccount} <a href=${`/sign-in${location.search}`}>${words.account.signIn}</a></p>
    <p><a href="/forgotten">${words.account.forgotten}</a></p>
  </section>`;
}
