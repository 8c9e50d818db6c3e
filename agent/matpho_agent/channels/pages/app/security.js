/** One's own sign-in: where one is signed in, passkeys and the code generator. */
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { call, troubleOf } from "./api.js";
import { registerPasskey } from "./passkey.js";
import { StepUp } from "./sign-in.js";
import { when } from "./texts.js";

const AUTH = "/api/v1/auth";

/** A browser's own long name, as a person would say it. @param {string} device */
function browserName(device) {
  const name = device.match(/(Firefox|Edg|OPR|Chrome|Safari)/)?.[1] ?? "";
  const system = device.match(/(Android|iPhone|iPad|Windows|Mac OS X|Linux)/)?.[1] ?? "";
  return [{ Edg: "Edge", OPR: "Opera" }[name] ?? name, system].filter(Boolean).join(", ");
}

/** @param {{me: any, t: (key: string) => string, language: "vi" | "en", changed: (me: any) => void, close: () => void}} props */
export function Security({ me, t, language, changed, close }) {
  const dialog = useRef(null);
  const [sessions, setSessions] = useState([]);
  const [passkeys, setPasskeys] = useState([]);
  const [ways, setWays] = useState({ passkeys: false });
  const [trouble, setTrouble] = useState("");
  const [after, setAfter] = useState(null);
  const reload = async () => {
    setSessions(await call(`${AUTH}/sessions`));
    setPasskeys(await call(`${AUTH}/passkeys`));
    setWays(await call(`${AUTH}/ways`));
    changed(await call(`${AUTH}/me`));
  };
  useEffect(() => {
    if (dialog.current && !dialog.current.open) dialog.current.showModal();
    reload().catch((error) => setTrouble(troubleOf(error, t)));
  }, []);
  const act = async (/** @type {() => Promise<any>} */ what) => {
    setTrouble("");
    try {
      await what();
      await reload();
    } catch (error) {
      if (error.code === "step_up") setAfter(() => what);
      else setTrouble(error.name === "NotAllowedError" ? "passkey_not_shown" : troubleOf(error, t));
    }
  };
  const remove = (/** @type {string} */ path) => () => act(() => call(`${AUTH}/${path}`, { method: "DELETE" }));
  const shown = async (/** @type {any} */ now) => {
    const what = after;
    changed(now);
    setAfter(null);
    await act(what);
  };
  return html`<dialog ref=${dialog} class="panel" aria-labelledby="security-title" onClose=${close}>
    <header>
      <h2 id="security-title">${t("security")}</h2>
      <button type="button" class="quiet" onClick=${() => dialog.current.close()}>${t("close")}</button>
    </header>
    ${after
      ? html`<${StepUp} t=${t} me=${me} done=${shown} cancel=${() => setAfter(null)} />`
      : html`${trouble && html`<p role="alert" class="trouble">${t(trouble)}</p>`}
          ${(ways.passkeys || passkeys.length > 0) && html`<h3>${t("passkeys")}</h3>`}
          <ul class="rows">
            ${passkeys.map((one) => html`<li><span>${one.name} · ${when(one.created, language)}</span>
              <button type="button" class="second" onClick=${remove(`passkeys/${one.id}`)}>${t("remove")}</button></li>`)}
          </ul>
          ${ways.passkeys && html`<button type="button" onClick=${() => act(() => registerPasskey(t("passkey")))}>${t("make_passkey")}</button>`}
          ${me.factors.totp &&
          html`<h3>${t("code_generator")}</h3>
            <p>${t("recovery_left")}: ${me.factors.recovery_codes}</p>
            <button type="button" class="second" onClick=${remove("totp")}>${t("remove")}</button>`}
          <h3>${t("sessions")}</h3>
          <ul class="rows">
            ${sessions.map((one) => html`<li>
              <span>${[browserName(one.device) || t("unknown_device"), one.client].filter(Boolean).join(" · ")} · ${when(one.used, language)}${one.current && html` · <strong>${t("this_one")}</strong>`}</span>
              ${!one.current && html`<button type="button" class="second" onClick=${remove(`sessions/${one.id}`)}>${t("end_session")}</button>`}
            </li>`)}
          </ul>
          ${sessions.length > 1 && html`<button type="button" class="second" onClick=${remove("sessions")}>${t("end_others")}</button>`}`}
  </dialog>`;
}
