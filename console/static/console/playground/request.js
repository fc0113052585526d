// Sends a request to the page's own server and reads the streamed answer.

import { eventsOf } from "./sse.js";

/** What the server or the connection said was wrong; the message is for people. */
export class RequestError extends Error {}

/** Feeds an Answer until it is complete, calling onNews after each part. Raises RequestError, or AbortError. */
export async function send(body, answer, { url, csrfToken, signal, texts, fill, onNews }) {
  const response = await post(url, body, csrfToken, signal, texts, fill);
  for await (const data of events(response, signal, texts, fill)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new RequestError(chunk.error.message);
    answer.add(chunk);
    onNews(answer);
  }
  throw new RequestError(texts.cutStream);
}

async function post(url, body, csrfToken, signal, texts, fill) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken };
  let response;
  try {
    response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal });
  } catch (error) {
    throw signal.aborted ? error : new RequestError(fill(texts.notReached, error.message));
  }
  if (!response.ok) throw new RequestError(await messageOf(response, texts, fill));
  return response;
}

async function* events(response, signal, texts, fill) {
  try {
    yield* eventsOf(response);
  } catch (error) {
    throw signal.aborted ? error : new RequestError(fill(texts.notReached, error.message));
  }
}

async function messageOf(response, texts, fill) {
  try {
    return (await response.json()).error.message;
  } catch {
    return fill(texts.badStatus, response.status);
  }
}
