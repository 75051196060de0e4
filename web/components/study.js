/** The study timer in the room's bar: what is left, and a card to set it by. */
import * as api from '../api.js';
import { html } from '../html.js';
import { people, room, tell } from '../state.js';
import { clockOf } from '../study.js';
import { phase, quiet, quietIs, timer, timerIs } from '../studying.js';
import { errorText, t } from '../text.js';
import { useSignal } from '../vendor/signals.js';
import { Switch } from './dialog.js';
import { icon } from './icons.js';
import { Popup, closePopup } from './popup.js';

const ID = 'study';
/** Focus and break, minutes. */
const LENGTHS = [[25, 5], [50, 10], [15, 3]];
const Clock = icon('M12 20.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM12 9v4l2.5 2M9.5 2.5h5');

export function Study() {
  const now = phase.value;
  const paused = timer.value?.state === 'paused';
  const kind = paused ? 'paused' : (now?.name ?? 'off');
  const left = now && clockOf(now.remainingMs);
  const name = now ? t(paused ? 'studyPaused' : STATES[now.name]) : t('studyTimer');
  const share = now ? 1 - now.remainingMs / now.lengthMs : 0;
  return html`
    <button class=${`study ${kind}`} popovertarget=${ID} aria-label=${left ? `${name}, ${left}` : name} title=${name} style=${{ '--share': `${share * 100}%` }}>
      ${now ? html`<i class="dial" aria-hidden="true" /><span class="what">${name}</span><span class="left">${left}</span>` : html`<${Clock} /><span class="what">${name}</span>`}
    </button>
    <${Popup} id=${ID} label=${t('studyTimer')}>${() => html`<${Card} />`}<//>
  `;
}

const STATES = /** @type {const} */ ({ focus: 'studyFocus', break: 'studyBreak' });

function Card() {
  const busy = useSignal(false);
  const set = (action, focus, rest) => async (event) => {
    event.preventDefault();
    busy.value = true;
    try {
      if (action !== 'pause') closePopup(ID);
      timerIs(await api.setTimer(room.value.id, action, focus, rest));
    } catch (error) {
      tell(errorText(error.code ?? 'UNREACHABLE', error.message));
    }
    busy.value = false;
  };
  return html`
    <div class="study-card">
      <h2>${t('studyTimer')}</h2>
      <p class="note">${t('studyForAll', { n: people.value.length })}</p>
      ${phase.value ? html`<${Running} set=${set} busy=${busy.value} />` : html`<${Stopped} set=${set} busy=${busy.value} />`}
      <${Switch} label=${t('quietMode')} hint=${t('quietModeHint')} on=${quiet.value} change=${quietIs} />
    </div>
  `;
}

function Running({ set, busy }) {
  const { name, remainingMs, round } = phase.value;
  const paused = timer.value.state === 'paused';
  return html`
    <p class=${`countdown ${name}`} role="timer" aria-live="off"><b>${clockOf(remainingMs)}</b><span>${t(STATES[name])} · ${t('studyRound', { n: round })}</span></p>
    <div class="buttons">
      <button disabled=${busy} onClick=${set('stop')}>${t('studyStop')}</button>
      ${paused
        ? html`<button class="primary" disabled=${busy} onClick=${set('start')}>${t('studyGoOn')}</button>`
        : html`<button class="primary" disabled=${busy} onClick=${set('pause')}>${t('studyPause')}</button>`}
    </div>
  `;
}

function Stopped({ set, busy }) {
  const focus = useSignal(String(Math.round((timer.value?.focus_s ?? 1500) / 60)));
  const rest = useSignal(String(Math.round((timer.value?.break_s ?? 300) / 60)));
  /** @param {number[]} lengths */
  const choose = ([long, short]) => {
    focus.value = String(long);
    rest.value = String(short);
  };
  return html`
    <form onSubmit=${set('start', Number(focus.value) * 60, Number(rest.value) * 60)}>
      <div class="lengths" role="group" aria-label=${t('studyLengths')}>
        ${LENGTHS.map((each) => html`
          <button key=${each[0]} type="button" aria-pressed=${String(focus.value === String(each[0]) && rest.value === String(each[1]))}
            aria-label=${t('studyLength', { focus: each[0], rest: each[1] })} onClick=${() => choose(each)}>${each[0]} / ${each[1]}</button>
        `)}
      </div>
      <div class="minutes">
        <label>${t('focusMinutes')}<input type="number" min="1" max="240" required value=${focus.value} onInput=${(event) => (focus.value = event.currentTarget.value)} /></label>
        <label>${t('breakMinutes')}<input type="number" min="0" max="60" required value=${rest.value} onInput=${(event) => (rest.value = event.currentTarget.value)} /></label>
      </div>
      <button class="primary wide" disabled=${busy}>${t('studyStart')}</button>
    </form>
  `;
}
