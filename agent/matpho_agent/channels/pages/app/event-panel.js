/** One event in a panel: its facts, the state of its signature, its clip, what looks like it. */
import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { tool } from "./api.js";
import { Hits } from "./results.js";
import { when } from "./texts.js";

/** @param {{id: string, t: (key: string) => string, language: "vi" | "en", open: (id: string) => void, close: () => void}} props */
export function EventPanel({ id, t, language, open, close }) {
  const dialog = useRef(null);
  const [result, setResult] = useState(null);
  useEffect(() => {
    if (dialog.current && !dialog.current.open) dialog.current.showModal();
  }, []);
  useEffect(() => {
    let current = true;
    setResult(null);
    dialog.current.scrollTop = 0;
    dialog.current.querySelector("button").focus();
    tool("get_event", { event_id: id })
      .then((answer) => current && setResult(answer))
      .catch(() => current && setResult({ data: {}, message_vi: t("network"), message_en: t("network") }));
    return () => {
      current = false;
    };
  }, [id]);
  const found = result && result.data.event;
  return html`<dialog ref=${dialog} class="panel" aria-labelledby="panel-title" onClose=${close}>
    <header>
      <h2 id="panel-title">
        ${found ? t(found.type.split(".").pop()) : t("event")} <span class="mono">#${id.slice(-6)}</span>
      </h2>
      <button type="button" class="quiet" onClick=${() => dialog.current.close()}>${t("close")}</button>
    </header>
    ${!result && html`<p role="status">${t("loading")}</p>`}
    ${result && !found && html`<p role="alert">${language === "vi" ? result.message_vi : result.message_en}</p>`}
    ${found && html`<${Facts} detail=${result.data} t=${t} language=${language} />`}
    ${found && html`<${Further} key=${id} id=${id} t=${t} language=${language} open=${open} />`}
  </dialog>`;
}

/** @param {{detail: any, t: (key: string) => string, language: "vi" | "en"}} props */
function Facts({ detail, t, language }) {
  const { event } = detail;
  const valid = detail.signature === "valid";
  const objects = event.data.objects.map(
    (/** @type {any} */ seen) =>
      [t(seen.class), seen.colour && t(seen.colour), seen.plate && `${t("plate")} ${seen.plate.text}`].filter(Boolean).join(" · "),
  );
  return html`<section>
    ${detail.thumbnail && html`<${Still} src=${detail.thumbnail} event=${event} language=${language} />`}
    <p class="lead">${event.data.caption[language]}</p>
    <p class="badges">
      <span class=${`severity ${event.data.severity}`}>${t("severity")}: ${t(`severity_${event.data.severity}`)}</span>
      <span class=${valid ? "badge good" : "badge bad"}>
        ${valid ? t("signature_valid") : `${t("signature_invalid")}: ${detail.signature_reason}`}
      </span>
    </p>
    <dl>
      <dt>${t("when")}</dt>
      <dd>${when(event.time, language)}</dd>
      <dt>${t("where")}</dt>
      <dd>${detail.camera_name} (${event.data.camera_id})</dd>
      ${objects.length > 0 && html`<dt>${t("objects")}</dt><dd>${objects.join("; ")}</dd>`}
      <dt>${t("identifier")}</dt>
      <dd class="mono">${event.id}</dd>
    </dl>
  </section>`;
}

/** The picture of the moment with a frame around each object. @param {{src: string, event: any, language: "vi" | "en"}} props */
function Still({ src, event, language }) {
  return html`<figure class="framed">
    <img src=${src} alt=${event.data.caption[language]} width="960" height="540" />
    <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
      ${event.data.objects.map(
        ({ box }) => html`<rect x=${box.x1} y=${box.y1} width=${box.x2 - box.x1} height=${box.y2 - box.y1} />`,
      )}
    </svg>
  </figure>`;
}

/** @param {{id: string, t: (key: string) => string, language: "vi" | "en", open: (id: string) => void}} props */
function Further({ id, t, language, open }) {
  const [clip, setClip] = useState(null);
  const [similar, setSimilar] = useState(null);
  const [busy, setBusy] = useState("");
  const fetch = async (/** @type {string} */ name, /** @type {(value: any) => void} */ set) => {
    setBusy(name);
    try {
      set(await tool(name, name === "get_clip" ? { event_id: id } : { event_id: id, limit: 12 }));
    } catch {
      set({ outcome: "failed", data: {}, message_vi: t("network"), message_en: t("network") });
    }
    setBusy("");
  };
  const said = (/** @type {any} */ answer) => (language === "vi" ? answer.message_vi : answer.message_en);
  return html`<section>
    <div class="actions">
      <button type="button" disabled=${busy !== ""} onClick=${() => fetch("get_clip", setClip)}>${t("show_clip")}</button>
      <button type="button" class="second" disabled=${busy !== ""} onClick=${() => fetch("find_similar_events", setSimilar)}>
        ${t("show_similar")}
      </button>
    </div>
    ${busy && html`<p role="status">${t("loading")}</p>`}
    ${clip &&
    (clip.data.url
      ? html`<video class="still" controls autoplay src=${clip.data.url} aria-label=${t("clip")}></video>`
      : html`<p role="alert">${said(clip)}</p>`)}
    ${similar &&
    (similar.data.hits
      ? html`<h3>${similar.data.hits.length ? t("similar") : t("none_similar")}</h3>
          <${Hits} hits=${similar.data.hits} t=${t} language=${language} open=${open} />`
      : html`<p role="alert">${said(similar)}</p>`)}
  </section>`;
}
