/** The page: signing in, the frame around the conversation, language and theme. */
import { html, render, useEffect, useState } from "../vendor/htm-preact.js";
import { call } from "./api.js";
import { Chat } from "./chat.js";
import { EventPanel } from "./event-panel.js";
import { Security } from "./security.js";
import { SecondFactor, SignIn } from "./sign-in.js";
import { forget } from "./talk.js";
import { choose, chosen, load } from "./texts.js";
import { DECIDES, useWaiting, Waiting } from "./waiting.js";

function App() {
  const [language, setLanguage] = useState(chosen());
  const [catalogues, setCatalogues] = useState(null);
  const [words, setWords] = useState({ vi: {}, en: {} });
  const [me, setMe] = useState(undefined);
  const [notice, setNotice] = useState("");
  const [event, setEvent] = useState(null);
  const [security, setSecurity] = useState(false);
  const [asked, setAsked] = useState(false);
  const inside = Boolean(me && me.second_factor !== "due" && me.second_factor !== "missing");
  const [waiting, look] = useWaiting(inside);
  useEffect(() => {
    load().then(setCatalogues);
  }, []);
  useEffect(() => {
    document.documentElement.lang = language;
    if (catalogues) document.title = catalogues[language].title;
  }, [language, catalogues]);
  useEffect(() => {
    call("/api/v1/auth/me")
      .then(setMe)
      .catch(() => setMe(null));
  }, []);
  if (!catalogues || me === undefined) return null;
  const speak = (/** @type {"vi" | "en"} */ tongue) => (/** @type {string} */ key) => catalogues[tongue][key] ?? words[tongue][key] ?? key;
  const t = speak(language);
  const learn = (/** @type {"vi" | "en"} */ tongue, /** @type {any} */ found) => setWords((all) => ({ ...all, [tongue]: found }));
  const count = waiting?.length ?? 0;
  const asks = inside && (count > 0 || DECIDES.has(me.role));
  const switchLanguage = () => {
    const other = language === "vi" ? "en" : "vi";
    choose(other);
    setLanguage(other);
  };
  const left = (/** @type {string} */ why) => {
    forget();
    setMe(null);
    setEvent(null);
    setSecurity(false);
    setAsked(false);
    setNotice(why);
  };
  const signedOut = () => left("session_ended");
  const signOut = () => call("/api/v1/auth/sign-out", { method: "POST" }).catch(() => {}).then(() => left(""));
  return html`<div class="frame">
    <header class=${asks ? "bar asked" : "bar"}>
      <img src="app/icon.svg" alt="" width="32" height="32" />
      <div class="name"><strong>${t("title")}</strong><span>${t("subtitle")}</span></div>
      <nav>
        ${asks && html`<button type="button" class=${count ? "waiting" : "quiet"} aria-label=${`${t("proposals")}: ${count}`} onClick=${() => setAsked(true)}>
          <span class="wide">${t("proposals")}</span><span class="short" aria-hidden="true">${t("proposals_short")}</span> ${count > 0 && html`<strong>${count}</strong>`}
        </button>`}
        <button type="button" class="quiet" lang=${language === "vi" ? "en" : "vi"} aria-label=${t("language")} onClick=${switchLanguage}>
          <span class="wide">${t("language")}</span><span class="short" aria-hidden="true">${language === "vi" ? "EN" : "VI"}</span>
        </button>
        <button type="button" class="quiet" aria-label=${t("theme")} title=${t("theme")} onClick=${switchTheme}>◐</button>
        ${inside && html`<button type="button" class="quiet who" aria-label=${`${me.name}: ${t("security")}`} title=${t("security")} onClick=${() => setSecurity(true)}>
          <span class="wide">${me.name}</span><span class="narrow" aria-hidden="true">⚙</span>
        </button>`}
        ${me && html`<button type="button" class="quiet" onClick=${signOut}>${t("sign_out")}</button>`}
      </nav>
    </header>
    ${inside
      ? html`<${Chat} me=${me} t=${t} speak=${speak} language=${language} open=${setEvent} learn=${learn} changed=${setMe} signedOut=${signedOut} waiting=${waiting} look=${look} />`
      : me
        ? html`<${SecondFactor} t=${t} me=${me} done=${setMe} cancel=${signOut} />`
        : html`<${SignIn} t=${t} notice=${notice} signedIn=${setMe} />`}
    ${inside && security &&
    html`<${Security} me=${me} t=${t} language=${language} changed=${setMe} close=${() => setSecurity(false)} />`}
    ${inside && asked &&
    html`<${Waiting} me=${me} waiting=${waiting ?? []} look=${look} open=${setEvent} t=${t} language=${language} changed=${setMe} close=${() => setAsked(false)} />`}
    ${event &&
    html`<${EventPanel} id=${event} t=${t} language=${language} open=${setEvent} close=${() => setEvent(null)} />`}
  </div>`;
}

function switchTheme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
}

const theme = localStorage.getItem("theme");
if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
render(html`<${App} />`, document.getElementById("app"));
