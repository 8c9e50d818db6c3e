/** Coming in: password, passkey or provider; the second factor; invitations and the first administrator. */
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { call, post, troubleOf } from "./api.js";
import { registerPasskey, stepUpWithPasskey, signInWithPasskey } from "./passkey.js";

const AUTH = "/api/v1/auth";

/** Runs a form's work: one at a time, its trouble in words. @param {(key: string) => string} t @param {string} [first] */
function useWork(t, first = "") {
  const [trouble, setTrouble] = useState(first);
  const [busy, setBusy] = useState(false);
  const work = async (/** @type {() => Promise<void>} */ act, /** @type {Record<string, string>} */ known = {}) => {
    setBusy(true);
    setTrouble("");
    try {
      await act();
    } catch (error) {
      const word = known[error.code] ?? { too_many_tries: "too_many_tries", step_up: "step_up_needed" }[error.code];
      const closed = error.name === "NotAllowedError" || error.name === "AbortError";
      setTrouble(word ?? (closed ? "passkey_not_shown" : troubleOf(error, t)));
    }
    setBusy(false);
  };
  return { busy, work, alert: trouble && html`<p role="alert" class="trouble">${t(trouble)}</p>` };
}

/** @param {{name: string, label: string, type?: string, auto?: string, extra?: any}} props */
function Field({ name, label, type = "text", auto = "off", ...extra }) {
  return html`<label for=${name}>${label}</label>
    <input id=${name} name=${name} type=${type} autocomplete=${auto} autocapitalize="none" required ...${extra} />`;
}

/** @param {{t: (key: string) => string, notice: string, signedIn: (me: any) => void}} props */
export function SignIn({ t, notice, signedIn }) {
  const [ways, setWays] = useState({ passkeys: false, providers: [], first_administrator: false });
  const [invitation, setInvitation] = useState(new URLSearchParams(location.hash.slice(1)).get("invitation") ?? "");
  const [first, setFirst] = useState(false);
  const { busy, work, alert } = useWork(t, notice);
  const password = useRef(null);
  useEffect(() => {
    call(`${AUTH}/ways`).then(setWays).catch(() => {});
  }, []);
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const said = { user_id: form.get("user_id"), password: form.get("password") };
    await work(async () => signedIn(await post(`${AUTH}/sign-in`, said)), { sign_in: "sign_in_failed" });
    password.current?.select();
  };
  const entered = (/** @type {any} */ me) => (history.replaceState(null, "", location.pathname), setInvitation(""), signedIn(me));
  if (invitation) return html`<${Invited} t=${t} invitation=${invitation} signedIn=${entered} />`;
  if (first) return html`<${FirstAdministrator} t=${t} signedIn=${signedIn} later=${() => setFirst(false)} />`;
  return html`<main class="sign-in">
    <form onSubmit=${submit}>
      <h1>${t("sign_in")}</h1>
      <label for="user_id">${t("user_id")}</label>
      <input id="user_id" name="user_id" autocomplete="username" autocapitalize="none" maxlength="64" required autofocus />
      <label for="password">${t("password")}</label>
      <input id="password" ref=${password} name="password" type="password" autocomplete="current-password" maxlength="256" required />
      ${alert}
      <button type="submit" disabled=${busy}>${t("sign_in")}</button>
      ${ways.passkeys &&
      html`<button type="button" class="quiet" disabled=${busy} onClick=${() => work(async () => signedIn(await signInWithPasskey()), { sign_in: "passkey_unknown" })}>
        ${t("sign_in_passkey")}
      </button>`}
      ${ways.providers.map((/** @type {any} */ one) => html`<a class="button quiet" href=${`${AUTH}/oidc/${encodeURIComponent(one.id)}/start`}>${t("sign_in_with")} ${one.name}</a>`)}
      ${ways.first_administrator && html`<button type="button" class="quiet" onClick=${() => setFirst(true)}>${t("first_administrator")}</button>`}
    </form>
  </main>`;
}

/** @param {{t: (key: string) => string, signedIn: (me: any) => void, later: () => void}} props */
function FirstAdministrator({ t, signedIn, later }) {
  const { busy, work, alert } = useWork(t);
  const submit = (/** @type {any} */ event) => {
    event.preventDefault();
    const said = Object.fromEntries(new FormData(event.target));
    work(async () => signedIn(await post(`${AUTH}/first-administrator`, said)), { one_time: "token_not_good" });
  };
  return html`<main class="sign-in">
    <form onSubmit=${submit}>
      <h1>${t("first_administrator")}</h1>
      <p>${t("first_administrator_why")}</p>
      <${Field} name="token" label=${t("one_time_token")} maxlength="128" autofocus />
      <${Field} name="user_id" label=${t("user_id")} auto="username" maxlength="64" />
      <${Field} name="name" label=${t("your_name")} auto="name" maxlength="200" />
      <${Field} name="password" label=${t("new_password")} type="password" auto="new-password" minlength="12" maxlength="256" />
      ${alert}
      <button type="submit" disabled=${busy}>${t("create_account")}</button>
      <button type="button" class="quiet" onClick=${later}>${t("have_account")}</button>
    </form>
  </main>`;
}

/** @param {{t: (key: string) => string, invitation: string, signedIn: (me: any) => void}} props */
function Invited({ t, invitation, signedIn }) {
  const { busy, work, alert } = useWork(t);
  const submit = (/** @type {any} */ event) => {
    event.preventDefault();
    const password = new FormData(event.target).get("password");
    work(async () => signedIn(await post(`${AUTH}/invitation`, { invitation, password })), { one_time: "token_not_good" });
  };
  return html`<main class="sign-in">
    <form onSubmit=${submit}>
      <h1>${t("choose_password")}</h1>
      <${Field} name="password" label=${t("new_password")} type="password" auto="new-password" minlength="12" maxlength="256" autofocus />
      ${alert}
      <button type="submit" disabled=${busy}>${t("continue")}</button>
    </form>
  </main>`;
}

/**
 * Shows the second factor, to finish a sign-in or to step up; or sets the first one up.
 * @param {{t: (key: string) => string, me: any, done: (me: any) => void, cancel: () => void}} props
 */
export function SecondFactor({ t, me, done, cancel }) {
  const [recovery, setRecovery] = useState(false);
  const [passkeys, setPasskeys] = useState(false);
  const { busy, work, alert } = useWork(t);
  useEffect(() => {
    call(`${AUTH}/ways`).then((ways) => setPasskeys(ways.passkeys)).catch(() => {});
  }, []);
  if (me.second_factor === "missing") return html`<${SetUp} t=${t} passkeys=${passkeys} done=${done} cancel=${cancel} />`;
  const submit = (/** @type {any} */ event) => {
    event.preventDefault();
    const code = new FormData(event.target).get("code");
    const path = recovery ? "recovery-code" : "second-factor";
    work(async () => done(await post(`${AUTH}/${path}`, { code })), { sign_in: "code_wrong", not_signed_in: "session_ended" });
  };
  return html`<section class="sign-in">
    <form onSubmit=${submit}>
      <h1>${t("second_factor")}</h1>
      ${(me.factors.totp || recovery) &&
      html`<${Field} key=${String(recovery)} name="code" label=${t(recovery ? "recovery_code" : "code")} auto="one-time-code"
          inputmode=${recovery ? "text" : "numeric"} maxlength="24" autofocus />
        <button type="submit" disabled=${busy}>${t("continue")}</button>`}
      ${alert}
      ${passkeys && me.factors.passkeys > 0 &&
      html`<button type="button" class="quiet" disabled=${busy} onClick=${() => work(async () => done(await stepUpWithPasskey()), { sign_in: "passkey_unknown" })}>
        ${t("use_passkey")}
      </button>`}
      ${me.second_factor === "due" && me.factors.recovery_codes > 0 &&
      html`<button type="button" class="quiet" onClick=${() => setRecovery(!recovery)}>${t(recovery ? "use_code" : "use_recovery")}</button>`}
      <button type="button" class="quiet" onClick=${cancel}>${t("cancel")}</button>
    </form>
  </section>`;
}

/**
 * The second factor again, for a sensitive wish; who has none yet sets one up.
 * @param {{t: (key: string) => string, me: any, done: (me: any) => void, cancel: () => void}} props
 */
export function StepUp({ t, me, done, cancel }) {
  const known = me.factors?.totp || me.factors?.passkeys > 0;
  return html`<${SecondFactor} t=${t} me=${known ? me : { ...me, second_factor: "missing" }} done=${done} cancel=${cancel} />`;
}

/** @param {{t: (key: string) => string, passkeys: boolean, done: (me: any) => void, cancel: () => void}} props */
function SetUp({ t, passkeys, done, cancel }) {
  const [enrolment, setEnrolment] = useState(null);
  const [codes, setCodes] = useState(null);
  const { busy, work, alert } = useWork(t);
  const submit = (/** @type {any} */ event) => {
    event.preventDefault();
    const code = new FormData(event.target).get("code");
    work(async () => setCodes(await post(`${AUTH}/totp/confirm`, { code })), { factor: "code_wrong" });
  };
  if (codes) {
    return html`<section class="sign-in"><form onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), done(codes.me))}>
      <h1>${t("recovery_codes")}</h1>
      <p>${t("recovery_codes_why")}</p>
      <ul class="codes">${codes.recovery_codes.map((/** @type {string} */ code) => html`<li><code>${code}</code></li>`)}</ul>
      <button type="submit" autofocus>${t("codes_kept")}</button>
    </form></section>`;
  }
  return html`<section class="sign-in">
    <form onSubmit=${submit}>
      <h1>${t("set_up_factor")}</h1>
      <p>${t("set_up_factor_why")}</p>
      ${passkeys && !enrolment &&
      html`<button type="button" disabled=${busy} onClick=${() => work(async () => done(await registerPasskey(t("passkey"))))}>${t("make_passkey")}</button>`}
      ${!enrolment &&
      html`<button type="button" class=${passkeys ? "second" : ""} disabled=${busy} onClick=${() => work(async () => setEnrolment(await post(`${AUTH}/totp`, {})))}>
        ${t("make_totp")}
      </button>`}
      ${enrolment &&
      html`<p>${t("type_secret")}</p>
        <p><code class="secret">${enrolment.secret.replace(/(.{4})(?=.)/g, "$1 ")}</code></p>
        <p><a href=${enrolment.uri}>${t("open_app")}</a></p>
        <${Field} name="code" label=${t("code")} auto="one-time-code" inputmode="numeric" maxlength="8" autofocus />
        <button type="submit" disabled=${busy}>${t("continue")}</button>`}
      ${alert}
      <button type="button" class="quiet" onClick=${cancel}>${t("cancel")}</button>
    </form>
  </section>`;
}
