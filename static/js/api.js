/* Requests to the API with the page's own session; errors carry words for people. */

export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
export const signedIn = () => Boolean(document.body.dataset.signedIn);

export class ApiError extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const WORDS = {
  0: "No connection. Try again when you are back online.",
  401: "Sign in first.",
  403: "You may not do that.",
  404: "This is gone.",
  429: "Slow down a little and try again.",
};

/** Send `method` to `path`, with `data` as JSON; returns the decoded answer or throws ApiError. */
export async function call(method, path, data) {
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        "X-CSRFToken": csrfToken(),
        Accept: "application/json",
        ...(data ? { "Content-Type": "application/json" } : {}),
      },
      body: data ? JSON.stringify(data) : undefined,
    });
  } catch {
    throw new ApiError(0, WORDS[0]);
  }
  const body = response.headers.get("Content-Type")?.includes("json") ? await response.json() : null;
  if (response.ok) return body;
  const words = body?.detail || WORDS[response.status] || "That did not work. Try again.";
  throw new ApiError(response.status, words, response.headers.get("Retry-After"));
}

/** The HTML of a page's fragment. */
export async function fragment(url, signal) {
  let response;
  try {
    response = await fetch(url, {
      credentials: "same-origin",
      headers: { "X-Fragment": "1", Accept: "text/html" },
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, WORDS[0]);
  }
  if (!response.ok) throw new ApiError(response.status, WORDS[response.status] ?? "");
  return response.text();
}
