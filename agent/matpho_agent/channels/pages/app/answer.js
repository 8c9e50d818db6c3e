/** An answer's text as nodes: lines as they are, event ids as buttons. Nothing in it becomes a link, an image or markup. */
import { html } from "../vendor/htm-preact.js";

const EVENT_ID = /\[?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\]?/g;

const NUMBERED = /^\d+\. /;
const FIGURE = /^- .*: /;

/**
 * Lines of a list are left out where cards or a table show the same, and held back until that is known.
 * @param {{text: string, busy: boolean, hits: any[], tables: any[], t: (key: string) => string, open: (id: string) => void}} props
 */
export function Answer({ text, busy, hits, tables, t, open }) {
  const cards = new Set(hits.map((hit) => hit.id));
  const tabled = tables.some(({ table }) => table.rows.length > 1);
  const repeated = (/** @type {string} */ line) => {
    if (FIGURE.test(line)) return busy || tabled;
    const ids = [...line.matchAll(EVENT_ID)].map((match) => match[1]);
    return NUMBERED.test(line) && (busy || (ids.length > 0 && ids.every((id) => cards.has(id))));
  };
  const lines = text.split("\n").filter((line) => !repeated(line));
  return html`<div class="answer" aria-busy=${busy ? "true" : "false"}>
    ${lines.map((line) => html`<p>${withIds(line, t, open)}</p>`)}
  </div>`;
}

/** @param {string} line @param {(key: string) => string} t @param {(id: string) => void} open */
function withIds(line, t, open) {
  const parts = [];
  let last = 0;
  for (const match of line.matchAll(EVENT_ID)) {
    parts.push(line.slice(last, match.index));
    const id = match[1];
    parts.push(
      html`<button type="button" class="chip" title=${id} aria-label=${`${t("open_event")} ${id}`} onClick=${() => open(id)}>
        #${id.slice(-6)}
      </button>`,
    );
    last = match.index + match[0].length;
  }
  parts.push(line.slice(last));
  return parts;
}
