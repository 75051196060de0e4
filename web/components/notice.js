/** One sentence at the foot of the page, and what a screen reader is told. */
import { announcements } from '../announcer.js';
import { html } from '../html.js';
import { notice } from '../state.js';

export function Notice() {
  return html`
    <p class="notice" role="alert" hidden=${!notice.value}>${notice.value}</p>
    <div class="unseen" role="log" aria-live="polite">
      ${announcements.value.map(({ id, sentence }) => html`<p key=${id}>${sentence}</p>`)}
    </div>
  `;
}
