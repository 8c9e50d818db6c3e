/** The page's words in Vietnamese and English, from the catalogue files. */

/** Both catalogues: an answer is shown in the language it was asked in. */
export async function load() {
  const [vi, en] = await Promise.all(
    ["vi", "en"].map(async (language) => (await fetch(new URL(`../locales/${language}.json`, import.meta.url))).json()),
  );
  return { vi, en };
}

/** The last choice of language, Vietnamese at first. */
export function chosen() {
  return localStorage.getItem("language") === "en" ? "en" : "vi";
}

/** @param {"vi" | "en"} language */
export function choose(language) {
  localStorage.setItem("language", language);
}

/** A local time of Vietnam. @param {string} value @param {"vi" | "en"} language */
export function when(value, language) {
  return new Intl.DateTimeFormat(language === "vi" ? "vi-VN" : "en-GB", {
    timeZone: "Asia/Ho_Chi_Minh",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    day: "2-digit",
    month: "2-digit",
    year: "numeric",
  }).format(new Date(value));
}
