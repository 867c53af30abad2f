// The buttons by which the clinic's people answer an offer for its patient, who calls.

import { html } from "../shared/ui.js";
import { words } from "../staff/words.js";

/** @param {{busy: string, describedBy: string, onAnswer: (kind: "accept" | "decline") => void}} properties */
export function Answer({ busy, describedBy, onAnswer }) {
  return html`<p class="actions">
    <button type="button" aria-describedby=${describedBy} aria-busy=${busy === "accept" ? "true" : null} onClick=${() => onAnswer("accept")}>${words.offer.take}</button>
    <button type="button" class="secondary" aria-describedby=${describedBy} aria-busy=${busy === "decline" ? "true" : null} onClick=${() => onAnswer("decline")}>${words.offer.pass}</button>
  </p>`;
}
