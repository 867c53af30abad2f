// A patient's profile.

import { fieldErrors, submitting } from "../shared/forms.js";
import { session } from "../shared/session.js";
import { announce, Field, html, Problem, useState } from "../shared/ui.js";
import { words as codes } from "../codes/words.js";
import { languages } from "../shared/language.js";
import { words } from "../shared/words.js";

/** @typedef {import("../hub-client.js").User} User */

/** @param {{user: User}} properties */
export function Profile({ user }) {
  const [saved, setSaved] = useState(false);
  const form = submitting(async ({ name, email, phone, language, currentPassword, ...kinds }) => {
    setSaved(false);
    const texts = Object.keys(words.profile.kinds).filter((kind) => kind in kinds);
    const change = { name, email, language, texts, ...(phone ? { phone } : {}), ...(currentPassword ? { currentPassword } : {}) };
    session.changed(/** @type {User} */ (await session.ask("PATCH", "/api/v1/users/me", change)));
    setSaved(true);
    announce(words.profile.saved);
  });
  const wrong = fieldErrors(form, codes.rules);
  return html`<form onSubmit=${form.onSubmit} novalidate>
    <${Field} label=${words.account.name} name="name" autocomplete="name" defaultValue=${user.name} error=${wrong.name} required />
    <${Field} label=${words.account.email} name="email" type="email" autocomplete="email" defaultValue=${user.email} error=${wrong.email} required />
    <${Field} label=${words.account.phone} name="phone" type="tel" autocomplete="tel" defaultValue=${user.phone ?? ""} hint=${words.account.phoneHint} error=${wrong.phone} />
    <${Field} label=${words.profile.toChange} name="currentPassword" type="password" autocomplete="current-password" hint=${words.profile.toChangeWhy} error=${wrong.currentPassword} />
    <fieldset>
      <legend>${words.profile.texts}</legend>
      ${Object.entries(words.profile.kinds).map(
        ([kind, name]) => html`<label><input type="checkbox" name=${kind} defaultChecked=${user.texts.includes(kind)} /> ${name}</label>`,
      )}
    </fieldset>
    <div class="field">
      <label for="language">${words.profile.textLanguage}</label>
      <select id="language" name="language">
        ${languages.map(([code, name]) => html`<option value=${code} selected=${code === user.language}>${name}</option>`)}
      </select>
    </div>
    <${Problem}>${form.problem}</>
    <button type="submit" aria-busy=${form.busy ? "true" : null}>${words.profile.save}</button>
    ${saved && html`<p class="notice">${words.profile.saved}</p>`}
  </form>`;
}
