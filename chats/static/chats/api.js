/**
 * The REST API with the session's cookie. Frames are hints; what this reads is the truth.
 */

const MOST = 1000; // prompts or personas that are read

export class SignedOut extends Error {}

/** No answer at all: the network's trouble, which the socket notices too. */
export class Unreachable extends Error {}

export class Refused extends Error {
  /**
   * @param {number} status @param {string} [message] in the server's words, where it gave any
   * @param {Record<string, string[]>} [fields] what is wrong with which
   */
  constructor(status, message, fields = {}) {
    super(message || `HTTP ${status}`);
    this.status = status;
    this.words = message ?? "";
    this.fields = fields;
  }
}

/** Lists link to their next page by a whole address; only its path counts, since a proxy may hide our scheme. */
async function ask(address, { method = "GET", body, keepalive = false, as = "json" } = {}) {
  const { pathname, search } = new URL(address, location.href);
  const headers = { Accept: as === "json" ? "application/json" : "*/*" };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const options = { method, headers, keepalive, body: JSON.stringify(body), credentials: "same-origin" };
  const response = await fetch(pathname + search, options).catch((error) => {
    throw new Unreachable(error.message);
  });
  if (response.status === 401) throw new SignedOut();
  if (!response.ok) {
    const { message, fields } = await toldBy(response);
    throw new Refused(response.status, message, fields);
  }
  return response.status === 204 ? null : response[as]();
}

/** Read each time: signing in again, in another tab, gives another one. */
export function csrfToken() {
  return /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}

async function toldBy(response) {
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  return isJson ? response.json().catch(() => ({})) : {}; // or cut off
}

export class Api {
  #root;
  #stateOf;

  /** `stateOf(chatId)` is the address of what a chat's page brings. */
  constructor(root, stateOf) {
    this.#root = root;
    this.#stateOf = stateOf;
  }

  chat(id) {
    return ask(`${this.#root}chats/${id}/`);
  }

  /** A chat's active branch: `{chat, messages, tree}`, as its page brings it. */
  state(chatId) {
    return ask(this.#stateOf(chatId));
  }

  /** A page of the chat list, `{results, next}`; `next` of the page before gives the following ones. */
  chats({ status = "active", next = null } = {}) {
    return ask(next ?? `${this.#root}chats/?status=${status}&limit=50&ordering=-last_message_at`);
  }

  /** The pinned ones, wherever they are in the list. */
  pinnedChats(status) {
    return ask(`${this.#root}chats/?status=${status}&pinned=true&limit=100&ordering=-last_message_at`);
  }

  search(text) {
    return ask(`${this.#root}search/?q=${encodeURIComponent(text)}`);
  }

  /** The messages of one branch, root first, however many pages they are. */
  async branch(chatId, leaf) {
    const messages = [];
    let url = `${this.#root}chats/${chatId}/messages/?leaf=${leaf}&limit=100`;
    while (url) {
      const page = await ask(url);
      messages.push(...page.results);
      url = page.next;
    }
    return messages;
  }

  changeChat(id, changes) {
    return ask(`${this.#root}chats/${id}/`, { method: "PATCH", body: changes });
  }

  /** `keepalive`: also when the page is being left. */
  deleteChat(id, { keepalive = false } = {}) {
    return ask(`${this.#root}chats/${id}/`, { method: "DELETE", keepalive });
  }

  rate(messageId, rating, comment) {
    return ask(`${this.#root}messages/${messageId}/feedback/`, { method: "PUT", body: { rating, comment } });
  }

  /** Where a stored file can be had, and without an id where one is sent to. */
  file(id = "") {
    return `${this.#root}files/${id && `${encodeURIComponent(id)}/`}`;
  }

  /** Gives up a file that isn't wanted any more. What the server keeps, because a message has it, it keeps. */
  discardFile(id) {
    return ask(this.file(id), { method: "DELETE" }).catch((error) => {
      if (!(error instanceof Refused)) throw error;
    });
  }

  /** A stored file's words. */
  textOf(id) {
    return ask(this.file(id), { as: "text" });
  }

  /** The prompts or personas that the reader may use, `MOST` of them. */
  async allKept(kind) {
    const kept = [];
    let url = `${this.#root}${kind}/?limit=100`;
    while (url && kept.length < MOST) {
      const page = await ask(url);
      kept.push(...page.results);
      url = page.next;
    }
    return kept;
  }

  /** Makes one of the reader's own, or changes the one with that id. */
  keep(kind, fields, id) {
    const one = id ? `${id}/` : "";
    return ask(`${this.#root}${kind}/${one}`, { method: id ? "PATCH" : "POST", body: fields });
  }

  deleteKept(kind, id) {
    return ask(`${this.#root}${kind}/${id}/`, { method: "DELETE" });
  }

  /** Where a chat can be had as a file. */
  exportOf(chatId, format) {
    return `${this.#root}chats/${chatId}/export/?format=${format}`;
  }
}
