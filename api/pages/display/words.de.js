// The words of the display, in German. The hub sends them as words.js to who reads German.

/** @type {typeof import("./words.js").words} */
export const words = {
  title: "Bitte eintreten",
  nobody: "Bitte warten Sie, bis Sie aufgerufen werden.",
  ended: "Diese Anzeige ist abgeschaltet",
  endedWhy: "Am Empfang wird ein neuer Link gemacht.",
};
