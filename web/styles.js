/** Style sheets that come with the page that needs them. */
import { file } from './files.js';

/** @type {Map<string, Promise<unknown>>} */
const asked = new Map();

/** Once the sheets are there. @param {string[]} names */
export const styled = (...names) => Promise.all(names.map((name) => asked.get(name) ?? ask(name)));

function ask(name) {
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: file(`${name}.css`) });
  const loaded = new Promise((resolve, reject) => Object.assign(link, { onload: resolve, onerror: reject }));
  loaded.catch(() => (asked.delete(name), link.remove())); // to be asked for again
  asked.set(name, loaded);
  document.head.append(link);
  return loaded;
}
