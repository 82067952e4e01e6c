/**
 * The REST API with the session's cookie. Frames are hints; what this reads is the truth.
 */

export class SignedOut extends Error {}

/** No answer at all: the network's trouble, which the socket notices too. */
export class Unreachable extends Error {}

export class Refused extends Error {
  /** @param {number} status @param {string} message in the server's words, where it gave any */
  constructor(status, message) {
    super(message || `HTTP ${status}`);
    this.status = status;
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
  if (!response.ok) throw new Refused(response.status, await reasonOf(response));
  return response.status === 204 ? null : response[as]();
}

/** Read each time: signing in again, in another tab, gives another one. */
export function csrfToken() {
  return /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}

async function reasonOf(response) {
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  return isJson ? (await response.json()).message : "";
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
    return ask(next ?? `${this.#root}chats/?status=${status}&limit=50`);
  }

  /** The pinned ones, wherever they are in the list. */
  pinnedChats(status) {
    return ask(`${this.#root}chats/?status=${status}&pinned=true&limit=100`);
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

  deleteFile(id) {
    return ask(this.file(id), { method: "DELETE" });
  }

  /** A stored file's words. */
  textOf(id) {
    return ask(this.file(id), { as: "text" });
  }

  /** The reader's prompts, a page of them: `{results, next}`. */
  prompts(next = null) {
    return ask(next ?? `${this.#root}prompts/?limit=100`);
  }

  /** Where a chat can be had as a file. */
  exportOf(chatId, format) {
    return `${this.#root}chats/${chatId}/export/?format=${format}`;
  }
}
