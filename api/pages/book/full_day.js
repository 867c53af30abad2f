// A day that is full: one joins the waitlist, or is told that one waits already.

import { useCommand } from "../shared/command.js";
import { live } from "../shared/line.js";
import { dayAndTime } from "../shared/times.js";
import { html, useEffect, useRef, useState } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { useWaitlist } from "../waitlist/lines.js";
import { wishText, WishForm } from "../waitlist/wish.js";
import { words } from "../waitlist/words.js";

/** @typedef {import("../hub-client.js").Doctor} Doctor */
/** @typedef {import("../hub-client.js").User} User */
/** @typedef {import("../hub-client.js").WaitlistEntry} WaitlistEntry */
/** @typedef {import("../waitlist/wish.js").Days} Days */

const WISH = "clinic-hub wish"; // when one could come, while one signs in

/** `days`: for which one waits if one chooses no others; `today`: by the doctor's clock.
 *
 * @param {{user: User | null, doctor: Doctor, days: Days, today: string, onVisitor: () => void}} properties */
export function FullDay({ user, doctor, days, today, onVisitor }) {
  const entries = useWaitlist({ on: user?.role === "patient" });
  const [joined, setJoined] = useState(/** @type {WaitlistEntry | null} */ (null));
  const { busy, problem, run } = useCommand();
  const [kept] = useState(() => storedWish(doctor.id));
  const waits = entries?.find(({ doctorId }) => doctorId === doctor.id) ?? (entries?.some(({ id }) => id === joined?.id) ? null : joined);
  if (user && user.role !== "patient") return html`<p class="notice">${shared.book.patientsOnly}</p>`;
  if (user && !entries) return null; // it takes a moment to know whether one waits
  if (user && waits) return html`<${Waits} user=${user} doctor=${doctor} entry=${waits} isNew=${joined !== null} />`;
  const join = async (/** @type {Days} */ wish) => {
    if (!user) {
      sessionStorage.setItem(WISH, JSON.stringify({ doctorId: doctor.id, wish }));
      return onVisitor();
    }
    const done = await run("join_waitlist", { doctorId: doctor.id, ...wish });
    sessionStorage.removeItem(WISH);
    if (done?.entry) setJoined(done.entry);
  };
  return html`<section class="waitlist" aria-labelledby="waitlist">
    <h2 id="waitlist">${words.title}</h2>
    <p>${words.about}</p>
    ${!user && html`<p class="quiet">${shared.book.signInFirst}</p>`}
    <${WishForm} days=${kept ?? days} first=${today} submit=${words.join} busy=${busy !== ""} problem=${problem} onWish=${join} />
  </section>`;
}

/** @param {{user: User, doctor: Doctor, entry: WaitlistEntry, isNew: boolean}} properties */
function Waits({ user, doctor, entry, isNew }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const offered = useOffer(doctor);
  useEffect(() => {
    if (isNew) heading.current?.focus(); // what was clicked is gone
  }, []);
  return html`<section class="waitlist notice" aria-labelledby="waitlist">
    <h2 id="waitlist" tabindex="-1" ref=${heading}>${words.joined}</h2>
    <p>${words.waits(doctor.name, wishText(entry))}</p>
    ${entry.place && html`<p><strong>${words.place(entry.place)}</strong></p>`}
    ${!user.phoneVerified && html`<p>${words.noTexts}</p>`}
    <div role="status">${offered && html`<p><strong>${words.offeredHere(offered)}</strong></p>`}</div>
    <p><a class="button" href="/mine">${offered ? words.answer : words.toMine}</a></p>
  </section>`;
}

/** The time that is offered while one looks, in words. @param {Doctor} doctor */
function useOffer(doctor) {
  const [offered, setOffered] = useState("");
  useEffect(
    () =>
      live.hear({
        onAppointment: ({ appointment: { doctorId, start, status } }) => {
          if (doctorId === doctor.id && (status === "offered" || status === "lapsed")) setOffered(status === "offered" ? dayAndTime(start, doctor.zone) : "");
        },
      }),
    [doctor.id],
  );
  return offered;
}

/** What one has chosen before the sign-in. @param {string} doctorId @returns {Days | null} */
function storedWish(doctorId) {
  const kept = JSON.parse(sessionStorage.getItem(WISH) ?? "null");
  return kept?.doctorId === doctorId ? kept.wish : null;
}
