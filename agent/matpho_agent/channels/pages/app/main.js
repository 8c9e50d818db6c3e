/** The page: signing in, the frame around the conversation, language and theme. */
import { html, render, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { call, post } from "./api.js";
import { Chat } from "./chat.js";
import { EventPanel } from "./event-panel.js";
import { choose, chosen, load } from "./texts.js";

function App() {
  const [language, setLanguage] = useState(chosen());
  const [catalogue, setCatalogue] = useState(null);
  const [words, setWords] = useState({});
  const [me, setMe] = useState(undefined);
  const [notice, setNotice] = useState("");
  const [event, setEvent] = useState(null);
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
      .then(() => (setMe(null), setEvent(null), setNotice("")));
  return html`<div class="frame">
    <header class="bar">
      <img src="app/icon.svg" alt="" width="32" height="32" />
      <div class="name"><strong>${t("title")}</strong><span>${t("subtitle")}</span></div>
      <nav>
        <button type="button" class="quiet" lang=${language === "vi" ? "en" : "vi"} onClick=${switchLanguage}>${t("language")}</button>
        <button type="button" class="quiet" aria-label=${t("theme")} title=${t("theme")} onClick=${switchTheme}>◐</button>
        ${me && html`<span class="who">${me.name}</span>`}
        ${me && html`<button type="button" class="quiet" onClick=${signOut}>${t("sign_out")}</button>`}
      </nav>
    </header>
    ${me
      ? html`<${Chat} me=${me} t=${t} language=${language} open=${setEvent} learn=${setWords} signedOut=${signedOut} />`
      : html`<${SignIn} t=${t} notice=${notice} signedIn=${setMe} />`}
    ${event &&
    html`<${EventPanel} id=${event} t=${t} language=${language} open=${setEvent} close=${() => setEvent(null)} />`}
  </div>`;
}

/** @param {{t: (key: string) => string, notice: string, signedIn: (me: any) => void}} props */
function SignIn({ t, notice, signedIn }) {
  const [trouble, setTrouble] = useState(notice);
  const [busy, setBusy] = useState(false);
  const password = useRef(null);
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    setBusy(true);
    setTrouble("");
    try {
      signedIn(await post("/api/v1/auth/sign-in", { user_id: form.get("user_id"), password: form.get("password") }));
    } catch (error) {
      const known = { 401: "sign_in_failed", 429: "too_many_tries" };
      setTrouble(known[error.status] || error.message || "network");
      setBusy(false);
      password.current?.select();
    }
  };
  return html`<main class="sign-in">
    <form onSubmit=${submit}>
      <h1>${t("sign_in")}</h1>
      <label for="user_id">${t("user_id")}</label>
      <input id="user_id" name="user_id" autocomplete="username" autocapitalize="none" maxlength="64" required autofocus />
      <label for="password">${t("password")}</label>
      <input id="password" ref=${password} name="password" type="password" autocomplete="current-password" maxlength="256" required />
      ${trouble && html`<p role="alert" class="trouble">${t(trouble)}</p>`}
      <button type="submit" disabled=${busy}>${t("sign_in")}</button>
    </form>
  </main>`;
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
