// The change of one's password.

import { words as codes } from "../codes/words.js";
import { fieldErrors, submitting } from "./forms.js";
import { session } from "./session.js";
import { announce, Field, html, Problem, useState } from "./ui.js";
import { words } from "./words.js";

export function Password() {
  const [done, setDone] = useState(0);
  const form = submitting(async ({ current, fresh }) => {
    await session.changePassword(current, fresh);
    setDone((count) => count + 1);
    announce(words.profile.changed);
  });
  const wrong = fieldErrors(form, codes.rules);
  return html`<form key=${done} onSubmit=${form.onSubmit} novalidate>
    <${Field} label=${words.profile.current} name="current" type="password" autocomplete="current-password" error=${wrong.current} required />
    <${Field} label=${words.profile.fresh} name="fresh" type="password" autocomplete="new-password" hint=${words.account.passwordHint} error=${wrong.new} required />
    <${Problem}>${form.problem}</>
    <button type="submit" aria-busy=${form.busy ? "true" : null}>${words.profile.change}</button>
    ${done > 0 && html`<p class="notice">${words.profile.changed}</p>`}
  </form>`;
}
