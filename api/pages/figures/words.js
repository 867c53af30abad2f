// The words of the figures, in English. The hub sends words.de.js instead to who reads German.

export const words = {
  all: "All months",
  others: "Other months",
  before: "Previous month",
  after: "Next month",
  thisMonth: "This month",
  empty: (/** @type {string} */ month) => `No appointments in ${month}.`,
  emptyHint: "Choose another month, or all months.",
  never: "You have no appointments yet. The figures come with the first one.",
  sums: { title: "In short", total: "Appointments", completed: "Done", missed: "Missed", cancelled: "Cancelled", ahead: "Still to come", wait: "Wait, median" },
  rate: {
    missed: (/** @type {string} */ rate) => `${rate} of those that ended`,
    cancelled: (/** @type {string} */ rate) => `${rate} of all`,
    wait: (/** @type {number} */ count) => (count === 1 ? "of 1 visit" : `of ${count} visits`),
  },
  charts: {
    weeks: "Appointments by week",
    weekdays: "Appointments by weekday",
    hours: "Appointments by hour",
    leads: "How long before they were booked",
    waits: "Waiting time by hour of the appointment",
    offers: "Offers from the waitlist",
  },
  columns: { weeks: "Week from", weekdays: "Weekday", hours: "Hour", leads: "Booked before the start", waits: "Hour", offers: "Answer" },
  series: { completed: "Done", missed: "Missed", cancelled: "Cancelled", ahead: "Still to come", appointments: "Appointments", offers: "Offers", median: "Median (minutes)", p90: "9 of 10 at most (minutes)", count: "Visits", total: "All" },
  leads: (/** @type {string | null} */ from, /** @type {string | null} */ to) =>
    to === null ? `from ${from}` : from === null ? `under ${to}` : `${from}–${to}`,
  leadSummary: (/** @type {string} */ median) => `Half of them were booked ${median} or more before.`,
  offers: { taken: "Taken", declined: "Passed", lapsed: "None", open: "Open" },
  fillSummary: (/** @type {number} */ count, /** @type {string} */ median) =>
    count === 1 ? `1 slot was taken, ${median} after the first offer.` : `${count} slots were taken, half of them within ${median} of the first offer.`,
  units: { minute: ["minute", "minutes"], hour: ["hour", "hours"], day: ["day", "days"] },
  shortUnits: { minute: ["min", "min"], hour: ["h", "h"], day: ["d", "d"] },
  chart: (/** @type {string} */ column, /** @type {string} */ value) => `Bar chart. The highest bar: ${column}, ${value}. The table below has all values.`,
  minutes: (/** @type {number} */ number) => `${number} min`,
  table: "Table",
  tableOf: (/** @type {string} */ title) => `Table: ${title}`,
};
