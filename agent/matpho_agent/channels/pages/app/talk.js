/** The open conversation over a reload of the page: in this tab alone, until signing out, a new conversation or closing. */

const KEY = "talk";
const KEPT = 20;
/** Turns that are kept; the server remembers what the talk is about. */
const NEVER = new Set(["identity_check_result"]);
/** Answers that must not outlive their moment on a screen. */

/** @param {string} user @returns {{conversation: string | null, turns: any[]}} */
export function recall(user) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (kept && kept.user === user && Array.isArray(kept.turns)) {
      return { ...kept, turns: kept.turns.map((/** @type {any} */ turn) => ({ ...turn, settled: true })) };
    }
  } catch {
    // what cannot be read is as good as nothing
  }
  forget();
  return { conversation: null, turns: [] };
}

/** @param {string} user @param {string | null} conversation @param {any[]} turns @param {string} left what stands for an answer that is not kept */
export function keep(user, conversation, turns, left) {
  if (!conversation) return;
  const kept = turns.slice(-KEPT).map(({ calls, ...turn }) => {
    const media = turn.media.filter((/** @type {any} */ item) => item.url);
    return calls?.some((/** @type {any} */ one) => NEVER.has(one.name)) ? { ...turn, media, answer: left } : { ...turn, media };
  });
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ user, conversation, turns: kept }));
  } catch {
    forget(); // no room
  }
}

export function forget() {
  sessionStorage.removeItem(KEY);
}
