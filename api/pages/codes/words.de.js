// The words of codes by text and of the rules for passwords, in German. The hub sends them as words.js to who reads German.

/** @type {typeof import("./words.js").words} */
export const words = {
  forgottenHow: "Ein Code für ein neues Passwort kommt auf das Telefon Ihres Kontos, wenn Sie es bestätigt haben.",
  sendCode: "Code senden",
  code: "Code",
  passwordSet: "Sie haben ein neues Passwort",
  proveTitle: "Telefon bestätigen",
  notProven: "Textnachrichten bekommen Sie nur auf ein Telefon, das Sie bestätigt haben. Fordern Sie einen Code an, und tragen Sie ihn hier ein.",
  prove: "Telefon bestätigen",
  proven: "Ihr Telefon ist bestätigt.",
  toPhone: "Ein Code ist unterwegs zu Ihrem Telefon. Er gilt zehn Minuten.",
  ifThereIs: "Wenn es so ein Konto mit bestätigtem Telefon gibt, ist ein Code dorthin unterwegs. Er gilt zehn Minuten.",
  signUpSent: (phone) =>
    `Wenn weder das Telefon noch die E-Mail-Adresse schon ein Konto hat, ist ein Code unterwegs zu ${phone}. Er gilt zehn Minuten.`,
  createAccount: "Konto anlegen",
  noText: "Keine Textnachricht?",
  noTextHow: "Sie kann ein, zwei Minuten brauchen. Sehen Sie nach, ob die Nummer stimmt, und fordern Sie einen neuen Code an. Nur der letzte Code gilt.",
  sendNewCode: "Neuen Code senden",
  newCodeSent: "Ein neuer Code ist unterwegs. Nur dieser gilt jetzt.",
  correct: "Angaben berichtigen",
  perhapsAccount: "Haben Sie schon ein Konto, oder ist nach dem Code die Verbindung abgebrochen?",
  appCode: "Ihre Authenticator-App zeigt ihn. Sie können auch einen Wiederherstellungscode schreiben.",
  wrongAppCode: "Das ist nicht der Code, oder er wurde schon benutzt. Warten Sie auf den nächsten.",
  rules: {
    common_password: "Dieses Passwort haben viele, daher wird es zuerst versucht. Wählen Sie ein anderes.",
    personal_password: "Ein Name oder eine Adresse ist kein Passwort. Wählen Sie ein anderes.",
    wrong_code: "Das ist nicht der Code, oder er gilt nicht mehr. Nach fünf Versuchen oder zehn Minuten fordern Sie einen neuen an.",
  },
};
