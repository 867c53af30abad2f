// The words of the waitlist for the clinic's people, in English. The hub sends staff_words.de.js instead to who reads German.

export const words = {
  title: "Waitlist",
  count: (/** @type {string} */ doctor, /** @type {number} */ number) => `${doctor} (${number})`,
  nobody: "Nobody waits.",
  line: (/** @type {string} */ doctor) => `Waiting for ${doctor}`,
  offered: (/** @type {string} */ when, /** @type {string} */ until) => `Offered: ${when}, until ${until}`,
  offer: "Offer a time…",
  offerHint: "It is offered out of turn, and the history says that you did it.",
  offeredNow: (/** @type {string} */ name, /** @type {string} */ when) => `${name} is offered ${when}.`,
  remove: "Take out",
  removed: (/** @type {string} */ name) => `${name} is taken off the waitlist.`,
  choose: "Choose a free time",
  keep: "Offer nothing",
  add: "Put on the waitlist",
  adding: (/** @type {string} */ name) => `${name} waits for`,
  joined: (/** @type {string} */ name, /** @type {string} */ doctor, /** @type {number} */ place) => `${name} waits for ${doctor}, at place ${place}.`,
};
