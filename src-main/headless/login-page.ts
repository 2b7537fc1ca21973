/** The page that asks for the panel's password, without a script, in English and Russian. */
import { type Language, pickLanguage } from "../../src-shared/text/language.ts";

/** Why the page is shown. */
export type LoginReason = "first" | "wrong" | "later" | "unset";

interface Texts {
  readonly title: string;
  readonly password: string;
  readonly signIn: string;
  readonly signedIn: string;
  readonly signOut: string;
  readonly toPanel: string;
  readonly reasons: Readonly<Record<LoginReason, string>>;
}

const TEXTS: Readonly<Record<Language, Texts>> = {
  en: {
    title: "HiggsNode",
    password: "Password of the panel",
    signIn: "Sign in",
    signedIn: "You are signed in.",
    signOut: "Sign out",
    toPanel: "To the panel",
    reasons: {
      first: "",
      wrong: "That is not the password. Check the keyboard layout and try again.",
      later: "Too many attempts. Wait a minute and try again.",
      unset: "No password is set on the computer that runs the node. Set one there with: higgsnode panel password",
    },
  },
  ru: {
    title: "HiggsNode",
    password: "Пароль панели",
    signIn: "Войти",
    signedIn: "Вы вошли.",
    signOut: "Выйти",
    toPanel: "К панели",
    reasons: {
      first: "",
      wrong: "Пароль не подошёл. Проверьте раскладку клавиатуры и попробуйте ещё раз.",
      later: "Слишком много попыток. Подождите минуту и попробуйте ещё раз.",
      unset: "На компьютере с узлом не задан пароль. Задайте его там командой: higgsnode panel password",
    },
  },
};

/** Where the page's style is: the content security policy allows none within the page. */
export const LOGIN_STYLE_PATH = "/login.css";

export const LOGIN_STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; min-height: 100vh; margin: 0; place-items: center; }
main { box-sizing: border-box; width: min(24rem, 100%); padding: 1.5rem; }
h1 { font-size: 1.5rem; }
form { display: grid; gap: 0.75rem; margin-block: 1rem; }
input, button { box-sizing: border-box; width: 100%; min-height: 2.75rem; padding: 0.5rem 0.75rem; font: inherit; }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
[role="alert"] { border-inline-start: 0.25rem solid #b3261e; padding-inline-start: 0.75rem; }
`;

/** The language a browser asks for (RFC 9110, section 12.5.4), of those there are. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const wanted = (acceptLanguage ?? "")
    .slice(0, 256)
    .split(",")
    .map((part, index) => {
      const [tag = "", ...parameters] = part.split(";").map((text) => text.trim());
      const q = parameters.find((text) => /^q=/i.test(text))?.slice(2);
      const weight = q === undefined ? 1 : Number(q);
      return { tag, index, weight: Number.isFinite(weight) ? weight : 0 };
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight || a.index - b.index);
  return pickLanguage(
    "system",
    wanted.map(({ tag }) => tag),
  );
}

export function loginPage(language: Language, reason: LoginReason): string {
  const { password, signIn, reasons } = TEXTS[language];
  const alert = reasons[reason] === "" ? "" : `<p role="alert">${reasons[reason]}</p>`;
  return page(
    language,
    `${alert}<form method="post" action="/login">
<label for="password">${password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<button>${signIn}</button>
</form>`,
  );
}

/** For whoever is signed in already: the way on, and the way out. */
export function signedInPage(language: Language): string {
  const { signedIn, signOut, toPanel } = TEXTS[language];
  return page(
    language,
    `<p>${signedIn} <a href="/">${toPanel}</a></p>
<form method="post" action="/logout"><button>${signOut}</button></form>`,
  );
}

function page(language: Language, body: string): string {
  const { title } = TEXTS[language];
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="stylesheet" href="${LOGIN_STYLE_PATH}"></head>
<body><main><h1>${title}</h1>
${body}
</main></body></html>
`;
}
