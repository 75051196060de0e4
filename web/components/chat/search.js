/** Looking for words in what was said: what is found leads to its place in the log. */
import * as api from '../../api.js';
import { messageOfItem } from '../../chat/message.js';
import { inOneLine } from '../../chat/rich.js';
import { show } from '../../chat/state.js';
import { html } from '../../html.js';
import { errorText, locale, t } from '../../text.js';
import { useEffect, useLayoutEffect, useRef } from '../../vendor/preact-hooks.js';
import { useSignal } from '../../vendor/signals.js';
import { Close } from '../icons.js';

/** What one types is looked for when one stops. */
const PAUSE_MS = 250;
const NOTHING = { items: [], next: '', state: 'none', problem: '' };

/** @param {{roomId: string, close: () => void}} props */
export function Search({ roomId, close }) {
  const words = useSignal('');
  const found = useSignal(NOTHING);
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  useLayoutEffect(() => box.current.focus(), []);

  const look = async (after) => {
    const asked = words.value.trim();
    if (!asked) return (found.value = NOTHING);
    try {
      const { items, next_cursor: next } = await api.searchChat(roomId, asked, after);
      if (asked !== words.value.trim()) return undefined;
      const before = after ? found.value.items : [];
      found.value = { items: [...before, ...items.map(messageOfItem)], next: next ?? '', state: 'found', problem: '' };
    } catch (error) {
      found.value = { ...NOTHING, problem: errorText(error.code ?? 'UNREACHABLE', error.message) };
    }
    return undefined;
  };
  useEffect(() => {
    const timer = setTimeout(() => look(''), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [words.value]);

  const { items, next, state, problem } = found.value;
  const moment = new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' });
  return html`
    <search class="search" onKeyDown=${(event) => event.key === 'Escape' && close()}>
      <div class="search-head">
        <input ref=${box} type="search" maxlength="100" aria-label=${t('searchChat')} placeholder=${t('searchChat')}
          value=${words.value} onInput=${(event) => (words.value = event.currentTarget.value)} />
        <button class="quiet round" aria-label=${t('closeSearch')} title=${t('closeSearch')} onClick=${close}><${Close} /></button>
      </div>
      <p class=${problem ? 'log-note wrong' : 'log-note'} role="status">${problem || (state === 'found' ? t(items.length ? 'foundSome' : 'foundNothing') : t('searchHint'))}</p>
      <ul class="found">
        ${items.map((message) => html`
          <li key=${message.id}>
            <button onClick=${() => { close(); show(message.id); }}>
              <span><b><bdi>${message.name}</bdi></b> <time dateTime=${new Date(message.at).toISOString()}>${moment.format(message.at)}</time></span>
              <span class="excerpt">${inOneLine(message.text)}</span>
            </button>
          </li>
        `)}
        ${next && html`<li><button class="quiet" onClick=${() => look(next)}>${t('moreFound')}</button></li>`}
      </ul>
    </search>
  `;
}
