/** Where one writes: Enter sends, Shift+Enter begins a new line. */
import { html } from '../html.js';
import { t } from '../text.js';
import { useSignal } from '../vendor/signals.js';
import { Send } from './icons.js';

const LONGEST = 4000; // code points, as the protocol counts
const MOST_ROWS = 6;

/** @param {{say: (text: string) => void, label: string}} props */
export function Composer({ say, label }) {
  const text = useSignal('');
  const excess = Array.from(text.value.trim()).length - LONGEST;
  const ready = text.value.trim() && excess <= 0;

  const send = (event) => {
    event.preventDefault();
    if (!ready) return;
    say(text.value.trim());
    text.value = '';
  };
  const keyed = (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send(event);
  };

  return html`
    <form class="composer" onSubmit=${send}>
      <textarea
        rows=${Math.min(MOST_ROWS, text.value.split('\n').length)}
        aria-label=${label}
        placeholder=${t('message')}
        value=${text.value}
        onInput=${(event) => (text.value = event.currentTarget.value)}
        onKeyDown=${keyed}
      />
      <button class="primary round" aria-label=${t('send')} title=${t('send')} disabled=${!ready}><${Send} /></button>
      ${excess > 0 && html`<p class="note wrong" role="alert">${t('tooLong', { n: excess })}</p>`}
    </form>
  `;
}
