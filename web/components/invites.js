/** Bringing others in: the room's own address, and for moderators links that open a private room. */
import { announce } from '../announcer.js';
import * as api from '../api.js';
import { html } from '../html.js';
import { moderating, room, tell } from '../state.js';
import { errorText, locale, t } from '../text.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';
import { Choice, Dialog } from './dialog.js';
import { Check, Copy } from './icons.js';

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

/** @param {{close: () => void}} props */
export function InviteDialog({ close }) {
  const { id, visibility } = room.value;
  return html`
    <${Dialog} title=${t('invite')} close=${close}>
      ${visibility !== 'private' && html`
        <p class="words">${t(visibility === 'unlisted' ? 'addressUnlisted' : 'addressPublic')}</p>
        <${Link} url=${`${location.origin}/r/${id}`} />
      `}
      ${moderating.value && html`<${Invites} roomId=${id} />`}
    <//>
  `;
}

function Invites({ roomId }) {
  const list = useSignal(/** @type {any[] | null} */ (null));
  const lasts = useSignal(String(7 * DAY_S));
  const uses = useSignal('0');
  const act = async (asked) => {
    try {
      await asked;
      list.value = (await api.invites(roomId)).items;
    } catch (error) {
      tell(errorText(error.code ?? 'UNREACHABLE', error.message));
    }
  };
  useEffect(() => void act(), [roomId]);
  const make = (event) => {
    event.preventDefault();
    act(api.makeInvite(roomId, Number(lasts.value), Number(uses.value)));
  };
  return html`
    <h3>${t('inviteLinks')}</h3>
    <p class="note">${t('inviteLinksHint')}</p>
    <form class="make-invite" onSubmit=${make}>
      <${Choice} label=${t('inviteLasts')} value=${lasts.value} change=${(value) => (lasts.value = value)} options=${[
        [String(HOUR_S), t('anHour')], [String(DAY_S), t('aDay')], [String(7 * DAY_S), t('aWeek')], [String(30 * DAY_S), t('aMonth')]]} />
      <${Choice} label=${t('inviteUses')} value=${uses.value} change=${(value) => (uses.value = value)} options=${[
        ['0', t('anyNumber')], ['1', t('uses', { n: 1 })], ['10', t('uses', { n: 10 })], ['30', t('uses', { n: 30 })]]} />
      <button class="primary">${t('makeInvite')}</button>
    </form>
    <ul class="invites">
      ${(list.value ?? []).map((invite) => html`
        <li key=${invite.code}>
          <${Link} url=${invite.url} />
          <p class="note">${used(invite)} · ${t('until', { when: whenOf(invite.expires_at) })}
            <button class="quiet" onClick=${() => act(api.revokeInvite(roomId, invite.code))}>${t('revoke')}</button>
          </p>
        </li>`)}
    </ul>
  `;
}

const used = ({ uses, max_uses: most }) => (!uses ? t('unused') : most ? t('usedOf', { n: uses, max: most }) : t('used', { n: uses }));

function whenOf(time) {
  return new Date(time).toLocaleString(locale.value, { day: 'numeric', month: 'long', hour: 'numeric', minute: '2-digit' });
}

/** An address to copy; where the page may not, it is selected. */
function Link({ url }) {
  const copied = useSignal(false);
  const copy = async (event) => {
    const input = event.currentTarget.previousElementSibling;
    input.select();
    const done = await navigator.clipboard?.writeText(url).then(() => true, () => false);
    copied.value = done ?? document.execCommand('copy'); // an insecure origin has no clipboard
    if (copied.value) announce(t('copied'));
  };
  return html`
    <div class="copy">
      <input readonly value=${url} aria-label=${t('address')} onFocus=${(event) => event.currentTarget.select()} />
      <button type="button" onClick=${copy}>${copied.value ? html`<${Check} />` : html`<${Copy} />`}${t(copied.value ? 'copied' : 'copy')}</button>
    </div>
  `;
}
