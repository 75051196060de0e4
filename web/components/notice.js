/** One sentence at the head of the page, over all that is open; and what a screen reader is told. */
import { announcements } from '../announcer.js';
import { html } from '../html.js';
import { notice } from '../state.js';
import { useLayoutEffect, useRef } from '../vendor/preact-hooks.js';

export function Notice() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const sentence = notice.value;
  useLayoutEffect(() => {
    if (!sentence) return undefined;
    box.current.showPopover(); // the last one shown lies over the others
    return () => box.current?.hidePopover();
  }, [sentence]);
  return html`
    <p class="notice" role="alert" popover="manual" ref=${box}>${sentence}</p>
    <div class="unseen" role="log" aria-live="polite">
      ${announcements.value.map(({ id, sentence: told }) => html`<p key=${id}>${told}</p>`)}
    </div>
  `;
}
