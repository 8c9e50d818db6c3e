/** An answer's text as nodes: lines as they are, event ids as buttons. Nothing in it becomes a link, an image or markup. */
import { html } from "../vendor/htm-preact.js";

const EVENT_ID = /\[?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\]?/g;

const NUMBERED = /^\d+\. /;
const FIGURE = /^- .*: /;
const MORE = /^(… (?:và|and) )(\d+)( .*)$/;
const PROPOSALS = /^[^«»]{1,20}: «[^«»]+»(, «[^«»]+»)*[.]$/;
/** A last line that only proposes what to ask next. */

/**
 * An answer in two: what leads up to its list, and what follows it. A list that cards or a table show is left out, and
 * held back until that is known.
 * @param {{answer: string, step: string, hits: any[], tables: any[]}} turn @returns {{head: string[], tail: string[]}}
 */
export function parted({ answer, step, hits, tables }) {
  const cards = new Set(hits.map((hit) => hit.id));
  const tabled = tables.some(({ table }) => table.rows.length > 1);
  const repeated = (/** @type {string} */ line) => {
    if (FIGURE.test(line)) return step !== "" || tabled;
    const ids = [...line.matchAll(EVENT_ID)].map((match) => match[1]);
    return NUMBERED.test(line) && (step !== "" || (ids.length > 0 && ids.every((id) => cards.has(id))));
  };
  const lines = answer.split("\n");
  const first = lines.findIndex(repeated);
  if (first < 0) {
    const cut = lines.length - (!step && PROPOSALS.test(lines[lines.length - 1]) ? 1 : 0);
    return { head: lines.slice(0, cut), tail: lines.slice(cut) };
  }
  const listed = lines.filter(repeated).length;
  const shown = listed > 0 && FIGURE.test(lines[first]) ? Infinity : hits.length; // a table shows all its rows
  const tail = step ? [] : lines.slice(first).filter((line) => !repeated(line)).map((line) => beyond(line, shown - listed));
  return { head: lines.slice(0, first), tail: tail.filter((line) => line !== null) };
}

/** "… and 51 more": less by what the page shows beyond the text's own list, null where nothing is left. @param {string} line @param {number} further */
function beyond(line, further) {
  const more = MORE.exec(line);
  if (!more || further <= 0) return line;
  const left = Number(more[2]) - further;
  return left > 0 ? `${more[1]}${left}${more[3]}` : null;
}

/** @param {{lines: string[], busy: boolean, t: (key: string) => string, open: (id: string) => void}} props */
export function Answer({ lines, busy, t, open }) {
  return html`<div class="answer" aria-busy=${busy ? "true" : "false"}>
    ${lines.map((line) => html`<p>${withIds(line, t, open)}</p>`)}
  </div>`;
}

/**
 * What follows the list, below what shows it; a proposal in «quotes» asks itself.
 * @param {{lines: string[], ask: (text: string) => void}} props
 */
export function After({ lines, ask }) {
  if (!lines.length) return null;
  return html`<div class="after">
    ${lines.map(
      (line) => html`<p>
        ${line.split(/(«[^«»]{1,80}»)/).map((part) =>
          part.startsWith("«")
            ? html`<button type="button" class="example" onClick=${() => ask(part.slice(1, -1))}>${part.slice(1, -1)}</button>`
            : part.replace(/^[,.] ?$/, " "),
        )}
      </p>`,
    )}
  </div>`;
}

/** @param {string} line @param {(key: string) => string} t @param {(id: string) => void} open */
export function withIds(line, t, open) {
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
