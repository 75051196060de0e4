/** What can be known of somebody and done about them: how they are heard, how loud, and what moderators may. */
import { html } from '../html.js';
import { preferences, volumeIs } from '../preferences.js';
import { gradeOf, receptionGrade, receptionText, whyOf } from '../quality.js';
import { me, moderating, myId, quality, reception, slots, voice } from '../state.js';
import { percent, t } from '../text.js';
import { useSignal } from '../vendor/signals.js';
import { Avatar } from './avatar.js';
import { Grave } from './dialog.js';
import { Exit, Headset, Lock, Microphone, MicrophoneOff, Signal, Star } from './icons.js';
import { Command, Menu, closePopup } from './popup.js';

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
/** @type {['hour' | 'day' | 'week' | 'ever', number | undefined][]} */
const BANS = [['hour', HOUR_S], ['day', DAY_S], ['week', 7 * DAY_S], ['ever', undefined]];

export const cardOf = (id) => `person-${id}`;

/** @param {{person: import('../state.js').Person, visit: import('../visit.js').RoomVisit}} props */
export function PersonCard({ person, visit }) {
  const mine = person.id === myId.value;
  return html`
    <header class="card-head">
      <${Avatar} id=${person.id} name=${person.name} />
      <p><b><bdi>${person.name}</bdi></b><small>${t(`is.${person.role}`)}</small></p>
    </header>
    ${mine ? html`<${OwnLink} />` : html`<${Hearing} id=${person.id} name=${person.name} />`}
    ${!mine && moderating.value && html`<${Moderation} person=${person} visit=${visit} />`}
  `;
}

export function OwnLink() {
  const measured = quality.value;
  if (!measured) return html`<p class="words">${t(voice.value === 'on' ? 'linkMeasured' : 'linkUnknown')}</p>`;
  const { rttMs, loss, jitterMs } = measured;
  return html`
    <${Words} grade=${gradeOf(measured)}>${whyOf(measured)}<//>
    <p class="figures">${t('figures', { rtt: rttMs === null ? '–' : Math.round(rttMs), loss: percent(loss, 1), jitter: Math.round(jitterMs) })}</p>
  `;
}

function Hearing({ id, name }) {
  const missing = reception.value.get(id);
  const volume = preferences.value.volumes[id] ?? 1;
  const heard = [...slots.value.values()].includes(id);
  return html`
    ${missing !== undefined && heard && html`<${Words} grade=${receptionGrade(missing)}>${receptionText(missing)}<//>`}
    <label class="volume">
      <span>${t('volume')}<output>${percent(volume)}</output></span>
      <input type="range" min="0" max="100" step="5" value=${Math.round(volume * 100)} aria-label=${t('volumeOf', { name })}
        onInput=${(event) => volumeIs(id, Number(event.currentTarget.value) / 100)} />
    </label>
  `;
}

function Words({ grade, children }) {
  return html`<p class="words"><span class=${`signal ${grade}`}><${Signal} /></span><span>${children}</span></p>`;
}

/** Moderators may do nothing to each other; that is the owner's. */
function Moderation({ person, visit }) {
  const banning = useSignal(false);
  const own = me.value?.role === 'owner';
  const { id, name, role, mutedBy } = person;
  if (!own && (role === 'owner' || role === 'moderator')) return null;
  const act = (action, more) => () => {
    closePopup(cardOf(id));
    visit.moderate(id, action, more);
  };
  if (banning.value) {
    return html`
      <p class="words">${t('banHowLong', { name })}</p>
      <${Menu} label=${t('banHowLong', { name })}>
        ${BANS.map(([how, seconds]) => html`<${Command} key=${how} grave act=${act('ban', seconds ? { seconds } : {})}>${t(`ban.${how}`)}<//>`)}
        <${Command} act=${() => (banning.value = false)}>${t('cancel')}<//>
      <//>
    `;
  }
  return html`
    <${Menu} label=${t('moderation')}>
      ${mutedBy === 'moderator'
        ? html`<${Command} icon=${Microphone} act=${act('unmute')}>${t('letSpeak')}<//>`
        : html`<${Command} icon=${MicrophoneOff} act=${act('mute')}>${t('silence')}<//>`}
      ${role !== 'listener' && html`<${Command} icon=${Headset} act=${act('role', { role: 'listener' })}>${t('make.listener')}<//>`}
      ${role !== 'member' && html`<${Command} icon=${Microphone} act=${act('role', { role: 'member' })}>${t('make.member')}<//>`}
      ${own && role !== 'moderator' && html`<${Command} icon=${Star} act=${act('role', { role: 'moderator' })}>${t('make.moderator')}<//>`}
      <${Command} icon=${Exit} grave act=${act('kick')}>${t('kick')}<//>
      <${Command} icon=${Lock} grave act=${() => (banning.value = true)}>${t('ban')}<//>
    <//>
    ${own && html`<${Grave} text=${t('giveRoom')} question=${t('giveRoomSure', { name })} act=${() => {
      closePopup(cardOf(id));
      visit.changeRoom({ owner_id: id });
    }} />`}
  `;
}
