// Below the list: the profile, the proof of the phone, the password, the end of the account. It is loaded after the first view.

import { html } from "../shared/ui.js";
import { words as codes } from "../codes/words.js";
import { Password } from "../shared/password.js";
import { words } from "../shared/words.js";
import { AccountEnd } from "./account_end.js";
import { PhoneCode } from "./phone_code.js";
import { Profile } from "./profile.js";
import { words as own } from "./words.js";

/** @param {{user: import("../hub-client.js").User}} properties */
export function Account({ user }) {
  return html`<section class="profile">
    <details>
      <summary><h2>${words.profile.title}</h2></summary>
      <${Profile} user=${user} />
    </details>
    ${
      !user.phoneVerified &&
      html`<details>
        <summary><h2>${codes.proveTitle}</h2></summary>
        <${PhoneCode} />
      </details>`
    }
    <details>
      <summary><h2>${words.profile.password}</h2></summary>
      <${Password} />
    </details>
    <details>
      <summary><h2>${own.endTitle}</h2></summary>
      <${AccountEnd} />
    </details>
  </section>`;
}
