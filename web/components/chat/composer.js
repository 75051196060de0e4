/** Where one writes: Enter sends, Shift+Enter begins a new line. */
import { html } from '../../html.js';
import { t } from '../../text.js';
import { useSignal } from '../../vendor/signals.js';
import { Send } from '../icons.js';

const LONGEST = 4000; // code points, as the protocol counts
const MOST_ROWS = 6;
/** Comes with what is pasted from a terminal, shows nothing, and no server takes it. */
const UNPRINTABLE = /(?![\n\t])\p{Cc}|\p{Cs}/gu;

/** @param {{say: (text: string) => void, label: string}} props */
export function Composer({ say, label }) {
  const text = useSignal('');
  const message = text.value.replace(UNPRINTABLE, '').trim();
  const excess = Array.from(message).length - LONGEST;
  const ready = message && excess <= 0;

  const send = (event) => {
    event.preventDefault();
    if (!ready) return;
    say(message);
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
