/** The bar of a room: what it is called, whether one is connected, inviting others, its settings, the way out. */
import { file } from '../files.js';
import { html } from '../html.js';
import { connection, moderating, people, room } from '../state.js';
import { t } from '../text.js';
import { useSignal } from '../vendor/signals.js';
import { LanguageSwitch } from './header.js';
import { Exit, Invite, Lock, More } from './icons.js';
import { InviteDialog } from './invites.js';
import { RoomSettings } from './room_settings.js';
import { Study } from './study.js';

/** @param {{visit: import('../visit.js').RoomVisit, leave: () => void}} props */
export function RoomHeader({ visit, leave }) {
  const open = useSignal(/** @type {'' | 'invite' | 'settings'} */ (''));
  const close = () => (open.value = '');
  const n = people.value.length; // 0 until one knows
  const { name, topic, locked, visibility } = room.value ?? {};
  return html`
    <header class="bar room-bar">
      <img class="room-icon" src=${file('icon.svg')} alt="" width="30" height="30" />
      <div class="room-title">
        <h1>${locked && html`<span role="img" aria-label=${t('lockedRoom')} title=${t('lockedRoom')}><${Lock} /></span>`}${name ?? t('loading')}</h1>
        <span>${[n > 0 && t('here', { n }), topic].filter(Boolean).join(' · ')}</span>
      </div>
      <${Connection} />
      <${Study} />
      ${(moderating.value || visibility !== 'private') && html`
        <button class="bar-button" onClick=${() => (open.value = 'invite')} title=${t('invite')}><${Invite} /><span>${t('invite')}</span></button>`}
      ${moderating.value && html`
        <button class="bar-button lone" aria-label=${t('roomSettings')} title=${t('roomSettings')} onClick=${() => (open.value = 'settings')}><${More} /></button>`}
      <${LanguageSwitch} short />
      <button class="leave" onClick=${leave}><${Exit} /><span>${t('leaveRoom')}</span></button>
      ${open.value === 'invite' && html`<${InviteDialog} close=${close} />`}
      ${open.value === 'settings' && html`<${RoomSettings} visit=${visit} close=${close} />`}
    </header>
  `;
}

/** Says something only when there is something to say. */
function Connection() {
  const text = { waiting: 'linkWaiting', connecting: 'linkConnecting' }[connection.value];
  return html`<p class="connection" role="status" data-connection=${connection.value} hidden=${!text}>${text && t(text)}</p>`;
}
