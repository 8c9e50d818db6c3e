/** The conversation: questions, streamed answers, and the field to ask in. */
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { After, Answer, parted } from "./answer.js";
import { call, chat, post, troubleOf } from "./api.js";
import { Proposal } from "./proposal.js";
import { Hits, Media, Tables } from "./results.js";
import { StepUp } from "./sign-in.js";
import { forget, keep, recall } from "./talk.js";

const STOP_MS = 3000;
/** How long the server may take to say that it has stopped. */
const STEP_UP = "step_up";
const MILD = { [STEP_UP]: "rule_step_up", stopped: "stopped" };
/** Ends that nobody is to blame for. */
const RULED = new Set(["denied", "refused"]);
const FEW = 4;
/** With fewer examples than this the role's own help is shown too. */
const EXAMPLES = { leader: "try_leader", citizen: "try_citizen", admin: "try_admin", auditor: "try_auditor" };

/** @param {{me: any, t: (key: string) => string, speak: (tongue: "vi" | "en") => (key: string) => string, language: "vi" | "en", open: (id: string) => void, learn: (tongue: "vi" | "en", words: any) => void, changed: (me: any) => void, signedOut: () => void, waiting: any[] | null, look: () => Promise<boolean>}} props */
export function Chat({ me, t, speak, language, open, learn, changed, signedOut, waiting, look }) {
  const [turns, setTurns] = useState(() => recall(me.user_id).turns);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [welcome, setWelcome] = useState("");
  const conversation = useRef(recall(me.user_id).conversation);
  const stopping = useRef(null);
  const log = useRef(null);
  const field = useRef(null);

  useEffect(() => {
    call(`/api/v1/chat/welcome?language=${language}`)
      .then((answer) => {
        setWelcome(answer.help);
        learn(language, answer.words);
      })
      .catch((error) => error.status === 401 && signedOut());
  }, [language]);
  const other = turns.find((turn) => turn.language && turn.language !== language)?.language ?? "";
  useEffect(() => {
    if (other) call(`/api/v1/chat/welcome?language=${other}`).then((answer) => learn(other, answer.words)).catch(() => {});
  }, [other]);
  useEffect(() => {
    // The end of the answer while it fits, else its question at the top: nobody scrolls back to see what was said.
    // What waits for a yes shows its two buttons.
    const last = log.current?.querySelector(".turn:last-of-type");
    if (last) log.current.scrollTop = last.querySelector(".proposal") ? log.current.scrollHeight : last.offsetTop - 16;
  }, [turns]);
  useEffect(() => () => stopping.current?.abort(), []);
  useEffect(() => {
    if (!busy && turns.length) keep(me.user_id, conversation.current, turns, t("not_kept"));
  }, [busy, turns]);

  // A turn that still runs when a new conversation begins has nothing left to change.
  const last = (/** @type {(turn: any) => any} */ to) => setTurns((all) => (all.length ? [...all.slice(0, -1), to(all[all.length - 1])] : all));
  const change = (/** @type {any} */ part) => last((turn) => ({ ...turn, ...part }));
  const add = (/** @type {string} */ piece) => last((turn) => ({ ...turn, answer: turn.answer + piece }));

  /** Once the center has said what waits now, a proposal of this turn that is not among it waits no more. @param {number} place */
  const settle = async (place) => {
    if (await look()) setTurns((all) => all.map((turn, index) => (index === place ? { ...turn, settled: true } : turn)));
  };

  const ask = async (/** @type {string} */ said) => {
    const question = said.trim();
    if (!question || busy) return;
    setText("");
    setBusy(true);
    setTurns((all) => [...all, { question, answer: "", step: t("step_plan"), hits: [], media: [], tables: [], outcome: "" }]);
    stopping.current = new AbortController();
    try {
      const body = conversation.current ? { text: question, conversation_id: conversation.current } : { text: question };
      for await (const { event, data } of chat(body, stopping.current.signal)) {
        if (event === "conversation") conversation.current = data.conversation_id;
        else if (event === "step") change({ step: data.tool ? t(`tool_${data.tool}`) : t("step_plan") });
        else if (event === "token") add(data.text);
        else if (event === "result") change(data);
        else if (event === "done") change({ outcome: data.outcome, rule: data.rule, language: data.language, calls: data.tool_calls, step: "" });
      }
      change({ step: "" }); // a stream that was cut has no last word
    } catch (error) {
      if (error.name === "AbortError") change({ answer: t("stopped"), outcome: "", step: "" });
      else if (error.status === 401) return signedOut();
      else change({ answer: t(troubleOf(error, t)), outcome: "failed", step: "" });
    }
    setBusy(false);
    settle(turns.length);
    if (matchMedia("(pointer: fine)").matches) field.current?.focus(); // on a phone the keyboard would cover the answer
  };

  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      ask(text);
    } else if (event.key === "Escape" && busy) stop();
  };
  const stop = () => {
    // The server ends the turn and says what was not done; where it does not answer, the page goes on without it.
    const running = stopping.current;
    if (!conversation.current) return running?.abort();
    post(`/api/v1/chat/${conversation.current}/stop`, {}).catch(() => running?.abort());
    setTimeout(() => running?.abort(), STOP_MS);
  };
  const restart = () => {
    stopping.current?.abort();
    if (conversation.current) call(`/api/v1/chat/${conversation.current}`, { method: "DELETE" }).catch(() => {});
    conversation.current = null;
    forget();
    setTurns([]);
    field.current?.focus();
  };

  return html`<main class="chat">
    <section class="log" ref=${log} tabindex="0" role="log" aria-live="polite" aria-label=${t("conversation")}>
      ${turns.length === 0 && html`<${Start} me=${me} welcome=${welcome} t=${t} ask=${ask} />`}
      ${turns.map((turn, index) => html`<${Turn} key=${index} turn=${turn} t=${speak(turn.language ?? language)} language=${turn.language ?? language} open=${open} ask=${ask} last=${index === turns.length - 1 && !busy} me=${me} changed=${changed} waiting=${waiting} />`)}
    </section>
    <form class="composer" onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), ask(text))}>
      <label class="hidden" for="question">${t("ask_label")}</label>
      <textarea
        id="question"
        ref=${field}
        rows="1"
        maxlength="4000"
        placeholder=${t("ask")}
        value=${text}
        onInput=${(/** @type {any} */ event) => setText(event.target.value)}
        onKeyDown=${keys}
      ></textarea>
      ${busy
        ? html`<button type="button" class="stop" onClick=${stop}>${t("stop")}</button>`
        : html`<button type="submit" disabled=${!text.trim()}>${t("send")}</button>`}
      ${turns.length > 0 && html`<button type="button" class="quiet" title=${t("new_talk")} aria-label=${t("new_talk")} onClick=${restart}>
        <span class="wide">${t("new_talk")}</span><span class="narrow" aria-hidden="true">＋</span>
      </button>`}
    </form>
  </main>`;
}

/** @param {{me: any, welcome: string, t: (key: string) => any, ask: (text: string) => void}} props */
function Start({ me, welcome, t, ask }) {
  const examples = t(EXAMPLES[me.role] ?? "try_field");
  return html`<div class="start">
    <h1>${t("hello")}, ${me.name}</h1>
    <p>${t("start")}${examples.length < FEW && ` ${welcome}`}</p>
    <h2>${t("examples")}</h2>
    <ul>
      ${examples.map((/** @type {string} */ line) => html`<li><button type="button" class="example" onClick=${() => ask(line)}>${line}</button></li>`)}
    </ul>
  </div>`;
}

/** A rule in words; one that a deployment added, as it is called there. @param {string} rule @param {(key: string) => string} t */
function ruleName(rule, t) {
  const key = `rule_${rule}`;
  const name = t(key);
  return name === key ? rule : name;
}

/** @param {{turn: any, t: (key: string) => string, language: "vi" | "en", open: (id: string) => void, ask: (text: string) => void, last: boolean, me: any, changed: (me: any) => void, waiting: any[] | null}} props */
function Turn({ turn, t, language, open, ask, last, me, changed, waiting }) {
  const { head, tail } = parted(turn);
  const marked = ["denied", "refused", "failed", "clarify", "confirm"].includes(turn.outcome);
  return html`<article class="turn">
    <p class="question"><span class="hidden">${t("you")}: </span>${turn.question}</p>
    <div class="reply">
      <span class="hidden">${t("assistant")}: </span>
      ${turn.step && !turn.answer && html`<p class="step" role="status">${turn.step}…</p>`}
      ${marked && MILD[turn.rule] && html`<p class="outcome">${t(MILD[turn.rule])}</p>`}
      ${marked && !MILD[turn.rule] && html`<p class=${`outcome ${turn.outcome}`}>
        ${t(`outcome_${turn.outcome}`)}${RULED.has(turn.outcome) && turn.rule && html`: <span title=${turn.rule}>${ruleName(turn.rule, t)}</span>`}
      </p>`}
      <${Answer} lines=${head} busy=${turn.step !== ""} t=${t} open=${open} />
      <${Tables} tables=${turn.tables} t=${t} language=${language} />
      <${Media} media=${turn.media} t=${t} language=${language} />
      <${Hits} hits=${turn.hits} t=${t} language=${language} open=${open} />
      <${After} lines=${tail} ask=${ask} />
      ${last && turn.rule === STEP_UP && html`<${AskedAgain} me=${me} t=${t} done=${(/** @type {any} */ now) => (changed(now), ask(turn.question))} />`}
      <${Proposal} proposal=${turn.proposal} last=${last} waiting=${turn.settled ? waiting : null} t=${t} ask=${ask} />
    </div>
  </article>`;
}

/**
 * A sensitive wish asks for the second factor again; once it is shown, the same question is asked anew.
 * @param {{me: any, t: (key: string) => string, done: (me: any) => void}} props
 */
function AskedAgain({ me, t, done }) {
  const [asked, setAsked] = useState(false);
  const form = useRef(null);
  useEffect(() => {
    form.current?.scrollIntoView({ block: "nearest" });
  }, [asked]);
  if (!asked) return html`<p><button type="button" onClick=${() => setAsked(true)}>${t("second_factor")}</button></p>`;
  return html`<div ref=${form}><${StepUp} t=${t} me=${me} done=${done} cancel=${() => setAsked(false)} /></div>`;
}
