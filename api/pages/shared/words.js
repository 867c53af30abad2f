// All words of the pages, in English and German. A page takes them from `words`.

const en = {
  languageName: "English",
  book: {
    title: "Book an appointment",
    doctor: "Doctor",
    day: "Day",
    earlierDays: "Earlier days",
    laterDays: "Later days",
    freeOn: (/** @type {string} */ day) => `Free times on ${day}`,
    free: (/** @type {number} */ number) => `${number} free`,
    full: "full",
    closed: "closed",
    none: "No free times on this day.",
    next: (/** @type {string} */ day) => `Go to ${day}`,
    noneSoon: "This doctor has no free times in the next two months. Please choose another doctor, or call the clinic.",
    noDoctors: "There is nobody to book with yet. Please call the clinic.",
    yours: "Your appointment",
    with: (/** @type {string} */ doctor) => `with ${doctor}`,
    reason: "Reason (optional)",
    submit: "Book",
    signInFirst: "You will be asked to sign in or sign up. Your choice is kept.",
    patientsOnly: "You are signed in as staff. Patients book for themselves here.",
    done: "You are booked",
    calendar: "Add to calendar",
    another: "Book another appointment",
    all: "See my appointments",
    gone: (/** @type {string} */ time) => `${time} has just been taken. Please choose another time.`,
    pick: "Choose a time to go on.",
  },
  mine: {
    title: "My appointments",
    list: "Appointments",
    past: "Past and cancelled",
    empty: "You have no appointments.",
    none: "There is nothing here.",
    confirm: "Confirm",
    move: "Move",
    cancel: "Cancel",
    keep: "Keep it as it is",
    moveTo: "Choose a new time",
    confirmed: "Confirmed. Thank you.",
    moved: (/** @type {string} */ when) => `Moved to ${when}.`,
    cancelled: (/** @type {string} */ when) => `The appointment on ${when} is cancelled.`,
    again: "Book it again",
    bookedAgain: "Booked again.",
    reason: "Reason",
    status: { scheduled: "Not confirmed yet", confirmed: "Confirmed", cancelled: "Cancelled", completed: "Done", no_show: "Missed" },
    changed: (/** @type {string} */ when) => `The clinic has changed your appointment: ${when}.`,
  },
  profile: {
    title: "Profile",
    saved: "Saved.",
    save: "Save",
    texts: "Text messages that you want",
    kinds: { booked: "when you have booked", reminder: "as a reminder", rescheduled: "when an appointment is moved", cancelled: "when an appointment is cancelled" },
    textLanguage: "Language of the text messages",
    password: "Change the password",
    current: "Current password",
    fresh: "New password",
    change: "Change password",
    changed: "The password is changed. Other devices are signed out.",
  },
  account: {
    signIn: "Sign in",
    signUp: "Sign up",
    signOut: "Sign out",
    email: "E-mail",
    password: "Password",
    name: "Name",
    phone: "Phone",
    phoneHint: "With the code of the country, such as +1 202 555 0123. You get reminders there.",
    passwordHint: "At least 8 characters.",
    noAccount: "No account yet?",
    haveAccount: "Do you have an account?",
    firstPassword: "Choose your own password",
    firstPasswordWhy: "You have signed in with a first password. Please choose one that only you know.",
    setPassword: "Set password",
    signedInAs: (/** @type {string} */ name) => `Signed in as ${name}`,
    ended: "You have been signed out.",
  },
  home: {
    welcome: (/** @type {string} */ clinic) => `Welcome to ${clinic}`,
    about: "Choose a doctor and a free time. It takes a minute, and you can move or cancel the appointment later.",
    staff: "You are signed in.",
  },
  missing: { title: "Page not found", about: "There is nothing at this address.", home: "Go to the start page" },
  frame: {
    skip: "Skip to the content",
    main: "Main",
    language: "Language",
    loading: "Loading",
    lost: "No connection. Trying again. What you see may be out of date.",
    back: "Connected again.",
    forbidden: "This page is not for your account.",
    zone: (/** @type {string} */ zone) => `Time zone: ${zone}`,
  },
  errors: {
    slot_taken: "That time has just been taken.",
    patient_busy: "You have another appointment at that time.",
    wrong_status: "The appointment has changed in the meantime.",
    too_early: "It is too early for this.",
    doctor_unavailable: "This doctor accepts no new appointments.",
    outside_hours: "The doctor does not work at that time any more.",
    in_the_past: "That time has passed.",
    too_far_ahead: "That is too far ahead.",
    invalid_credentials: "The e-mail address or the password is wrong.",
    email_taken: "There is an account with this e-mail address.",
    phone_taken: "There is an account with this phone number.",
    too_many_requests: "Too many attempts. Please wait a little.",
    not_found: "It does not exist any more.",
    no_answer: "The clinic's server does not answer. Please try again.",
    unavailable: "The clinic's server does not answer. Please try again.",
    try_again: "The clinic's server does not answer. Please try again.",
    internal: "Something went wrong. Please try again.",
    fields: {
      name: "Please write your name.",
      email: "This is not an e-mail address.",
      phone: "This is not a phone number with the code of its country.",
      password: "The password has to have 8 to 72 characters.",
      current: "This is not the current password.",
      new: "The password has to have 8 to 72 characters, and to be a new one.",
    },
  },
};

/** @type {typeof en} */
const de = {
  languageName: "Deutsch",
  book: {
    title: "Termin buchen",
    doctor: "Arzt oder Ärztin",
    day: "Tag",
    earlierDays: "Frühere Tage",
    laterDays: "Spätere Tage",
    freeOn: (day) => `Freie Zeiten am ${day}`,
    free: (number) => `${number} frei`,
    full: "belegt",
    closed: "zu",
    none: "An diesem Tag ist nichts mehr frei.",
    next: (day) => `Weiter zu ${day}`,
    noneSoon: "In den nächsten zwei Monaten ist hier nichts frei. Bitte wählen Sie jemand anderen, oder rufen Sie uns an.",
    noDoctors: "Noch kann man bei niemandem buchen. Bitte rufen Sie uns an.",
    yours: "Ihr Termin",
    with: (doctor) => `bei ${doctor}`,
    reason: "Grund (freiwillig)",
    submit: "Buchen",
    signInFirst: "Sie werden gebeten, sich anzumelden oder zu registrieren. Ihre Auswahl bleibt erhalten.",
    patientsOnly: "Sie sind als Mitarbeitende angemeldet. Hier buchen Patienten für sich selbst.",
    done: "Ihr Termin ist gebucht",
    calendar: "In den Kalender",
    another: "Noch einen Termin buchen",
    all: "Meine Termine ansehen",
    gone: (time) => `${time} Uhr wurde gerade vergeben. Bitte wählen Sie eine andere Zeit.`,
    pick: "Wählen Sie eine Zeit, um fortzufahren.",
  },
  mine: {
    title: "Meine Termine",
    list: "Termine",
    past: "Vergangene und abgesagte",
    empty: "Sie haben keine Termine.",
    none: "Hier ist nichts.",
    confirm: "Bestätigen",
    move: "Verschieben",
    cancel: "Absagen",
    keep: "So lassen",
    moveTo: "Neue Zeit wählen",
    confirmed: "Bestätigt. Vielen Dank.",
    moved: (when) => `Verschoben auf ${when}.`,
    cancelled: (when) => `Der Termin am ${when} ist abgesagt.`,
    again: "Wieder buchen",
    bookedAgain: "Wieder gebucht.",
    reason: "Grund",
    status: { scheduled: "Noch nicht bestätigt", confirmed: "Bestätigt", cancelled: "Abgesagt", completed: "Erledigt", no_show: "Versäumt" },
    changed: (when) => `Die Praxis hat Ihren Termin geändert: ${when}.`,
  },
  profile: {
    title: "Profil",
    saved: "Gespeichert.",
    save: "Speichern",
    texts: "Textnachrichten, die Sie möchten",
    kinds: { booked: "wenn Sie gebucht haben", reminder: "zur Erinnerung", rescheduled: "wenn ein Termin verschoben wird", cancelled: "wenn ein Termin abgesagt wird" },
    textLanguage: "Sprache der Textnachrichten",
    password: "Passwort ändern",
    current: "Bisheriges Passwort",
    fresh: "Neues Passwort",
    change: "Passwort ändern",
    changed: "Das Passwort ist geändert. Andere Geräte sind abgemeldet.",
  },
  account: {
    signIn: "Anmelden",
    signUp: "Registrieren",
    signOut: "Abmelden",
    email: "E-Mail",
    password: "Passwort",
    name: "Name",
    phone: "Telefon",
    phoneHint: "Mit der Vorwahl des Landes, etwa +49 30 901820. Dort werden Sie erinnert.",
    passwordHint: "Mindestens 8 Zeichen.",
    noAccount: "Noch kein Konto?",
    haveAccount: "Haben Sie schon ein Konto?",
    firstPassword: "Eigenes Passwort wählen",
    firstPasswordWhy: "Sie haben sich mit einem ersten Passwort angemeldet. Bitte wählen Sie eines, das nur Sie kennen.",
    setPassword: "Passwort setzen",
    signedInAs: (name) => `Angemeldet als ${name}`,
    ended: "Sie wurden abgemeldet.",
  },
  home: {
    welcome: (clinic) => `Willkommen bei ${clinic}`,
    about: "Wählen Sie, zu wem und wann. Es dauert eine Minute, und Sie können den Termin später verschieben oder absagen.",
    staff: "Sie sind angemeldet.",
  },
  missing: { title: "Seite nicht gefunden", about: "Unter dieser Adresse gibt es nichts.", home: "Zur Startseite" },
  frame: {
    skip: "Zum Inhalt springen",
    main: "Hauptmenü",
    language: "Sprache",
    loading: "Wird geladen",
    lost: "Keine Verbindung. Es wird weiter versucht. Die Angaben können veraltet sein.",
    back: "Wieder verbunden.",
    forbidden: "Diese Seite ist nicht für Ihr Konto.",
    zone: (zone) => `Zeitzone: ${zone}`,
  },
  errors: {
    slot_taken: "Diese Zeit wurde gerade vergeben.",
    patient_busy: "Sie haben zu dieser Zeit einen anderen Termin.",
    wrong_status: "Der Termin hat sich inzwischen geändert.",
    too_early: "Dafür ist es noch zu früh.",
    doctor_unavailable: "Hier werden keine neuen Termine angenommen.",
    outside_hours: "Zu dieser Zeit ist keine Sprechstunde mehr.",
    in_the_past: "Diese Zeit ist schon vorbei.",
    too_far_ahead: "Das ist zu weit in der Zukunft.",
    invalid_credentials: "Die E-Mail-Adresse oder das Passwort stimmt nicht.",
    email_taken: "Es gibt schon ein Konto mit dieser E-Mail-Adresse.",
    phone_taken: "Es gibt schon ein Konto mit dieser Telefonnummer.",
    too_many_requests: "Zu viele Versuche. Bitte warten Sie etwas.",
    not_found: "Das gibt es nicht mehr.",
    no_answer: "Der Server der Praxis antwortet nicht. Bitte versuchen Sie es noch einmal.",
    unavailable: "Der Server der Praxis antwortet nicht. Bitte versuchen Sie es noch einmal.",
    try_again: "Der Server der Praxis antwortet nicht. Bitte versuchen Sie es noch einmal.",
    internal: "Etwas ist schiefgegangen. Bitte versuchen Sie es noch einmal.",
    fields: {
      name: "Bitte schreiben Sie Ihren Namen.",
      email: "Das ist keine E-Mail-Adresse.",
      phone: "Das ist keine Telefonnummer mit der Vorwahl ihres Landes.",
      password: "Das Passwort muss 8 bis 72 Zeichen haben.",
      current: "Das ist nicht das bisherige Passwort.",
      new: "Das Passwort muss 8 bis 72 Zeichen haben und ein neues sein.",
    },
  },
};

const LANGUAGES = { en, de };
const YEAR = 365 * 24 * 60 * 60; // seconds

/** @typedef {keyof typeof LANGUAGES} Language */

/** The language of this page, which the hub has chosen: that of the browser, or that of `speak`. */
export const language = /** @type {Language} */ (document.documentElement.lang === "de" ? "de" : "en");

export const words = LANGUAGES[language];

/** The languages with their names. */
export const languages = /** @type {[Language, string][]} */ (Object.entries(LANGUAGES).map(([code, { languageName }]) => [code, languageName]));

/** The name of the clinic. */
export const clinic = /** @type {HTMLMetaElement} */ (document.querySelector("meta[name=clinic]")).content;

/** Show the pages in a language from now on. The hub reads the cookie.
 *
 * @param {Language} chosen */
export function speak(chosen) {
  document.cookie = `clinic-hub-language=${chosen}; Path=/; Max-Age=${YEAR}; SameSite=Lax`;
  location.reload();
}

/** An error in the reader's language; in the hub's words if there are no others.
 *
 * @param {{code: string, message?: string}} error */
export function errorText({ code, message }) {
  const known = /** @type {Record<string, unknown>} */ (words.errors)[code];
  return typeof known === "string" ? known : message || words.errors.internal;
}
