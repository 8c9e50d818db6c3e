/** Talking to the center: JSON calls, and the event stream of a chat turn. */

export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What went wrong as a key of the catalogue; the center's own sentence where it has none. @param {any} error @param {(key: string) => string} t */
export function troubleOf(error, t) {
  if (!(error instanceof ApiError)) return "network";
  const key = `problem_${error.code}`;
  return t(key) === key ? error.message || "network" : key;
}

/** @param {Response} response */
async function problem(response) {
  let body = {};
  try {
    body = await response.json();
  } catch {
    // an answer that is no JSON says nothing more than its status
  }
  return new ApiError(response.status, body.code ?? body.rule ?? "http", body.message ?? "");
}

/** @param {string} path @param {RequestInit} [options] */
export async function call(path, options = {}) {
  const response = await fetch(path, { credentials: "same-origin", ...options });
  if (!response.ok) throw await problem(response);
  return response.status === 204 ? null : response.json();
}

/** @param {string} path @param {unknown} body */
export function post(path, body) {
  return call(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/**
 * Call a tool; the ToolResult comes back whatever its outcome is.
 * @param {string} name @param {Record<string, unknown>} args
 */
export async function tool(name, args) {
  const response = await fetch(`/api/v1/tools/${name}`, {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(args),
  });
  const body = await response.json().catch(() => null);
  if (body === null || !("outcome" in body)) throw new ApiError(response.status, body?.code ?? "http", body?.message ?? "");
  return body;
}

/**
 * One turn of the chat as events `{event, data}`; aborting the signal stops the turn on the server too.
 * @param {{text: string, conversation_id?: string}} said @param {AbortSignal} signal
 */
export async function* chat(said, signal) {
  const response = await fetch("/api/v1/chat", {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify(said),
    signal,
  });
  if (!response.ok || !response.body) throw await problem(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value.replaceAll("\r\n", "\n");
    for (let end = waiting.indexOf("\n\n"); end >= 0; end = waiting.indexOf("\n\n")) {
      const parsed = parse(waiting.slice(0, end));
      waiting = waiting.slice(end + 2);
      if (parsed) yield parsed;
    }
  }
}

/** @param {string} block */
export function parse(block) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}
