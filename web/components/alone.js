/** A page that has one thing to say, and the ways on. */
import { html } from '../html.js';
import { follow } from '../router.js';
import { t } from '../text.js';
import { Header } from './header.js';
import { Main } from './main.js';

/** @param {{text: string, hint?: string, grave?: boolean, rooms?: boolean, children?: any}} props `grave`: it went wrong;
 * `rooms`: there is a way to the rooms; the children are other ways */
export function Alone({ text, hint, grave, rooms, children }) {
  return html`
    <${Header} />
    <${Main} class="shut-out card">
      <div role=${grave ? 'alert' : 'status'}><h1>${text}</h1>${hint && html`<p>${hint}</p>`}</div>
      <div class="buttons">
        ${rooms && html`<a class="button" href="/" onClick=${follow}>${t('toRooms')}</a>`}
        ${children}
      </div>
    <//>
  `;
}
