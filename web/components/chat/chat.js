/** The chat: history that grows upwards, and a place to write. */
import { html } from '../../html.js';
import { history, messages, older, pending } from '../../chat/state.js';
import { room } from '../../state.js';
import { t } from '../../text.js';
import { useEffect, useLayoutEffect, useRef } from '../../vendor/preact-hooks.js';
import { useSignal } from '../../vendor/signals.js';
import { Composer } from './composer.js';
import { Down } from '../icons.js';
import { MessageList } from './messages.js';

/** This near to the end counts as being at it, this near to the top asks for more. Pixels. */
const AT_END = 48;
const NEAR_TOP = 300;

/** @param {{visit: import('../../visit.js').RoomVisit}} props */
export function Chat({ visit }) {
  return html`
    <section class="chat" aria-label=${t('chat')}>
      <${Log} visit=${visit} />
      <${Composer} say=${(text) => visit.chat.say(text)} label=${t('messageTo', { room: room.value?.name ?? '' })} />
    </section>
  `;
}

function Log({ visit }) {
  const box = useRef(null);
  const atEnd = useRef(true);
  const shown = useRef({ height: 0, first: '', last: '' });
  const unseen = useSignal(false);
  const first = messages.value[0]?.id ?? '';
  const last = pending.value.at(-1)?.id ?? messages.value.at(-1)?.id ?? '';

  const toEnd = () => (box.current.scrollTop = box.current.scrollHeight);

  useLayoutEffect(() => {
    const { height, first: firstBefore, last: lastBefore } = shown.current;
    const element = box.current;
    if (atEnd.current || (pending.value.length && last !== lastBefore)) toEnd();
    else if (first !== firstBefore) element.scrollTop += element.scrollHeight - height; // what was read stays in view
    else if (last !== lastBefore) unseen.value = true;
    shown.current = { height: element.scrollHeight, first, last };
    if (element.scrollHeight <= element.clientHeight) visit.chat.loadOlder();
  }, [first, last]);

  useEffect(() => {
    const element = box.current;
    const observer = new ResizeObserver(() => atEnd.current && (element.scrollTop = element.scrollHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    atEnd.current = scrollHeight - scrollTop - clientHeight < AT_END;
    if (atEnd.current) unseen.value = false;
    if (scrollTop < NEAR_TOP) visit.chat.loadOlder();
  };

  return html`
    <div class="log" ref=${box} onScroll=${scrolled} tabindex="0" role="log" aria-label=${t('chat')} aria-busy=${history.value === 'loading' || older.value.loading}>
      <${Top} load=${() => visit.chat.loadOlder()} />
      <${MessageList} visit=${visit} />
    </div>
    ${unseen.value && html`<button class="to-end" onClick=${toEnd}><${Down} />${t('newMessages')}</button>`}
  `;
}

function Top({ load }) {
  if (history.value === 'loading') return html`<p class="log-note">${t('loading')}</p>`;
  if (history.value === 'failed') return html`<p class="log-note" role="alert">${t('historyFailed')}</p>`;
  if (older.value.loading) return html`<p class="log-note">${t('loadingOlder')}</p>`;
  if (older.value.cursor) return html`<button class="log-note quiet" onClick=${load}>${t('olderMessages')}</button>`;
  return html`<p class="log-note">${t(messages.value.length ? 'beginning' : 'noMessages')}</p>`;
}
