/** One message: who said it, what it answers, its text, and what others put under it. */
import { inOneLine } from '../../chat/rich.js';
import { answer, find } from '../../chat/state.js';
import * as chat from '../../chat/state.js';
import { html } from '../../html.js';
import { points } from '../../pointing.js';
import { connection, myId, people } from '../../state.js';
import { errorText, locale, t } from '../../text.js';
import { computed } from '../../vendor/signals-core.js';
import { useSignal } from '../../vendor/signals.js';
import { Avatar } from '../avatar.js';
import { Body } from './body.js';
import { EditBox } from './edit.js';
import { Smile } from '../icons.js';
import { More, Reply } from './icons.js';
import { openMenu } from './menu.js';

/** The one refusal that is not about the message: the same may be taken another time. */
const FAULT = 'INTERNAL';

const clock = computed(() => new Intl.DateTimeFormat(locale.value, { hour: 'numeric', minute: '2-digit' }));
/** Made when it is first pointed at: a slow phone takes longer for it than for all the messages. */
const calendar = computed(() => new Intl.DateTimeFormat(locale.value, { dateStyle: 'full', timeStyle: 'short' }));
const saysWhen = (at) => ({ currentTarget: pointedAt }) => (pointedAt.title = calendar.value.format(at));

/**
 * @typedef {import('../../chat/state.js').Message} Said
 * @param {{message: Said & {pending?: boolean, refusal?: any}, quoted: Said | undefined, continues: boolean,
 *          marked: boolean, edited: boolean, visit: import('../../visit.js').RoomVisit}} props
 */
export function Message({ message, quoted, continues, marked, edited, visit }) {
  const { id, deleted, pending } = message;
  const pointedAt = useSignal(false);
  const point = points && !pointedAt.value ? () => (pointedAt.value = true) : undefined;
  // With a signal that it follows, a component is only drawn again when its own properties have changed.
  void clock.value;
  const kind = ['message', continues && 'continues', pending && 'pending', marked && 'marked'].filter(Boolean).join(' ');
  return html`
    <li class=${kind} data-message=${id} tabindex="-1" onMouseEnter=${point} onFocusIn=${point}>
      ${message.replyTo && html`<${Quote} id=${message.replyTo} message=${quoted} />`}
      ${!continues && html`
        <${Avatar} id=${message.userId} name=${message.name} />
        <p class="who"><b><bdi>${message.name}</bdi></b> <${Time} at=${message.at} /></p>
      `}
      ${edited
        ? html`<${EditBox} message=${message} visit=${visit} />`
        : deleted
          ? html`<p class="text gone">${t('messageDeleted')}</p>`
          : html`<${Body} text=${message.text} />`}
      ${Boolean(message.editedAt) && !deleted && !edited && html`<p class="edited" onMouseEnter=${saysWhen(message.editedAt)}>${t('edited')}</p>`}
      ${message.reactions?.length > 0 && html`<${Reactions} message=${message} visit=${visit} />`}
      ${pending && html`<${Delivery} message=${message} visit=${visit} />`}
      ${!pending && !deleted && !edited && (pointedAt.value ? html`<${Tools} message=${message} />` : !points && html`<${Menu} message=${message} />`)}
    </li>
  `;
}

function Time({ at }) {
  const date = new Date(at);
  return html`<time dateTime=${date.toISOString()} onMouseEnter=${saysWhen(at)}>${clock.value.format(date)}</time>`;
}

function Quote({ id, message }) {
  const said = !message ? t('earlierMessage') : message.deleted ? t('messageDeleted') : inOneLine(message.text);
  return html`
    <button class="quote" onClick=${() => chat.show(id)} aria-label=${t('toQuoted')}>
      <${Reply} />${message && html`<b><bdi>${message.name}</bdi></b>`}<span>${said}</span>
    </button>
  `;
}

function Reactions({ message, visit }) {
  return html`
    <ul class="reactions" aria-label=${t('reactions')}>
      ${message.reactions.map(({ emoji, userIds }) => {
        const mine = userIds.includes(myId.value);
        const who = userIds.map(nameOf).join(', ');
        return html`
          <li key=${emoji}>
            <button class="reaction" aria-pressed=${String(mine)} title=${who} aria-label=${`${emoji} ${userIds.length}: ${who}`}
              onClick=${() => visit.chat.react(message, emoji)}><i>${emoji}</i><span>${userIds.length}</span></button>
          </li>
        `;
      })}
    </ul>
  `;
}

/** By what is known here; somebody who left and said nothing has no name. */
function nameOf(id) {
  if (id === myId.value) return t('you');
  const known = people.peek().find((person) => person.id === id) ?? chat.messages.peek().findLast(({ userId }) => userId === id);
  return known?.name ?? t('somebody');
}

/** For the pointer, once it points at the message: the keyboard has them all in the menu, which Enter opens. */
function Tools({ message }) {
  const opens = opensMenu(message);
  return html`
    <div class="tools">
      <button class="tool" tabindex="-1" aria-label=${t('react')} title=${t('react')} onClick=${opens}><${Smile} /></button>
      <button class="tool" tabindex="-1" aria-label=${t('reply')} title=${t('reply')} onClick=${() => answer(message)}><${Reply} /></button>
      <button class="tool" tabindex="-1" aria-label=${t('messageMenu')} title=${t('messageMenu')} aria-haspopup="menu" onClick=${opens}><${More} /></button>
    </div>
  `;
}

/** For a finger: one button at each message, and so as light as can be. */
function Menu({ message }) {
  return html`<button class="dots" tabindex="-1" aria-label=${t('messageMenu')} aria-haspopup="menu" onClick=${opensMenu(message)} />`;
}

const opensMenu = (message) => (event) => openMenu(find(message.id) ?? message, event.currentTarget);

function Delivery({ message, visit }) {
  const { refusal } = message;
  if (!refusal && connection.value === 'open') return html`<p class="delivery unseen">${t('sending')}</p>`;
  if (!refusal) return html`<p class="delivery">${t('waitsForConnection')}</p>`;
  return html`
    <p class="delivery wrong" role="alert">
      ${t('notSent')} ${errorText(refusal.code, refusal.message)}${' '}
      <span>
        ${refusal.code === FAULT && html`<button class="quiet" onClick=${() => visit.chat.retry(message.id)}>${t('retry')}</button>`}
        <button class="quiet" onClick=${() => visit.chat.discard(message.id)}>${t('discard')}</button>
      </span>
    </p>
  `;
}
