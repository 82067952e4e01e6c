// Lets node import the page's modules as the page does: by bare names, as modules; and marked where it is installed.
import { register } from "node:module";

const hooks = `
const root = new URL("../../chats/static/chats/", "${import.meta.url}");
const marked = new URL("../../deploy/npm/node_modules/marked/lib/marked.esm.js", "${import.meta.url}");
export async function resolve(specifier, context, next) {
  const own = specifier.startsWith("wb/");
  if (specifier === "marked") return { url: marked.href, shortCircuit: true };
  return own ? { url: new URL(specifier.slice(3) + ".js", root).href, shortCircuit: true } : next(specifier, context);
}
export async function load(url, context, next) {
  return next(url, url.startsWith(root.href) ? { ...context, format: "module" } : context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
