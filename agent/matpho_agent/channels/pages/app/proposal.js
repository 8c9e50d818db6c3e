/** An act that waits for the person's yes: what will run stands in the answer above, here are the two words. */
import { html } from "../vendor/htm-preact.js";

/**
 * The buttons say what a person would type; the server reads the words and runs what it kept, not what a page sends.
 * They are gone once nothing waits any more: `waiting` is what the center says (null: not known yet).
 * @param {{proposal: any, last: boolean, waiting: any[] | null, t: (key: string) => string, ask: (text: string) => void}} props
 */
export function Proposal({ proposal, last, waiting, t, ask }) {
  if (!proposal || !last) return null;
  if (waiting && !waiting.some((one) => one.id === proposal.id)) return html`<p class="facts">${t("waits_no_more")}</p>`;
  return html`<div class="proposal" role="group" aria-label=${t("proposal")}>
    <button type="button" class="agree" onClick=${() => ask(t("say_yes"))}>${t("agree")}</button>
    <button type="button" class="second" onClick=${() => ask(t("say_no"))}>${t("decline")}</button>
  </div>`;
}
