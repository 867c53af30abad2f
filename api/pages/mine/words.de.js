// The words of a patient's own page that no other page has, in German. The hub sends them as words.js to who reads German.

/** @type {typeof import("./words.js").words} */
export const words = {
  endTitle: "Konto löschen",
  endWhat: "Damit werden Ihre kommenden Termine abgesagt. Name, E-Mail, Telefon, Bild, Nachrichten und was Sie zu Ihren Besuchen geschrieben haben, werden entfernt. Die Praxis behält nur, dass es Termine gab.",
  endNoWay: "Das lässt sich nicht rückgängig machen. Sie können sich später neu registrieren, mit einem neuen Konto.",
  endPassword: "Passwort dieses Kontos",
  end: "Konto löschen",
  sureTitle: "Alles für immer löschen?",
  sure: "Ja, alles löschen",
  keep: "Konto behalten",
  ended: "Ihr Konto ist gelöscht. Ihre Termine sind abgesagt.",
  wrong: "Das ist nicht Ihr Passwort.",
};
