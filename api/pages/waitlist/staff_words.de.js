// The words of the waitlist for the clinic's people, in German. The hub sends them as staff_words.js to who reads German.

/** @type {typeof import("./staff_words.js").words} */
export const words = {
  title: "Warteliste",
  count: (doctor, number) => `${doctor} (${number})`,
  nobody: "Niemand wartet.",
  line: (doctor) => `Es warten auf ${doctor}`,
  offered: (when, until) => `Angeboten: ${when}, bis ${until} Uhr`,
  offer: "Zeit anbieten…",
  offerHint: "Das Angebot geht außer der Reihe, und im Verlauf steht, von wem es kam.",
  offeredNow: (name, when) => `${name} bekommt ein Angebot: ${when}.`,
  remove: "Streichen",
  removed: (name) => `${name} steht nicht mehr auf der Warteliste.`,
  choose: "Freie Zeit wählen",
  keep: "Nichts anbieten",
  add: "Auf die Warteliste setzen",
  adding: (name) => `${name} wartet auf`,
  joined: (name, doctor, place) => `${name} wartet auf ${doctor}, an Stelle ${place}.`,
};
