// The sign-in of all roles, and the change of a first password.

import { goOn, open, signInPath, staysHere } from "../shared/frame.js";
import { fieldErrors, submitting } from "../shared/forms.js";
import { words as codes } from "../codes/words.js";
import { codeOf, session } from "../shared/session.js";
import { announce, Field, FocusedHeading, html, Problem, useState } from "../shared/ui.js";
import { words } from "../shared/words.js";

const ended = new URLSearchParams(location.search).has("ended");

/** @param {{user: import("../hub-client.js").User | null}} properties */
function SignIn({ user }) {
  const [first, setFirst] = useState(session.passwordChangeRequired);
  if (user && !first) return goOn(user);
  return first ? html`<${FirstPassword} />` : html`<${Door} onFirst=${() => setFirst(true)} />`;
}

/** @param {{onFirst: () => void}} properties */
function Door({ onFirst }) {
  const [asked, setAsked] = useState(false);
  const form = submitting(async ({ email, password, code }) => {
    staysHere();
    try {
      await session.signIn(email, password, code);
    } catch (error) {
      if (codeOf(error) !== "second_factor_required") throw error;
      setAsked(true);
      announce(codes.appCode);
      return;
    }
    if (session.passwordChangeRequired) onFirst();
    else if (session.user) goOn(session.user);
  });
  return html`<section class="narrow">
    <h1>${words.account.signIn}</h1>
    ${ended && html`<p role="status">${words.account.ended}</p>`}
    <form onSubmit=${form.onSubmit} novalidate>
      <${Field} label=${words.account.email} name="email" type="email" autocomplete="username" error=${fieldErrors(form).email} required />
      <${Field} label=${words.account.password} name="password" type="password" autocomplete="current-password" required />
      ${asked && html`<${Field} label=${codes.code} name="code" autocomplete="one-time-code" hint=${codes.appCode} required />`}
      <${Problem}>${form.error?.code === "wrong_second_factor" ? codes.wrongAppCode : form.problem}</>
      <button type="submit" aria-busy=${form.busy ? "true" : null}>${words.account.signIn}</button>
    </form>
    <p><a href="/forgotten">${words.account.forgotten}</a></p>
    <p>${words.account.noAccount} <a href=${signUpPath()}>${words.account.signUp}</a></p>
  </section>`;
}

function FirstPassword() {
  const form = submitting(async ({ current, fresh }) => {
    await session.changePassword(current, fresh);
    if (session.user) goOn(session.user);
  });
  const wrong = fieldErrors(form);
  return html`<section class="narrow">
    <${FocusedHeading}>${words.account.firstPassword}</>
    <p>${words.account.firstPasswordWhy}</p>
    <form onSubmit=${form.onSubmit} novalidate>
      <${Field} label=${words.profile.current} name="current" type="password" autocomplete="current-password" error=${wrong.current} required />
      <${Field} label=${words.profile.fresh} name="fresh" type="password" autocomplete="new-password" hint=${words.account.passwordHint} error=${wrong.new} required />
      <${Problem}>${form.problem}</>
      <button type="submit" aria-busy=${form.busy ? "true" : null}>${words.account.setPassword}</button>
    </form>
  </section>`;
}

function signUpPath() {
  const next = new URLSearchParams(location.search).get("next");
  return next ? `/sign-up?${new URLSearchParams({ next })}` : signInPath({ path: "/sign-up" }).replace(/\?.*/, "");
}

await open(SignIn);
