/** What a turn found: a grid of event cards, pictures and clips, tables with a small chart. */
import { html } from "../vendor/htm-preact.js";
import { when } from "./texts.js";

/** @param {{hits: any[], t: (key: string) => string, language: "vi" | "en", open: (id: string) => void}} props */
export function Hits({ hits, t, language, open }) {
  if (!hits.length) return null;
  return html`<ul class="hits" aria-label=${t("results")}>
    ${hits.map((hit) => html`<li key=${hit.id}><${Card} hit=${hit} t=${t} language=${language} open=${open} /></li>`)}
  </ul>`;
}

/** @param {{hit: any, t: (key: string) => string, language: "vi" | "en", open: (id: string) => void}} props */
function Card({ hit, t, language, open }) {
  const caption = language === "vi" ? hit.caption_vi : hit.caption_en;
  const likeness = Math.max(0, ...["scene", "object", "text"].map((part) => hit.matched?.[part] ?? 0));
  return html`<button type="button" class="card" onClick=${() => open(hit.id)}>
    ${hit.thumbnail
      ? html`<img src=${hit.thumbnail} alt=${caption} loading="lazy" width="320" height="180" />`
      : html`<span class="no-picture" aria-hidden="true">${t("no_picture")}</span>`}
    <span class=${`severity ${hit.severity}`}>${t(`severity_${hit.severity}`)}</span>
    <span class="caption">${caption}</span>
    <span class="facts">${when(hit.time, language)}</span>
    <span class="facts">${hit.camera_name || hit.camera_id}</span>
    <span class="facts match">${likeness ? `${t("alike")} ${likeness.toFixed(2)}` : t("matched")}</span>
  </button>`;
}

/** @param {{media: any[], t: (key: string) => string, language: "vi" | "en"}} props */
export function Media({ media, t, language }) {
  return media.map((item) =>
    item.kind === "clip"
      ? html`<figure class="media">
          <video controls preload="metadata" src=${item.url} aria-label=${t("clip")}></video>
          <figcaption>${t("clip")} · ${when(item.start, language)} – ${when(item.end, language)}</figcaption>
        </figure>`
      : html`<figure class="media">
          <img src=${picture(item.jpeg)} alt=${`${t("snapshot")} ${item.camera_id}`} />
          <figcaption>
            ${t("snapshot")} · ${item.camera_id} · ${when(item.captured_at, language)}${item.redacted ? ` · ${t("redacted")}` : ""}
          </figcaption>
        </figure>`,
  );
}

/** URL-safe base64 as a picture. @param {string} jpeg */
function picture(jpeg) {
  return `data:image/jpeg;base64,${jpeg.replaceAll("-", "+").replaceAll("_", "/")}`;
}

/** @param {{tables: any[], t: (key: string) => string}} props */
export function Tables({ tables, t }) {
  return tables.filter(({ table }) => table.rows.length > 1).map((item) => html`<${Table} ...${item} t=${t} />`);
}

/** @param {{table: any, chart: any, t: (key: string) => string}} props */
function Table({ table, chart, t }) {
  const compared = table.rows.some((/** @type {any} */ row) => row.compared !== null);
  return html`<div class="table">
    <${Chart} rows=${table.rows} kind=${chart.kind} />
    <table>
      <thead>
        <tr>
          ${table.group_by.map((/** @type {string} */ group) => html`<th scope="col">${t(`group_${group}`)}</th>`)}
          <th scope="col" class="number">${t("value")}</th>
          ${compared && html`<th scope="col" class="number">${t("before")}</th>`}
        </tr>
      </thead>
      <tbody>
        ${table.rows.map(
          (/** @type {any} */ row) => html`<tr>
            ${row.key.map((/** @type {string} */ part) => html`<td>${t(part)}</td>`)}
            <td class="number">${round(row.value)}</td>
            ${compared && html`<td class="number">${row.compared === null ? "–" : round(row.compared)}</td>`}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {number} value */
function round(value) {
  return Number.isInteger(value) ? value : value.toFixed(2);
}

/** Bars, or a line over time; the table beside it says the same in words. @param {{rows: any[], kind: string}} props */
function Chart({ rows, kind }) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  const step = 300 / rows.length;
  const height = (/** @type {number} */ value) => (value / most) * 90;
  if (kind === "line") {
    const points = rows.map((row, index) => `${index * step + step / 2},${95 - height(row.value)}`).join(" ");
    return html`<svg class="chart" viewBox="0 0 300 100" role="presentation"><polyline points=${points} /></svg>`;
  }
  return html`<svg class="chart" viewBox="0 0 300 100" role="presentation">
    ${rows.map(
      (row, index) =>
        html`<rect x=${index * step + step * 0.15} y=${95 - height(row.value)} width=${step * 0.7} height=${height(row.value)} />`,
    )}
  </svg>`;
}
