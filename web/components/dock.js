/** The voice controls. What stands between a person and the talk is said above them (hints.js). */
import { html } from '../html.js';
import { points } from '../pointing.js';
import { gradeOf } from '../quality.js';
import { preferences } from '../preferences.js';
import { barred, canSpeak, deafened, me, muted, quality, talking, voice } from '../state.js';
import { t } from '../text.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';
import { Emojis } from './emojis.js';
import { Hints } from './hints.js';
import { Hand, HangUp, Headset, HeadsetOff, Microphone, MicrophoneOff, Settings, Signal, Smile } from './icons.js';
import { keyName, listenToKeys } from './keys.js';
import { OwnLink } from './person_card.js';
import { Menu, Popup, closePopup } from './popup.js';
import { VoiceSettings } from './voice_settings.js';

const EMOJIS = ['👍', '👏', '❤️', '😄', '🎉', '🤔', '✅', '☕️'];
const REACTIONS = 'room-reactions';

/** @param {{visit: import('../visit.js').RoomVisit}} props */
export function Dock({ visit }) {
  const choosing = useSignal(false);
  const choose = () => (choosing.value = true);
  const inVoice = voice.value !== 'off' && voice.value !== 'elsewhere';
  useEffect(() => listenToKeys(visit), [visit]);
  return html`
    <section class="dock" aria-label=${t('voice')}>
      <${Hints} visit=${visit} choose=${choose} />
      <div class="controls">
        ${inVoice ? html`<${InVoice} visit=${visit} choose=${choose} />` : html`<${OutOfVoice} visit=${visit} choose=${choose} />`}
      </div>
      ${choosing.value && html`<${VoiceSettings} visit=${visit} close=${() => (choosing.value = false)} />`}
    </section>
  `;
}

function OutOfVoice({ visit, choose }) {
  const text = t(voice.value === 'elsewhere' ? 'voiceHere' : 'joinVoice');
  return html`
    <button class="primary wide" onClick=${() => visit.voice.join()}><${Headset} />${text}</button>
    <${RaiseHand} visit=${visit} />
    <${React} visit=${visit} />
    <${Tool} icon=${Settings} name=${t('voiceSettings')} act=${choose} />
  `;
}

function InVoice({ visit, choose }) {
  const deaf = deafened.value;
  const speaks = canSpeak.value && !barred.value;
  return html`
    <div class=${`voice-status-box ${voice.value}`}>
      <p class="voice-status" role="status" data-voice=${voice.value}>${t(STATUS[voice.value])}</p>
      ${voice.value === 'on' && html`<${Link} />`}
    </div>
    <div class="voice-tools">
      ${speaks ? html`<${Mute} visit=${visit} />` : html`<${ListeningOnly} />`}
      ${speaks && preferences.value.pushToTalk && html`<${Talk} visit=${visit} />`}
      <${Tool} icon=${deaf ? HeadsetOff : Headset} off=${deaf} name=${t(deaf ? 'undeafen' : 'deafen')} keys="D" act=${() => visit.deafen(!deaf)} />
      <${RaiseHand} visit=${visit} />
      <${React} visit=${visit} />
      <${Tool} icon=${Settings} name=${t('voiceSettings')} act=${choose} />
    </div>
    <button class="hang-up" title=${t('leaveVoice')} onClick=${() => visit.voice.leave()}>
      <${HangUp} /><span>${t('leaveVoice')}</span>
    </button>
  `;
}

/** @param {{icon: any, name: string, act: () => void, off?: boolean, on?: boolean, keys?: string}} props */
function Tool({ icon, name, act, off, on, keys }) {
  const kind = `voice-tool${off ? ' off' : ''}${on ? ' on' : ''}`;
  return html`
    <button class=${kind} aria-label=${name} aria-keyshortcuts=${keys} title=${keys ? t('withKey', { name, key: keys }) : name} onClick=${act}>
      <${icon} />
    </button>
  `;
}

function RaiseHand({ visit }) {
  const raised = Boolean(me.value?.handRaisedAt);
  return html`<${Tool} icon=${Hand} on=${raised} name=${t(raised ? 'lowerHand' : 'raiseHand')} keys="H" act=${() => visit.raiseHand(!raised)} />`;
}

/** Something for all to see, where speaking would be too much. */
function React({ visit }) {
  const show = (emoji) => {
    closePopup(REACTIONS);
    visit.react(emoji);
  };
  return html`
    <button class="voice-tool" popovertarget=${REACTIONS} aria-haspopup="dialog" aria-label=${t('react')} title=${t('react')}><${Smile} /></button>
    <${Popup} id=${REACTIONS} label=${t('react')}>${() => html`<${Menu} label=${t('react')}><${Emojis} emojis=${EMOJIS} choose=${show} /><//>`}<//>
  `;
}

function Mute({ visit }) {
  const silent = muted.value;
  const name = t(silent ? 'unmute' : 'mute');
  return html`
    <button class=${silent ? 'toggle off' : 'toggle'} aria-keyshortcuts="M" title=${t('withKey', { name, key: 'M' })}
      onClick=${() => visit.mute(!silent)}>
      ${silent ? html`<${MicrophoneOff} />` : html`<${Microphone} />`}<span>${name}</span>
    </button>
  `;
}

/** For a finger or a mouse; the key does the same. */
function Talk({ visit }) {
  const end = () => visit.talk(false);
  const down = (event) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    visit.talk(true);
  };
  return html`
    <button class=${talking.value ? 'talk held' : 'talk'} disabled=${muted.value} onPointerDown=${down} onPointerUp=${end}
      onPointerCancel=${end} onContextMenu=${(event) => event.preventDefault()}>
      ${talking.value ? t('talking') : points ? t('holdToTalk', { key: keyName(preferences.value.talkKey) }) : t('holdButton')}
    </button>
  `;
}

function ListeningOnly() {
  return html`<button class="toggle" disabled><${Headset} /><span>${t('listeningOnly')}</span></button>`;
}

/** How good one's own connection is; the words are a click away. */
function Link() {
  const grade = quality.value ? gradeOf(quality.value) : 'unknown';
  return html`
    <button class=${`link-button signal ${grade}`} popovertarget="own-link" aria-label=${t(`link.${grade}`)} title=${t(`link.${grade}`)}><${Signal} /></button>
    <${Popup} id="own-link" label=${t('yourLink')}>${() => html`<${OwnLink} />`}<//>
  `;
}

const STATUS = { connecting: 'voiceConnecting', on: 'voiceOn', lost: 'voiceLost' };
