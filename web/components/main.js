/** What a page is about: the skip link leads to it, and so does a link from another page, for the keyboard. */
import { html } from '../html.js';
import { hasMoved } from '../router.js';
import { useEffect, useRef } from '../vendor/preact-hooks.js';

/** @param {{children: any, [name: string]: any}} props */
export function Main({ children, ...props }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const free = document.activeElement === document.body || !document.activeElement?.isConnected;
    if (hasMoved() && free) box.current.focus({ preventScroll: true });
  }, []);
  return html`<main id="main" tabindex="-1" ref=${box} ...${props}>${children}</main>`;
}
