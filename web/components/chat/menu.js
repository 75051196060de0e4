/** What can be done with a message: beside it, and on a phone at the foot of the page. */
import { answer, askToDelete, edit } from '../../chat/state.js';
import { html } from '../../html.js';
import { myId, people } from '../../state.js';
import { t } from '../../text.js';
import { signal } from '../../vendor/signals-core.js';
import { useLayoutEffect, useRef } from '../../vendor/preact-hooks.js';
import { Emojis } from '../emojis.js';
import { Copy } from '../icons.js';
import { Command, Menu } from '../popup.js';
import { Pencil, Reply, Trash } from './icons.js';

const EMOJIS = ['👍', '❤️', '😄', '🎉', '🤔', '👀', '✅', '🙏'];
const MARGIN = 8;

const opened = signal(/** @type {{message: Said, opener: HTMLElement} | null} */ (null));
/** @typedef {import('../../chat/state.js').Message} Said */

/** @param {Said} message @param {HTMLElement} opener beside which it opens, and which gets the focus back */
export const openMenu = (message, opener) => (opened.value = { message, opener });

/** @param {{visit: import('../../visit.js').RoomVisit}} props */
export function MessageMenu({ visit }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const { message, opener } = opened.value ?? {};
  useLayoutEffect(() => {
    if (!opener) return;
    box.current.showPopover();
    place(box.current, opener);
    box.current.querySelector('[role=menuitem]').focus();
  }, [opener, message]);

  const toggled = ({ newState }) => {
    if (newState === 'open') return;
    const lost = box.current.contains(document.activeElement) || document.activeElement === document.body;
    if (lost) opener?.closest('.message')?.focus();
    if (opened.value?.opener === opener) opened.value = null;
  };
  const does = (act) => () => {
    box.current.hidePopover();
    act();
  };
  return html`
    <div class="message-menu" popover ref=${box} onToggle=${toggled}>
      ${message && html`<${Commands} message=${message} visit=${visit} does=${does} />`}
    </div>
  `;
}

function Commands({ message, visit, does }) {
  const mine = message.userId === myId.value;
  const role = people.value.find(({ id }) => id === myId.value)?.role;
  const moderates = role === 'owner' || role === 'moderator';
  return html`
    <${Menu} label=${t('messageMenu')}>
      <${Emojis} emojis=${EMOJIS} choose=${(emoji) => does(() => visit.chat.react(message, emoji))()} />
      <${Command} icon=${Reply} act=${does(() => answer(message))}>${t('reply')}<//>
      <${Command} icon=${Copy} act=${does(() => navigator.clipboard?.writeText(message.text))}>${t('copyText')}<//>
      ${mine && html`<${Command} icon=${Pencil} act=${does(() => edit(message.id))}>${t('edit')}<//>`}
      ${(mine || moderates) && html`<${Command} icon=${Trash} grave act=${does(() => askToDelete(message))}>${t('delete')}<//>`}
    <//>
  `;
}

/** Below what opened it, or above where there is more room. A phone's place is in the style sheet. */
function place(box, opener) {
  const { left, right, top, bottom } = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const x = Math.min(Math.max(MARGIN, Math.min(right, left + 2 * width) - width), innerWidth - width - MARGIN);
  const y = bottom + height + MARGIN < innerHeight ? Math.max(MARGIN, bottom + 4) : Math.max(MARGIN, top - height - 4);
  box.style.setProperty('--x', `${x}px`);
  box.style.setProperty('--y', `${Math.min(y, innerHeight - height - MARGIN)}px`);
}
