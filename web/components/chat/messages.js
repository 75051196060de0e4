/** The messages themselves: days, and what one person says in a row under one name. */
import { html } from '../../html.js';
import { messages, pending } from '../../chat/state.js';
import { user } from '../../state.js';
import { errorText, locale, t } from '../../text.js';
import { computed } from '../../vendor/signals-core.js';
import { Avatar } from '../avatar.js';

const TOGETHER_MS = 5 * 60_000;
/** The one refusal that is not about the message: the same may be taken another time. */
const FAULT = 'INTERNAL';

const formats = computed(() => ({
  time: new Intl.DateTimeFormat(locale.value, { hour: 'numeric', minute: '2-digit' }),
  day: new Intl.DateTimeFormat(locale.value, { weekday: 'long', day: 'numeric', month: 'long' }),
}));

/** @param {{visit: import('../../visit.js').RoomVisit}} props */
export function MessageList({ visit }) {
  const me = { userId: String(user.value?.id), name: user.value?.displayName ?? '' };
  const all = [...messages.value, ...pending.value.map((message) => ({ ...me, ...message, pending: true }))];
  return html`<ol class="messages">${all.map((message, index) => entry(message, all[index - 1], visit))}</ol>`;
}

function entry(message, before, visit) {
  const newDay = !before || dayOf(before.at) !== dayOf(message.at);
  const continues = !newDay && before.userId === message.userId && message.at - before.at < TOGETHER_MS;
  return html`
    ${newDay && html`<li key=${`day-${message.id}`} class="day"><span>${dayName(message.at)}</span></li>`}
    <${Message} key=${message.id} message=${message} continues=${continues} visit=${visit} />
  `;
}

function Message({ message, continues, visit }) {
  const kind = `message${continues ? ' continues' : ''}${message.pending ? ' pending' : ''}`;
  return html`
    <li class=${kind} data-message=${message.id}>
      ${!continues && html`
        <${Avatar} id=${message.userId} name=${message.name} />
        <p class="who"><b><bdi>${message.name}</bdi></b> <${Time} at=${message.at} /></p>
      `}
      ${message.deleted
        ? html`<p class="text gone">${t('messageDeleted')}</p>`
        : html`<p class="text">${message.text}</p>`}
      ${Boolean(message.editedAt) && !message.deleted && html`<p class="edited">${t('edited')}</p>`}
      ${message.pending && html`<${Delivery} message=${message} visit=${visit} />`}
    </li>
  `;
}

function Time({ at }) {
  const date = new Date(at);
  return html`<time dateTime=${date.toISOString()} title=${date.toLocaleString(locale.value)}>${formats.value.time.format(date)}</time>`;
}

function Delivery({ message, visit }) {
  const { refusal } = message;
  if (!refusal) return html`<p class="delivery unseen">${t('sending')}</p>`;
  return html`
    <p class="delivery wrong" role="alert">
      ${t('notSent')} ${errorText(refusal.code, refusal.message)}${' '}
      ${refusal.code === FAULT && html`<button class="quiet" onClick=${() => visit.chat.retry(message.id)}>${t('retry')}</button>`}
      <button class="quiet" onClick=${() => visit.chat.discard(message.id)}>${t('discard')}</button>
    </p>
  `;
}

const dayOf = (at) => new Date(at).toDateString();

function dayName(at) {
  const day = dayOf(at);
  if (day === dayOf(Date.now())) return t('today');
  if (day === dayOf(Date.now() - 86_400_000)) return t('yesterday');
  return formats.value.day.format(new Date(at));
}
