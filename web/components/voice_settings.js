/** How one talks and hears: which microphone, with a meter, before joining as well as within the talk. */
import { devices, lookAtDevices } from '../devices.js';
import { html } from '../html.js';
import { openMicrophone, watchLevel } from '../microphone.js';
import { points } from '../pointing.js';
import { prefer, preferences } from '../preferences.js';
import { microphoneName, ownLevel } from '../state.js';
import { t } from '../text.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';
import { Choice, Dialog, Switch } from './dialog.js';
import { keyName } from './keys.js';

const CHOOSES_OUTPUT = 'setSinkId' in HTMLMediaElement.prototype;
const PROBLEMS = { refused: 'micRefused', missing: 'micMissing', busy: 'micBusy', insecure: 'micInsecure' };

/** @param {{visit: import('../visit.js').RoomVisit, close: () => void}} props */
export function VoiceSettings({ visit, close }) {
  const { microphone, output, echo, noise, gain, pushToTalk, joinAtOnce, cues } = preferences.value;
  const { microphones, outputs } = devices.value;
  const choose = (change) => {
    prefer(change);
    if (microphoneName.value) visit.voice.openMicrophone();
  };
  const set = (change) => {
    prefer(change);
    if (microphoneName.value) visit.voice.openMicrophone({ afresh: true });
  };
  return html`
    <${Dialog} title=${t('voiceSettings')} close=${close}>
      <${Choice} label=${t('microphone')} value=${microphone} options=${optionsOf(microphones)} change=${(id) => choose({ microphone: id })} />
      <${Meter} />
      ${CHOOSES_OUTPUT && html`<${Choice} label=${t('output')} value=${output} options=${optionsOf(outputs)} change=${(id) => prefer({ output: id })} />`}
      <div class="switches">
        <${Switch} label=${t('echo')} hint=${t('echoHint')} on=${echo} change=${(on) => set({ echo: on })} />
        <${Switch} label=${t('noise')} hint=${t('noiseHint')} on=${noise} change=${(on) => set({ noise: on })} />
        <${Switch} label=${t('gain')} hint=${t('gainHint')} on=${gain} change=${(on) => set({ gain: on })} />
      </div>
      <div class="switches">
        <${Switch} label=${t('pushToTalk')} hint=${t('pushToTalkHint')} on=${pushToTalk} change=${(on) => prefer({ pushToTalk: on })} />
        ${pushToTalk && points && html`<${TalkKey} />`}
        <${Switch} label=${t('joinAtOnce')} on=${joinAtOnce} change=${(on) => prefer({ joinAtOnce: on })} />
        <${Switch} label=${t('cues')} hint=${t('cuesHint')} on=${cues} change=${(on) => prefer({ cues: on })} />
      </div>
      <p><a class="link" href="/doctor" target="_blank">${t('whatWorks')}</a></p>
    <//>
  `;
}

/** @param {import('../devices.js').Device[]} list @returns {[string, string][]} */
function optionsOf(list) {
  return [['', t('systemDefault')], ...list.map(({ id, name }, at) => /** @type {[string, string]} */ ([id, name || t('deviceNumber', { n: at + 1 })]))];
}

/** Moves with one's voice, muted or not: who looks wants to know whether the microphone works. */
function Meter() {
  return microphoneName.value ? html`<${Bar} level=${ownLevel.value} />` : html`<${Trial} />`;
}

function Bar({ level }) {
  return html`
    <div class="meter">
      <div class="meter-bar" role="meter" aria-label=${t('level')} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(level * 100)}>
        <i style=${{ '--level': level }} />
      </div>
      <p class="note">${t('saySomething')}</p>
    </div>
  `;
}

/** Outside the talk the microphone is opened to be tried. */
function Trial() {
  const level = useSignal(0);
  const problem = useSignal('');
  const { microphone, echo, noise, gain } = preferences.value;
  useEffect(() => {
    let stop = () => {};
    let here = true;
    const listen = async () => {
      const { track, status } = await openMicrophone();
      if (!here) return track?.stop();
      problem.value = PROBLEMS[status] ?? '';
      lookAtDevices(); // now they have names
      if (!track) return;
      const context = new AudioContext();
      const stopWatching = watchLevel(context, track, (loud) => (level.value = loud));
      stop = () => {
        stopWatching();
        track.stop();
        context.close();
      };
    };
    listen();
    return () => {
      here = false;
      stop();
    };
  }, [microphone, echo, noise, gain]);
  if (problem.value) return html`<p class="note wrong" role="status">${t(problem.value)}</p>`;
  return html`<${Bar} level=${level.value} />`;
}

/** The next key that is pressed is the one. */
function TalkKey() {
  const asking = useSignal(false);
  const keyed = (event) => {
    if (!asking.value || event.key === 'Tab') return;
    event.preventDefault();
    asking.value = false;
    if (event.key !== 'Escape') prefer({ talkKey: event.code });
  };
  return html`
    <div class="talk-key">
      <span>${t('talkKey')}</span>
      <button type="button" aria-live="polite" onClick=${() => (asking.value = true)} onKeyDown=${keyed} onBlur=${() => (asking.value = false)}>
        ${asking.value ? t('pressKey') : keyName(preferences.value.talkKey)}
      </button>
    </div>
  `;
}
