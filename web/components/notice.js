/** One sentence at the foot of the page, and what a screen reader is told. */
import { html } from '../html.js';
import { announcement, notice } from '../state.js';

export function Notice() {
  return html`
    <p class="notice" role="alert" hidden=${!notice.value}>${notice.value}</p>
    <p class="unseen" role="status">${announcement.value}</p>
  `;
}
