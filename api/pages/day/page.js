// A doctor's day: who is next, who has arrived, and the buttons for what happens.

import { open } from "../shared/frame.js";
import { live } from "../shared/line.js";
import { dayOf, foreignZone } from "../shared/times.js";
import { html, Problem, Skeleton, useEffect, useLater, useState } from "../shared/ui.js";
import { words as shared } from "../shared/words.js";
import { halfHours, holders, isFree, isGone, useBoard, useNow } from "../staff/board.js";
import { DayHead, useDay } from "../staff/days.js";
import { words } from "../staff/words.js";
import { List } from "./list.js";
import { NowAndNext, useNews } from "./now.js";

/** @typedef {import("../staff/board.js").DoctorDay} DoctorDay */

/** @param {{user: import("../hub-client.js").User | null}} properties */
function Day({ user }) {
  const zone = user?.zone ?? "UTC";
  const [date, go] = useDay(zone);
  const schedule = useSchedule();
  const { board, problem } = useBoard(date);
  const hours = useLater(() => import("./hours.js")); // it is drawn below the list
  const lines = useLater(() => import("../waitlist/line.js"));
  const now = useNow();
  const today = dayOf(now, zone);
  const day = board?.doctors[0];
  const foreign = foreignZone(`${date}T12:00:00Z`, zone);
  useNews(day ?? null, date === today);
  return html`
    <${DayHead} day=${date} today=${today} onDay=${go}>
      <button type="button" class="secondary" onClick=${() => globalThis.print()}>${words.day.print}</button>
    </>
    ${foreign && html`<p class="quiet">${shared.frame.zone(foreign)}</p>`}
    <${Problem}>${problem}</>
    ${day ? html`<${Shown} key=${date} day=${day} now=${now} isToday=${date === today} />` : !problem && html`<${Skeleton} lines=${8} />`}
    ${lines && user && html`<${lines.OwnLine} doctorId=${user.id} offers=${[...(day?.appointments.values() ?? [])].filter(({ status }) => status === "offered")} />`}
    ${hours && schedule && html`<${hours.Hours} date=${date} zone=${zone} schedule=${schedule} />`}
  `;
}

/** The hours and the time off of the doctor; null until the hub has told them. */
function useSchedule() {
  const [schedule, setSchedule] = useState(/** @type {import("../hub-client.js").Schedule | null} */ (null));
  useEffect(
    () =>
      live.hear({
        onSnapshot: (_appointments, _position, calendar) => calendar && setSchedule(calendar),
        onCalendar: ({ calendar }) => setSchedule(calendar),
      }),
    [],
  );
  return schedule;
}

/** @param {{day: DoctorDay, now: number, isToday: boolean}} properties */
function Shown({ day, now, isToday }) {
  const held = holders(day);
  const free = halfHours(day, held).filter((start) => !isTaken(held.get(start)) && isFree(day, start, now));
  const shown = [...day.appointments.values()].sort(byStart);
  const cancelled = shown.filter(isGone);
  const others = shown.filter((each) => !isGone(each));
  const offered = others.filter(({ status }) => status === "offered");
  return html`
    <p class="quiet">${words.day.count(others.length - offered.length, free.length)}${offered.length > 0 && words.day.offered(offered.length)}</p>
    ${isToday && html`<${NowAndNext} appointments=${others} zone=${day.zone} now=${now} />`}
    ${others.length ? html`<${List} appointments=${others} zone=${day.zone} now=${now} />` : html`<p class="notice">${words.day.empty}</p>`}
    ${isToday && others.some(({ status }) => status === "no_show") && html`<p class="quiet">${words.day.missed}</p>`}
    ${cancelled.length > 0 &&
    html`<details class="cancelled">
      <summary>${words.day.cancelled(cancelled.length)}</summary>
      <${List} appointments=${cancelled} zone=${day.zone} now=${now} quiet=${true} />
    </details>`}
  `;
}

/** @param {import("../hub-client.js").Appointment | undefined} appointment */
function isTaken(appointment) {
  return appointment !== undefined && appointment.status !== "no_show";
}

/** @param {import("../hub-client.js").Appointment} one @param {import("../hub-client.js").Appointment} other */
function byStart(one, other) {
  return one.start < other.start ? -1 : one.start > other.start ? 1 : one.id < other.id ? -1 : 1;
}

await open(Day, { roles: ["doctor"] });
