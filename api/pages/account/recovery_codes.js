// The recovery codes, which are shown once: to print, to copy, to write down.

import { announce, FocusedHeading, html, Problem } from "../shared/ui.js";
import { words } from "./words.js";

/** @param {{codes: string[], form: import("../shared/forms.js").Form}} properties `form` is sent by who has kept them. */
export function RecoveryCodes({ codes, form }) {
  const copy = () =>
    navigator.clipboard.writeText(codes.join("\n")).then(
      () => announce(words.copied),
      () => announce(words.notCopied),
    );
  return html`<${FocusedHeading} level=${3}>${words.codesTitle}</>
    <p>${words.codesAbout}</p>
    <ol class="codes">
      ${codes.map((code) => html`<li key=${code}><code>${code}</code></li>`)}
    </ol>
    <form onSubmit=${form.onSubmit}>
      <p class="actions">
        ${globalThis.isSecureContext && html`<button type="button" class="secondary" onClick=${copy}>${words.copy}</button>`}
        <button type="button" class="secondary" onClick=${() => globalThis.print()}>${words.print}</button>
        <button type="submit" aria-busy=${form.busy ? "true" : null}>${words.kept}</button>
      </p>
      <${Problem}>${form.problem}</>
    </form>`;
}
