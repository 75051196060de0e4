/** Where one writes: Enter sends, Shift+Enter begins a new line, ↑ in an empty box changes what one said last. */
import { keep, kept, prepared } from '../../chat/draft.js';
import { inOneLine } from '../../chat/rich.js';
import { answer, answering, edit, lastOfMine, writing } from '../../chat/state.js';
import { html } from '../../html.js';
import { room } from '../../state.js';
import { t } from '../../text.js';
import { useEffect, useRef } from '../../vendor/preact-hooks.js';
import { useSignal } from '../../vendor/signals.js';
import { Close, Send } from '../icons.js';
import { Reply } from './icons.js';

const MOST_ROWS = 6;
/** More people than these are "several". */
const MOST_NAMES = 2;

/** @param {{visit: import('../../visit.js').RoomVisit, roomId: string}} props */
export function Composer({ visit, roomId }) {
  const text = useSignal(kept(roomId));
  const box = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const { message, excess, ready } = prepared(text.value);
  const answered = answering.value;
  useEffect(() => answered && box.current.focus(), [answered]);

  const write = (typed) => {
    text.value = typed;
    keep(roomId, typed);
    visit.chat.typed(typed.trim() !== '');
  };
  const send = (event) => {
    event.preventDefault();
    if (!ready) return;
    visit.chat.say(message);
    text.value = '';
    keep(roomId, '');
  };
  const keyed = (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send(event);
    if (event.key === 'Escape') answer(null);
    const last = event.key === 'ArrowUp' && !text.value && lastOfMine();
    if (!last) return;
    event.preventDefault();
    edit(last.id);
  };

  return html`
    <form class="composer" onSubmit=${send}>
      <${Writing} />
      ${answered && html`
        <p class="answering">
          <${Reply} /><span>${t('replyTo', { name: answered.name })} <q>${inOneLine(answered.text)}</q></span>
          <button type="button" class="quiet round" aria-label=${t('noReply')} title=${t('noReply')} onClick=${() => answer(null)}><${Close} /></button>
        </p>
      `}
      <textarea ref=${box}
        rows=${Math.min(MOST_ROWS, text.value.split('\n').length)}
        aria-label=${t('messageTo', { room: room.value?.name ?? '' })}
        placeholder=${t('message')}
        value=${text.value}
        onInput=${(event) => write(event.currentTarget.value)}
        onKeyDown=${keyed}
      />
      <button class="primary round" aria-label=${t('send')} title=${t('send')} disabled=${!ready}><${Send} /></button>
      ${excess > 0 && html`<p class="note wrong" role="alert">${t('tooLong', { n: excess })}</p>`}
    </form>
  `;
}

/** Not told to a screen reader: it would never be silent. */
function Writing() {
  const names = [...writing.value.values()];
  const key = names.length > MOST_NAMES ? 'writesMany' : names.length === 2 ? 'writesTwo' : 'writesOne';
  const [name, other] = names;
  return html`<p class="writing" aria-hidden="true">${names.length > 0 && html`<i /><span>${t(key, { name, other })}</span>`}</p>`;
}
