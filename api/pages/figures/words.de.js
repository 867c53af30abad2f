// The words of the figures, in German. The hub sends them as words.js to who reads German.

/** @type {typeof import("./words.js").words} */
export const words = {
  all: "Alle Monate",
  others: "Andere Monate",
  before: "Vorheriger Monat",
  after: "Nächster Monat",
  thisMonth: "Dieser Monat",
  empty: (month) => `Keine Termine im ${month}.`,
  emptyHint: "Wählen Sie einen anderen Monat oder alle Monate.",
  never: "Sie haben noch keine Termine. Mit dem ersten kommen die Zahlen.",
  sums: { title: "Kurz gefasst", total: "Termine", completed: "Erledigt", missed: "Versäumt", cancelled: "Abgesagt", ahead: "Stehen noch an", wait: "Wartezeit, Median" },
  rate: {
    missed: (rate) => `${rate} der vergangenen`,
    cancelled: (rate) => `${rate} von allen`,
    wait: (count) => (count === 1 ? "bei 1 Besuch" : `bei ${count} Besuchen`),
  },
  charts: {
    weeks: "Termine nach Woche",
    weekdays: "Termine nach Wochentag",
    hours: "Termine nach Uhrzeit",
    leads: "Wie lange vorher gebucht wurde",
    waits: "Wartezeit nach Uhrzeit des Termins",
    offers: "Angebote von der Warteliste",
  },
  columns: { weeks: "Woche ab", weekdays: "Wochentag", hours: "Stunde", leads: "Gebucht vor dem Beginn", waits: "Stunde", offers: "Antwort" },
  series: { completed: "Erledigt", missed: "Versäumt", cancelled: "Abgesagt", ahead: "Stehen noch an", appointments: "Termine", offers: "Angebote", median: "Median (Minuten)", p90: "9 von 10 höchstens (Minuten)", count: "Besuche", total: "Alle" },
  leads: (from, to) => (to === null ? `ab ${from}` : from === null ? `unter ${to}` : `${from}–${to}`),
  leadSummary: (median) => `Die Hälfte wurde ${median} oder mehr vorher gebucht.`,
  offers: { taken: "Ja", declined: "Nein", lapsed: "Keine", open: "Offen" },
  fillSummary: (count, median) =>
    count === 1 ? `1 Zeit wurde genommen; seit dem ersten Angebot: ${median}.` : `${count} Zeiten wurden genommen; die Hälfte innerhalb dieser Zeit seit dem ersten Angebot: ${median}.`,
  units: { minute: ["Minute", "Minuten"], hour: ["Stunde", "Stunden"], day: ["Tag", "Tage"] },
  shortUnits: { minute: ["Min.", "Min."], hour: ["Std.", "Std."], day: ["Tag", "Tage"] },
  chart: (column, value) => `Balkendiagramm. Der höchste Balken: ${column}, ${value}. Alle Werte stehen in der Tabelle darunter.`,
  minutes: (number) => `${number} min`,
  table: "Tabelle",
  tableOf: (title) => `Tabelle: ${title}`,
};
