/**
 * The addresses of chats, and of the socket, from the patterns that the server gives.
 */
export class Addresses {
  #urls;

  /** @param {{home: string, chat: string, login: string, socket: string}} urls `chat` with {id} in it */
  constructor(urls) {
    this.#urls = urls;
  }

  get home() {
    return this.#urls.home;
  }

  /** Of a chat, or of a new one (null). @param {string | null} id */
  chat(id) {
    return id === null ? this.home : this.#urls.chat.replace("{id}", id);
  }

  /** Of what a chat's page brings, alone. */
  state(id) {
    return `${this.chat(id)}state/`;
  }

  /** The id of the chat whose page a path is; null for a new chat's. */
  chatIn(path) {
    const [before, after] = this.#urls.chat.split("{id}");
    return path.startsWith(before) && path.endsWith(after) ? path.slice(before.length, -after.length) : null;
  }

  /** The login page, which leads back here. */
  get login() {
    return `${this.#urls.login}?next=${encodeURIComponent(location.pathname)}`;
  }

  get socket() {
    return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${this.#urls.socket}`;
  }
}
