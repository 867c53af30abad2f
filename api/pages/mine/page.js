// A patient's own appointments and profile.

import { open } from "../shared/frame.js";
import { html, useLater } from "../shared/ui.js";
import { words } from "../shared/words.js";
import { Appointments } from "./appointments.js";

/** @param {{user: import("../hub-client.js").User | null}} properties */
function Mine({ user }) {
  const account = useLater(() => import("./account.js"));
  if (!user) return null;
  return html`
    <h1>${words.mine.title}</h1>
    <${Appointments} />
    ${account && html`<${account.Account} user=${user} />`}
  `;
}

await open(Mine, { roles: ["patient"] });
