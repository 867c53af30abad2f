// The forms of the second factor: with the password, with a first code, with both.

import { words as codes } from "../codes/words.js";
import { fieldErrors, submitting } from "../shared/forms.js";
import { Field, FocusedHeading, html, Problem, useLater } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { words } from "./words.js";

const RULES = { password: shared.errors.fields.currentPassword, code: codes.wrongAppCode, wrong_code: codes.wrongAppCode };

/** Begin, with the password.
 *
 * @param {{onSend: (password: string) => Promise<void>}} properties */
export function WithPassword({ onSend }) {
  const form = submitting(async ({ password = "" }) => onSend(password));
  return html`<form onSubmit=${form.onSubmit} novalidate>
    <${Field} label=${shared.profile.toChange} name="password" type="password" autocomplete="current-password" error=${fieldErrors(form, RULES).password} required />
    <${Problem}>${form.problem}</>
    <button type="submit" aria-busy=${form.busy ? "true" : null}>${words.setUp}</button>
  </form>`;
}

/** The key for the app, as a QR code, as a link and to type; then the first code.
 *
 * @param {{
 *   secret: import("./second_factor.js").Secret,
 *   onConfirm: (code: string) => Promise<void>,
 *   onBack: () => void,
 * }} properties */
export function Confirm({ secret, onConfirm, onBack }) {
  const form = submitting(async ({ code = "" }) => onConfirm(code));
  const qr = useLater(() => import("./qr_code.js"));
  return html`<${FocusedHeading} level=${3}>${words.scanTitle}</>
    <p>${words.scan}</p>
    <div class="qr-code">${qr && html`<${qr.QrCode} text=${secret.uri} label=${words.qrCode} />`}</div>
    <p><a href=${secret.uri}>${words.openApp}</a></p>
    <p>${words.type} <code class="key">${secret.secret.match(/.{1,4}/g)?.join(" ")}</code></p>
    <form onSubmit=${form.onSubmit} novalidate>
      <${Field} label=${words.firstCode} name="code" inputmode="numeric" autocomplete="one-time-code" error=${fieldErrors(form, RULES).code} required />
      <${Problem}>${form.problem}</>
      <p class="actions">
        <button type="submit" aria-busy=${form.busy ? "true" : null}>${words.turnOn}</button>
        <button type="button" class="secondary" onClick=${onBack}>${words.back}</button>
      </p>
    </form>`;
}

/** A change that needs the password and a code.
 *
 * @param {{
 *   title: string,
 *   about: string,
 *   submit: string,
 *   danger?: boolean,
 *   onSend: (password: string, code: string) => Promise<void>,
 *   onBack: () => void,
 * }} properties */
export function WithCode({ title, about, submit, danger, onSend, onBack }) {
  const form = submitting(async ({ password = "", code = "" }) => onSend(password, code));
  const wrong = fieldErrors(form, RULES);
  return html`<${FocusedHeading} level=${3}>${title}</>
    <p>${about}</p>
    <form onSubmit=${form.onSubmit} novalidate>
      <${Field} label=${shared.profile.toChange} name="password" type="password" autocomplete="current-password" error=${wrong.password} required />
      <${Field} label=${codes.code} name="code" autocomplete="one-time-code" hint=${codes.appCode} error=${wrong.code} required />
      <${Problem}>${form.problem}</>
      <p class="actions">
        <button type="submit" class=${danger ? "danger" : null} aria-busy=${form.busy ? "true" : null}>${submit}</button>
        <button type="button" class="secondary" onClick=${onBack}>${words.back}</button>
      </p>
    </form>`;
}
