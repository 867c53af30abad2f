// The account of a doctor or a receptionist: the second factor, and the password. Who needs a second factor and has none
// begins here, and nothing else opens before.

import { open } from "../shared/frame.js";
import { Password } from "../shared/password.js";
import { session } from "../shared/session.js";
import { html } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { SecondFactor } from "./second_factor.js";
import { words } from "./words.js";

/** @param {{user: import("../hub-client.js").User | null}} properties */
function Account({ user }) {
  if (!user) return null;
  return html`<div class="account">
    <h1>${words.title}</h1>
    <p class="quiet">${user.name}, ${user.email}</p>
    <${SecondFactor} user=${user} />
    ${
      !session.secondFactorRequired &&
      html`<details>
        <summary><h2>${shared.profile.password}</h2></summary>
        <${Password} />
      </details>`
    }
  </div>`;
}

await open(Account, { roles: ["doctor", "receptionist"], enrols: true });
