/**
 * Reads of the REST API with the session's cookie. Frames are hints; what these give is the truth.
 */

export class SignedOut extends Error {}

/** No answer at all: the network's trouble, which the socket notices too. */
export class Unreachable extends Error {}

export class Refused extends Error {
  constructor(status) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/** Lists link to their next page by a whole address; only its path counts, since a proxy may hide our scheme. */
async function get(address) {
  const { pathname, search } = new URL(address, location.href);
  const request = fetch(pathname + search, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  const response = await request.catch((error) => {
    throw new Unreachable(error.message);
  });
  if (response.status === 401) throw new SignedOut();
  if (!response.ok) throw new Refused(response.status);
  return response.json();
}

export class Api {
  #root;

  constructor(root) {
    this.#root = root;
  }

  chat(id) {
    return get(`${this.#root}chats/${id}/`);
  }

  /** A page of the chat list, `{results, next}`; the first without an address. */
  chats(url = `${this.#root}chats/?status=active&limit=50`) {
    return get(url);
  }

  /** The messages of one branch, root first, however many pages they are. */
  async branch(chatId, leaf) {
    const messages = [];
    let url = `${this.#root}chats/${chatId}/messages/?leaf=${leaf}&limit=100`;
    while (url) {
      const page = await get(url);
      messages.push(...page.results);
      url = page.next;
    }
    return messages;
  }
}
