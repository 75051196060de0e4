/** Where the page's files are: an address that changes when they do, so that they are kept for good (gateway/edition.py). */
const BASE = /** @type {HTMLScriptElement} */ (document.querySelector('script[type=module]')).src;

/** The address of a file. @param {string} name */
export const file = (name) => new URL(name, BASE).pathname;
