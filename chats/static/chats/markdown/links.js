/**
 * Which addresses of an answer the page may use. Pure.
 *
 * A model says what it was made to say, so a link leads to the web, to a mail program or to this site and nowhere
 * else, and an image is loaded from this site alone: the address of one elsewhere could carry words of the chat.
 */
import { decoded } from "wb/markdown/entities";

const SCHEMES = new Set(["http:", "https:", "mailto:"]);
const INLINE_IMAGE = /^data:image\/(?:png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/=]+$/;

/** The address to link to, or null. `origin` is the page's. */
export function linkAddress(href, origin = globalThis.location?.origin) {
  const url = parsed(href, origin);
  return url && SCHEMES.has(url.protocol) ? url.href : null;
}

/** The address to load an image from, or null: this site's own, or one that brings its content with it. */
export function imageAddress(href, origin = globalThis.location?.origin) {
  if (INLINE_IMAGE.test(href)) return href;
  const url = parsed(href, origin);
  return url && url.origin === origin && /^https?:$/.test(url.protocol) ? url.href : null;
}

/** The host that a link really leads to, where its words name another one; else null. */
export function hostBehind(words, address) {
  const claimed = /^(?:https?:\/\/)?(?:[^@/\s]*@)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?=[:/?#]|$)/i.exec(words.trim())?.[1];
  if (!claimed) return null;
  const { hostname, pathname, protocol } = new URL(address);
  const host = protocol === "mailto:" ? (pathname.split("@").at(-1) ?? "") : hostname;
  const bare = (name) => name.toLowerCase().replace(/^www\./, "");
  return bare(claimed) === bare(host) ? null : host;
}

/** Absolute, or from this site's root; relative to the chat's own address is never what was meant. */
function parsed(href, origin) {
  const address = decoded(href).trim();
  if (!/^(?:[a-z][a-z0-9+.-]*:|\/(?![/\\]))/i.test(address)) return null;
  try {
    return new URL(address, origin);
  } catch {
    return null; // not an address: its words are shown, without a link
  }
}
