/** A sentence, and a way on, when something stands between a person and the talk. */
import { html } from '../html.js';
import { barred, microphone, outputGone, outputGoneIs, quality, soundBlocked, voice } from '../state.js';
import { gradeOf, whyOf } from '../quality.js';
import { t } from '../text.js';
import { Alert } from './icons.js';

const NO_MICROPHONE = { refused: 'micRefused', missing: 'micMissing', busy: 'micBusy', held: 'micHeld' };

/** @param {{visit: import('../visit.js').RoomVisit, choose: () => void}} props */
export function Hints({ visit, choose }) {
  const again = () => visit.voice.openMicrophone();
  const examine = () => open('/doctor', '_blank', 'noopener'); // beside the room, which goes on
  const without = NO_MICROPHONE[microphone.value];
  const gone = outputGone.value;
  const poor = quality.value && gradeOf(quality.value) === 'poor';
  return html`
    ${soundBlocked.value && html`<${Hint} text=${t('soundBlocked')} action=${t('soundOn')} act=${() => visit.voice.unblock()} />`}
    ${gone && html`<${Hint} text=${t('outputGone', { name: gone })} action=${t('chooseSound')} act=${() => { outputGoneIs(''); choose(); }}
      close=${() => outputGoneIs('')} />`}
    ${barred.value && html`<${Hint} text=${t('barred')} quiet />`}
    ${voice.value === 'elsewhere' && html`<${Hint} text=${t('voiceElsewhere')} />`}
    ${microphone.value === 'asking' && voice.value === 'connecting' && html`<${Hint} text=${t('micAsking')} quiet />`}
    ${without && html`<${Hint} text=${t(without)} action=${t('retry')} act=${again} />`}
    ${microphone.value === 'insecure' && html`<${Hint} text=${t('micInsecure')} action=${t('whatWorks')} act=${examine} />`}
    ${poor && voice.value === 'on' && html`<${Hint} text=${whyOf(quality.value)} action=${t('whatWorks')} act=${examine} quiet />`}
  `;
}

function Hint({ text, action, act, close, quiet }) {
  return html`
    <div class=${quiet ? 'hint quiet-hint' : 'hint'} role="status">
      <${Alert} />
      <p>${text}</p>
      ${action && html`<button onClick=${act}>${action}</button>`}
      ${close && html`<button class="quiet" onClick=${close}>${t('close')}</button>`}
    </div>
  `;
}
