/** The page: signing in, the frame around the conversation, language and theme. */
import { html, render, useEffect, useState } from "../vendor/htm-preact.js";
import { call } from "./api.js";
import { Chat } from "./chat.js";
import { EventPanel } from "./event-panel.js";
import { Security } from "./security.js";
import { SecondFactor, SignIn } from "./sign-in.js";
import { choose, chosen, load } from "./texts.js";

function App() {
  const [language, setLanguage] = useState(chosen());
  const [catalogue, setCatalogue] = useState(null);
  const [words, setWords] = useState({});
  const [me, setMe] = useState(undefined);
  const [notice, setNotice] = useState("");
  const [event, setEvent] = useState(null);
  const [security, setSecurity] = useState(false);
  useEffect(() => {
    load(language).then((found) => setCatalogue(() => found));
  }, [language]);
  useEffect(() => {
    call("/api/v1/auth/me")
      .then(setMe)
      .catch(() => setMe(null));
  }, []);
  if (!catalogue || me === undefined) return null;
  const t = (/** @type {string} */ key) => {
    const found = catalogue(key);
    return found === key ? (words[key] ?? key) : found;
  };
  const switchLanguage = () => {
    const other = language === "vi" ? "en" : "vi";
    choose(other);
    setLanguage(other);
  };
  const signedOut = () => {
    setMe(null);
    setEvent(null);
    setNotice("session_ended");
  };
  const signOut = () =>
    call("/api/v1/auth/sign-out", { method: "POST" })
      .catch(() => {})
      .then(() => (setMe(null), setEvent(null), setSecurity(false), setNotice("")));
  const inside = me && me.second_factor !== "due" && me.second_factor !== "missing";
  return html`<div class="frame">
    <header class="bar">
      <img src="app/icon.svg" alt="" width="32" height="32" />
      <div class="name"><strong>${t("title")}</strong><span>${t("subtitle")}</span></div>
      <nav>
        <button type="button" class="quiet" lang=${language === "vi" ? "en" : "vi"} onClick=${switchLanguage}>${t("language")}</button>
        <button type="button" class="quiet" aria-label=${t("theme")} title=${t("theme")} onClick=${switchTheme}>◐</button>
        ${inside && html`<button type="button" class="quiet who" aria-label=${`${me.name}: ${t("security")}`} title=${t("security")} onClick=${() => setSecurity(true)}>
          <span class="wide">${me.name}</span><span class="narrow" aria-hidden="true">⚙</span>
        </button>`}
        ${me && html`<button type="button" class="quiet" onClick=${signOut}>${t("sign_out")}</button>`}
      </nav>
    </header>
    ${inside
      ? html`<${Chat} me=${me} t=${t} language=${language} open=${setEvent} learn=${setWords} changed=${setMe} signedOut=${signedOut} />`
      : me
        ? html`<${SecondFactor} t=${t} me=${me} done=${setMe} cancel=${signOut} />`
        : html`<${SignIn} t=${t} notice=${notice} signedIn=${setMe} />`}
    ${inside && security &&
    html`<${Security} me=${me} t=${t} language=${language} changed=${setMe} close=${() => setSecurity(false)} />`}
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
