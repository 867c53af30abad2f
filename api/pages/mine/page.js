// A patient's own appointments and profile.

import { open } from "../shared/frame.js";
import { html } from "../shared/ui.js";
import { words as codes } from "../codes/words.js";
import { words } from "../shared/words.js";
import { Appointments } from "./appointments.js";
import { PhoneCode } from "./phone_code.js";
import { Password, Profile } from "./profile.js";

/** @param {{user: import("../hub-client.js").User | null}} properties */
function Mine({ user }) {
  if (!user) return null;
  return html`
    <h1>${words.mine.title}</h1>
    <${Appointments} />
    <section class="profile">
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
    </section>
  `;
}

await open(Mine, { roles: ["patient"] });
