/**
 * One file's way to the server, and what isn't worth sending. Knows no drafts and shows nothing.
 */
import { Refused, SignedOut, Unreachable, csrfToken } from "wb/api";
import { inBytes } from "wb/sizes";
import { gettext, interpolate } from "wb/words";

const BINARY = /^(?:audio|font|image|video)\/|zip|compressed|x-ms(?:dos|download)|executable/;

/**
 * @typedef {object} Limits
 * @property {number} max_bytes of one file @property {number} max_files of one message
 * @property {string[]} types MIME types that are taken; beside them every text, whatever its browser calls it
 */

/**
 * What the server would refuse, in words before anything is sent; "" for what it may take.
 * @param {{name: string, size: number, type: string}} file @param {Limits} limits
 */
export function refusalOf(file, { max_bytes: limit, types }) {
  const { name, size } = file;
  const most = inBytes(limit);
  if (size === 0) return interpolate(gettext("“%(name)s” is empty."), { name });
  if (size > limit) return interpolate(gettext("“%(name)s” is too large: at most %(most)s."), { name, most });
  if (!isTaken(file, types)) return interpolate(gettext("Files like “%(name)s” can’t be attached."), { name });
  return "";
}

/** Only what no server could take for a text is refused here: what a file is, its bytes say, and those it looks at. */
function isTaken({ type }, types) {
  return types.includes(type.split(";")[0]) || !BINARY.test(type);
}

/**
 * Sends a file. Raises as api.js does: SignedOut, Refused, Unreachable.
 * @param {string} address @param {File} file
 * @param {{onProgress: (share: number) => void, signal: AbortSignal}} doings `share` of 1; aborted, it is Unreachable
 * @returns {Promise<object>} what the server calls it: kind, file_id, name, mime_type, size
 */
export function upload(address, file, { onProgress, signal }) {
  const body = new FormData();
  body.append("file", file, file.name);
  const request = new XMLHttpRequest(); // fetch tells nothing of an upload's progress
  signal.addEventListener("abort", () => request.abort());
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0));
    for (const end of ["error", "abort", "timeout"]) {
      request.addEventListener(end, () => reject(new Unreachable(end)));
    }
    request.addEventListener("load", () => {
      try {
        resolve(recordOf(request));
      } catch (error) {
        reject(error);
      }
    });
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.send(body);
  });
}

function recordOf(request) {
  if (request.status === 401) throw new SignedOut();
  if (request.status !== 201) throw new Refused(request.status, reasonOf(request));
  return JSON.parse(request.responseText);
}

/** The server's words; a proxy before it may answer with a page of its own, and no words for our reader. */
function reasonOf(request) {
  const isJson = request.getResponseHeader("Content-Type")?.startsWith("application/json");
  if (isJson) return JSON.parse(request.responseText).message;
  return request.status === 413 ? gettext("The file is too large for this server.") : "";
}
