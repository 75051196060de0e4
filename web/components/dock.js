/** The voice controls, and a sentence with a way on when something stands between a person and the talk. */
import { html } from '../html.js';
import { barred, canSpeak, microphone, muted, soundBlocked, voice } from '../state.js';
import { t } from '../text.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { Alert, HangUp, Headset, Microphone, MicrophoneOff } from './icons.js';

const WRITING = 'input, textarea, select, [contenteditable]';

/** @param {{visit: import('../visit.js').RoomVisit}} props */
export function Dock({ visit }) {
  const inVoice = voice.value !== 'off' && voice.value !== 'elsewhere';
  return html`
    <section class="dock" aria-label=${t('voice')}>
      <${Hints} visit=${visit} />
      <div class="controls">
        ${inVoice ? html`<${InVoice} visit=${visit} />` : html`<${OutOfVoice} visit=${visit} />`}
      </div>
    </section>
  `;
}

function OutOfVoice({ visit }) {
  const text = t(voice.value === 'elsewhere' ? 'voiceHere' : 'joinVoice');
  return html`<button class="primary wide" onClick=${() => visit.voice.join()}><${Headset} />${text}</button>`;
}

function InVoice({ visit }) {
  useEffect(() => listenForM(visit), [visit]);
  return html`
    ${canSpeak.value && !barred.value ? html`<${Mute} visit=${visit} />` : html`<${ListeningOnly} />`}
    <p class="voice-status" role="status" data-voice=${voice.value}>${t(STATUS[voice.value])}</p>
    <button class="hang-up" title=${t('leaveVoice')} onClick=${() => visit.voice.leave()}>
      <${HangUp} /><span>${t('leaveVoice')}</span>
    </button>
  `;
}

function Mute({ visit }) {
  const silent = muted.value;
  const name = t(silent ? 'unmute' : 'mute');
  return html`
    <button class=${silent ? 'toggle off' : 'toggle'} aria-keyshortcuts="M" title=${`${name} (${t('muteHint')})`}
      onClick=${() => visit.mute(!silent)}>
      ${silent ? html`<${MicrophoneOff} />` : html`<${Microphone} />`}<span>${name}</span>
    </button>
  `;
}

function ListeningOnly() {
  return html`<button class="toggle" disabled><${Headset} /><span>${t('listeningOnly')}</span></button>`;
}

const STATUS = { connecting: 'voiceConnecting', on: 'voiceOn', lost: 'voiceLost' };

function Hints({ visit }) {
  const again = () => visit.voice.openMicrophone();
  return html`
    ${soundBlocked.value && html`<${Hint} text=${t('soundBlocked')} action=${t('soundOn')} act=${() => visit.voice.unblock()} />`}
    ${barred.value && html`<${Hint} text=${t('barred')} quiet />`}
    ${voice.value === 'elsewhere' && html`<${Hint} text=${t('voiceElsewhere')} />`}
    ${microphone.value === 'asking' && voice.value === 'connecting' && html`<${Hint} text=${t('micAsking')} quiet />`}
    ${microphone.value === 'refused' && html`<${Hint} text=${t('micRefused')} action=${t('retry')} act=${again} />`}
    ${microphone.value === 'missing' && html`<${Hint} text=${t('micMissing')} action=${t('retry')} act=${again} />`}
    ${microphone.value === 'busy' && html`<${Hint} text=${t('micBusy')} action=${t('retry')} act=${again} />`}
    ${microphone.value === 'insecure' && html`<${Hint} text=${t('micInsecure')} />`}
  `;
}

function Hint({ text, action, act, quiet }) {
  return html`
    <div class=${quiet ? 'hint quiet-hint' : 'hint'} role="status">
      <${Alert} />
      <p>${text}</p>
      ${action && html`<button onClick=${act}>${action}</button>`}
    </div>
  `;
}

/** M, wherever one is on the page but in a text field. */
function listenForM(visit) {
  const pressed = (event) => {
    if (event.code !== 'KeyM' || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (canSpeak.value && !barred.value && !event.target.closest(WRITING)) visit.mute(!muted.value);
  };
  addEventListener('keydown', pressed);
  return () => removeEventListener('keydown', pressed);
}
