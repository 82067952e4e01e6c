/**
 * What this tab remembers over a reload: drafts, and the message on its way. Small texts under a key. And what the
 * server has to know before it writes a page, in cookies.
 */
const YEAR = 365 * 24 * 3600; // seconds

export const recall = (key) => sessionStorage.getItem(key);

/** Keeps `text` under `key`; null or "" forgets it. A text beyond the browser's quota isn't kept, and false says so. */
export function remember(key, text) {
  if (text === null || text === "") {
    sessionStorage.removeItem(key);
    return true;
  }
  try {
    sessionStorage.setItem(key, text);
    return true;
  } catch (error) {
    if (error.name !== "QuotaExceededError") throw error;
    sessionStorage.removeItem(key); // an older state would come back as if it were the newest
    return false;
  }
}

/** Keeps `text` in a cookie for a year; "" forgets it. It and `name` are words of our own, which need no escaping. */
export function tellServer(name, text) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${text}; path=/; max-age=${text === "" ? 0 : YEAR}; samesite=lax${secure}`;
}
