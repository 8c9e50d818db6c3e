/** What waits for the person's yes, wherever it was asked for: this chat, another assistant, a program. */
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { withIds } from "./answer.js";
import { ApiError, call, tool, troubleOf } from "./api.js";
import { StepUp } from "./sign-in.js";
import { when } from "./texts.js";

const PROPOSALS = "/api/v1/proposals";
export const DECIDES = new Set(["commander"]);
/** Roles that may be the second person; the policy has the last word. */
const LOOK_MS = 15_000;
const ATTENDED_MS = 120_000;
/** An unattended page stops looking: a session that nobody uses has to end. */

/**
 * The proposals that wait, kept up to date while the person is at the page; null until they are known.
 * @param {boolean} inside @returns {[any[] | null, () => Promise<boolean>]} and a look at once, which says whether the center answered
 */
export function useWaiting(inside) {
  const [waiting, setWaiting] = useState(null);
  const used = useRef(Date.now());
  const look = () =>
    call(PROPOSALS)
      .then((found) => (setWaiting(found), true))
      .catch(() => false); // the next look tells; whatever else is done says that the center is away
  useEffect(() => {
    setWaiting(null);
    if (!inside) return undefined;
    const note = () => (used.current = Date.now());
    const attended = () => document.visibilityState === "visible" && Date.now() - used.current < ATTENDED_MS;
    const back = () => document.visibilityState === "visible" && (note(), look());
    const timer = setInterval(() => attended() && look(), LOOK_MS);
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, note);
    addEventListener("focus", back);
    document.addEventListener("visibilitychange", back);
    look();
    return () => {
      clearInterval(timer);
      for (const event of ["pointerdown", "keydown"]) removeEventListener(event, note);
      removeEventListener("focus", back);
      document.removeEventListener("visibilitychange", back);
    };
  }, [inside]);
  return [waiting, look];
}

/** The person's yes; a ToolResult whatever its outcome is. @param {string} id */
async function agree(id) {
  const response = await fetch(`${PROPOSALS}/${encodeURIComponent(id)}`, { method: "POST", credentials: "same-origin" });
  const body = await response.json().catch(() => null);
  if (body === null || !("outcome" in body)) throw new ApiError(response.status, body?.code ?? "http", body?.message ?? "");
  return body;
}

/** Identity checks that wait for this person's word; only whoever may decide is shown any. Each look is on the trail. */
async function undecided() {
  const page = await call("/api/v1/identity-checks?waiting=true");
  return page.requests;
}

/** @param {{me: any, waiting: any[], look: () => Promise<boolean>, open: (id: string) => void, t: (key: string) => any, language: "vi" | "en", changed: (me: any) => void, close: () => void}} props */
export function Waiting({ me, waiting, look, open, t, language, changed, close }) {
  const dialog = useRef(null);
  const [ended, setEnded] = useState([]);
  const [busy, setBusy] = useState("");
  const [trouble, setTrouble] = useState("");
  const [after, setAfter] = useState(null);
  const [checks, setChecks] = useState([]);
  const renew = async () => {
    await look();
    if (DECIDES.has(me.role)) setChecks(await undecided());
  };
  useEffect(() => {
    if (dialog.current && !dialog.current.open) dialog.current.showModal();
    renew().catch((error) => setTrouble(troubleOf(error, t)));
  }, []);
  const act = async (/** @type {any} */ one, /** @type {() => Promise<any>} */ what) => {
    setBusy(one.id);
    setTrouble("");
    try {
      const result = await what();
      if (result?.rule === "step_up") setAfter({ one, what });
      else if (result?.outcome !== "confirm") setEnded((all) => [{ proposal: one, result }, ...all]);
      await renew();
    } catch (error) {
      setTrouble(troubleOf(error, t));
    }
    setBusy("");
  };
  const shown = (/** @type {any} */ now) => {
    changed(now);
    setAfter(null);
    act(after.one, after.what);
  };
  const done = new Set(ended.map(({ proposal }) => proposal.id));
  const left = waiting.filter((one) => !done.has(one.id));
  const decide = (/** @type {any} */ check, /** @type {string} */ decision) =>
    act({ id: check.id, tool: "decide_identity_check" }, () => tool("decide_identity_check", { request_id: check.id, decision }));
  const proposed = new Set(left.map((one) => one.arguments.request_id));
  return html`<dialog ref=${dialog} class="panel" aria-labelledby="waiting-title" onClose=${close}>
    <header>
      <h2 id="waiting-title">${t("proposals")}</h2>
      <button type="button" class="quiet" onClick=${() => dialog.current.close()}>${t("close")}</button>
    </header>
    ${trouble && html`<p role="alert" class="trouble">${t(trouble)}</p>`}
    ${after && html`<p>${t("step_up_needed")}</p><${StepUp} t=${t} me=${me} done=${shown} cancel=${() => setAfter(null)} />`}
    ${ended.map((one) => html`<${Ended} key=${one.proposal.id} ...${one} t=${t} language=${language} />`)}
    ${left.length === 0 && ended.length === 0 && checks.length === 0 && html`<p>${t("nothing_waits")}</p>`}
    ${!after && left.map(
      (one) => html`<section class="proposal" key=${one.id} aria-label=${t(`act_${one.tool}`)}>
        <h3>${t(`act_${one.tool}`)}</h3>
        <${Rows} rows=${one.rows} open=${open} t=${t} language=${language} />
        <p class="facts">${t(one.conversation ? "asked_in_chat" : "asked_by_program")} · ${t("waits_until")} ${when(one.expires_at, language)}</p>
        <div class="actions">
          <button type="button" class="agree" disabled=${busy !== ""} onClick=${() => act(one, () => agree(one.id))}>${t("agree")}</button>
          <button type="button" class="second" disabled=${busy !== ""} onClick=${() => act(one, () => call(`${PROPOSALS}/${encodeURIComponent(one.id)}`, { method: "DELETE" }))}>${t("decline")}</button>
        </div>
      </section>`,
    )}
    ${!after && checks.filter((one) => !proposed.has(one.id)).map((one) => html`<${Undecided} key=${one.id} check=${one} busy=${busy !== ""} decide=${decide} t=${t} language=${language} />`)}
  </dialog>`;
}

/** A colleague's identity check before the second person's word; a word is a proposal first, with everything in it. @param {{check: any, busy: boolean, decide: (check: any, decision: string) => void, t: (key: string) => string, language: "vi" | "en"}} props */
function Undecided({ check, busy, decide, t, language }) {
  return html`<section class="check" aria-label=${`${t("identity_request")} ${check.id}`}>
    <h3>${t("identity_request")} ${check.id}</h3>
    <dl>
      <dt>${t("requester")}</dt><dd>${check.requester}</dd>
      <dt>${t("case_number")}</dt><dd>${check.case_number}</dd>
      <dt>${t("purpose")}</dt><dd>${check.purpose}</dd>
      <dt>${t("fields")}</dt><dd>${check.fields.join(", ")}</dd>
      <dt>${t("waits_until")}</dt><dd>${when(check.expires_at, language)}</dd>
    </dl>
    <div class="actions">
      <button type="button" disabled=${busy} onClick=${() => decide(check, "approve")}>${t("approve")}</button>
      <button type="button" class="second" disabled=${busy} onClick=${() => decide(check, "reject")}>${t("reject")}</button>
    </div>
  </section>`;
}

/** What will run, line by line, as the center wrote it. @param {{rows: any[], open: (id: string) => void, t: (key: string) => string, language: "vi" | "en"}} props */
function Rows({ rows, open, t, language }) {
  return html`<dl>
    ${rows.map(
      (row) => html`<dt>${row[`label_${language}`]}</dt>
        <dd>${withIds(row[`value_${language}`], t, open)}${row.source !== "person" && html` <span class="facts">(${t(`from_${row.source}`)})</span>`}</dd>`,
    )}
  </dl>`;
}

/** What came of it; null as result: it was cancelled. @param {{proposal: any, result: any, t: (key: string) => string, language: "vi" | "en"}} props */
function Ended({ proposal, result, t, language }) {
  const well = result === null || result.outcome === "answered";
  const said = result === null ? t("cancelled") : result[`message_${language}`] || t("carried_out");
  return html`<section class=${well ? "ended" : "ended trouble"} role="status">
    <p><strong>${t(`act_${proposal.tool}`)}</strong>: ${said}</p>
    ${result?.ids?.length > 0 && html`<p class="mono">${result.ids.join(", ")}</p>`}
  </section>`;
}
