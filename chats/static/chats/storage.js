/**
 * What this tab remembers over a reload: drafts, and the message on its way. Small texts under a key.
 */

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
