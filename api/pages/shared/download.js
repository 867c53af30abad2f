// Files that only who is signed in may have: a plain link would not send the access token.

import { HubError } from "../hub-client.js";
import { session } from "./session.js";

/** Save a file of the hub under a name. Throws a HubError.
 *
 * @param {string} path @param {string} name */
export async function download(path, name) {
  const token = session.accessToken;
  let response = await ask(path);
  if (response.status === 401) {
    await session.renew(token);
    response = await ask(path);
  }
  if (!response.ok) throw new HubError("unavailable", `HTTP ${response.status}`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // when the browser has surely taken it
}

/** @param {string} path */
async function ask(path) {
  try {
    return await fetch(path, { headers: { Authorization: `Bearer ${session.accessToken}` } });
  } catch (error) {
    throw new HubError("no_answer", String(error));
  }
}
