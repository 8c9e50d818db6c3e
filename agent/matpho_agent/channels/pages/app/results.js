/** What a turn found: a grid of event cards, pictures and clips, tables with a small chart. */
import { html } from "../vendor/htm-preact.js";
import { when } from "./texts.js";

/** @param {{hits: any[], t: (key: string) => string, language: "vi" | "en", open: (id: string) => void}} props */
export function Hits({ hits, t, language, open }) {
  if (!hits.length) return null;
  return html`<ul class="hits" aria-label=${t("results")}>
    ${hits.map(
      (hit, index) => html`<li key=${hit.id}><${Card} hit=${hit} number=${index + 1} t=${t} language=${language} open=${open} /></li>`,
    )}
  </ul>`;
}

/** @param {{hit: any, number: number, t: (key: string) => string, language: "vi" | "en", open: (id: string) => void}} props */
function Card({ hit, number, t, language, open }) {
  const caption = language === "vi" ? hit.caption_vi : hit.caption_en;
  const likeness = Math.max(0, ...["scene", "object", "text"].map((part) => hit.matched?.[part] ?? 0));
  return html`<button type="button" class=${hit.thumbnail ? "card" : "card bare"} title=${caption} onClick=${() => open(hit.id)}>
    ${hit.thumbnail
      ? html`<img src=${hit.thumbnail} alt=${caption} loading="lazy" width="320" height="180" />`
      : null}
    <span class="marks">
      <span class="number-mark">${number}</span>
      <span class=${`severity ${hit.severity}`}>${t(`severity_${hit.severity}`)}</span>
    </span>
    <span class="caption">${caption}</span>
    <span class="facts">${when(hit.time, language)}</span>
    <span class="facts">${hit.camera_name || hit.camera_id}</span>
    ${!hit.thumbnail && html`<span class="facts">${t("no_picture")}</span>`}
    ${!hit.certain && html`<span class="facts match">${t("possible")}</span>`}
    ${likeness > 0 && hit.matched.attributes === undefined && html`<span class="facts match">${t("alike")} ${likeness.toFixed(2)}</span>`}
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

/** @param {{tables: any[], t: (key: string) => string, language: "vi" | "en"}} props */
export function Tables({ tables, t, language }) {
  return tables.filter(({ table }) => table.rows.length > 1).map((item) => html`<${Table} ...${item} t=${t} language=${language} />`);
}

/** @param {{table: any, chart: any, t: (key: string) => string, language: "vi" | "en"}} props */
function Table({ table, chart, t, language }) {
  const compared = table.rows.some((/** @type {any} */ row) => row.compared !== null);
  const most = Math.max(1, ...table.rows.map((/** @type {any} */ row) => row.value));
  const bars = chart.kind !== "line";
  return html`<div class="table">
    ${chart.kind === "line" && html`<${Line} rows=${table.rows} />`}
    <table>
      <thead>
        <tr>
          ${table.group_by.map((/** @type {string} */ group) => html`<th scope="col">${t(`group_${group}`)}</th>`)}
          <th scope="col" class="number">${t("value")}</th>
          ${compared && html`<th scope="col" class="number">${t("before")}</th>`}
          ${bars && html`<td></td>`}
        </tr>
      </thead>
      <tbody>
        ${table.rows.map(
          (/** @type {any} */ row) => html`<tr>
            ${row.key.map((/** @type {string} */ part, /** @type {number} */ place) => html`<td>${period(table.group_by[place], part, language) ?? t(part)}</td>`)}
            <td class="number">${round(row.value)}</td>
            ${compared && html`<td class="number">${row.compared === null ? "–" : round(row.compared)}</td>`}
            ${bars && html`<td class="share"><${Bar} share=${row.value / most} /></td>`}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A row over time in words; null for what is no time. @param {string} group @param {string} key @param {"vi" | "en"} language */
function period(group, key, language) {
  const week = group === "week" ? /^\d{4}-W(\d{2})$/.exec(key) : null;
  if (week) return language === "vi" ? `Tuần ${Number(week[1])}` : `Week ${Number(week[1])}`;
  const at = new Date(group === "day" ? `${key}T00:00+07:00` : key);
  if (!["day", "hour"].includes(group) || Number.isNaN(at.getTime())) return null;
  const format = new Intl.DateTimeFormat(language === "vi" ? "vi-VN" : "en-GB", {
    timeZone: "Asia/Ho_Chi_Minh", weekday: "short", day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit",
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${group === "day" ? part.weekday : `${part.hour}:${part.minute}`} ${part.day}/${part.month}`;
}

/** @param {number | null} value */
function round(value) {
  if (value === null) return "–";
  return Number.isInteger(value) ? value : value.toFixed(2);
}

/** How much a row is of the largest; the number beside it says the same. @param {{share: number}} props */
function Bar({ share }) {
  return html`<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    <rect width=${share * 100} height="10" />
  </svg>`;
}

/** A line over time; the table below it says the same in figures. @param {{rows: any[]}} props */
function Line({ rows }) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  const step = 300 / Math.max(1, rows.length - 1);
  const points = rows.map((row, index) => `${index * step},${95 - (row.value / most) * 90}`).join(" ");
  return html`<svg class="line" viewBox="0 0 300 100" preserveAspectRatio="none" aria-hidden="true"><polyline points=${points} /></svg>`;
}
