/** The chat: what has been said, and a place to write. */
import { askToDelete, deleting } from '../../chat/state.js';
import { html } from '../../html.js';
import { t } from '../../text.js';
import { useSignal } from '../../vendor/signals.js';
import { Dialog } from '../dialog.js';
import { Search as Glass } from '../icons.js';
import { Composer } from './composer.js';
import { Log } from './log.js';
import { MessageMenu } from './menu.js';
import { Search } from './search.js';

/** @param {{visit: import('../../visit.js').RoomVisit, roomId: string}} props */
export function Chat({ visit, roomId }) {
  const searching = useSignal(false);
  return html`
    <section class="chat" aria-label=${t('chat')}>
      <header class="chat-head">
        <h2>${t('chat')}</h2>
        <button class="open-search round" aria-label=${t('searchChat')} title=${t('searchChat')} aria-expanded=${String(searching.value)}
          onClick=${() => (searching.value = true)}><${Glass} /></button>
      </header>
      <div class="chat-log"><${Log} visit=${visit} /></div>
      ${searching.value && html`<${Search} roomId=${roomId} close=${() => (searching.value = false)} />`}
      <${Composer} key=${roomId} visit=${visit} roomId=${roomId} />
      <${MessageMenu} visit=${visit} />
      ${deleting.value && html`<${Delete} message=${deleting.value} visit=${visit} />`}
    </section>
  `;
}

function Delete({ message, visit }) {
  const close = () => askToDelete(null);
  const act = () => {
    close();
    visit.chat.delete(message.id);
  };
  return html`
    <${Dialog} title=${t('deleteMessage')} close=${close}>
      <p>${t('deleteForGood')}</p>
      <blockquote class="doomed">${message.text}</blockquote>
      <div class="buttons">
        <button onClick=${close}>${t('cancel')}</button>
        <button class="grave filled" onClick=${act}>${t('delete')}</button>
      </div>
    <//>
  `;
}
