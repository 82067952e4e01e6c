/**
 * The starts that wait for the server's word, one a chat at most. Kept in sessionStorage, so that neither a dropped
 * socket nor a reload loses one or sends it twice: a request_id is made once, and the server attaches a repeat.
 */
import { recall, remember } from "wb/storage";

const LONGEST_FRAME = 1 << 20; // bytes; the server takes no longer ones (docs/websocket.md)

/** A key that no other start has. crypto.randomUUID exists only on HTTPS and localhost. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @typedef {object} Sent
 * @property {object} frame @property {string | null} text null for one more answer @property {object[]} files
 * @property {string} place where it was sent: a chat's id, or which of the tab's new chats
 * @property {boolean} stop asked to stop before the server had accepted it
 */

/** What the server is sent of a message. Of a file it knows the rest. */
function partsOf(text, files) {
  const attached = files.map(({ kind, file_id }) => ({ kind, file_id }));
  return text === "" ? attached : [{ kind: "text", content: text }, ...attached];
}

export class Outbox {
  #key;
  #send;
  /** @type {Sent[]} */
  #waiting;

  constructor(userId, send) {
    this.#key = `outbox:${userId}`;
    this.#send = send;
    this.#waiting = JSON.parse(recall(this.#key)) ?? [];
  }

  /** What waits in a place. @returns {Sent | undefined} */
  at(place) {
    return this.#waiting.find((sent) => sent.place === place);
  }

  /** The places in which something waits. */
  get places() {
    return this.#waiting.map((sent) => sent.place);
  }

  /** Sends a start, now or as soon as there is a socket. False for one that's too long to be sent at all. */
  put({ text, files = [], chatId, place, ...fields }) {
    const frame = { type: "start", request_id: newKey(), merge: true, ...fields };
    if (chatId !== null) frame.chat_id = chatId;
    if (text !== null) frame.parts = partsOf(text, files);
    if (new TextEncoder().encode(JSON.stringify(frame)).length > LONGEST_FRAME) return false;
    this.#waiting.push({ frame, text, files, place, stop: false });
    this.#keep();
    this.#send(frame);
    return true;
  }

  /** All of them, at every hello. */
  resend() {
    for (const { frame } of this.#waiting) this.#send(frame);
  }

  /** To be cancelled as soon as the server has accepted it. */
  stop(place) {
    const sent = this.at(place);
    if (sent) sent.stop = true;
    this.#keep();
  }

  isWaitingFor(requestId) {
    return this.#waiting.some((sent) => sent.frame.request_id === requestId);
  }

  /** The waiting start, if `requestId` (of `started` or `error`) is one's; it waits no longer. @returns {Sent | null} */
  settle(requestId) {
    const settled = this.#waiting.find((sent) => sent.frame.request_id === requestId);
    if (settled === undefined) return null;
    this.#waiting = this.#waiting.filter((sent) => sent !== settled);
    this.#keep();
    return settled;
  }

  #keep() {
    remember(this.#key, this.#waiting.length > 0 ? JSON.stringify(this.#waiting) : null);
  }
}
