/** What stands in the log: days, the line above what is unread, and what one person says in a row under one name. */
import { editing, find, unreadFrom } from '../../chat/state.js';
import { html } from '../../html.js';
import { locale, t } from '../../text.js';
import { computed } from '../../vendor/signals-core.js';
import { Message } from './message.js';

const TOGETHER_MS = 5 * 60_000;

const days = computed(() => {
  const look = /** @type {const} */ ({ weekday: 'long', day: 'numeric', month: 'long' });
  return { near: new Intl.DateTimeFormat(locale.value, look), far: new Intl.DateTimeFormat(locale.value, { ...look, year: 'numeric' }) };
});

/** @param {any[]} list @param {any} before what was said before the first of them */
export function entries(list, before, marked, visit) {
  const line = unreadFrom.value;
  return list.flatMap((message, index) => {
    const last = index ? list[index - 1] : before;
    const newDay = !last || dayOf(last.at) !== dayOf(message.at);
    const unread = line > 0 && message.seq >= line && (last?.seq ?? 0) < line;
    const near = last && last.userId === message.userId && message.at - last.at < TOGETHER_MS;
    const continues = near && !newDay && !unread && !message.replyTo;
    // One flat list: what has a key is only moved among those beside it.
    return [
      newDay && html`<li key=${`day-${message.id}`} class="day"><span>${dayName(message.at)}</span></li>`,
      unread && html`<li key="unread" class="day unread-line"><span>${t('unreadLine')}</span></li>`,
      html`<${Message} key=${message.id} message=${message} quoted=${message.replyTo && find(message.replyTo)} visit=${visit}
        continues=${Boolean(continues)} marked=${marked === message.id} edited=${editing.value?.id === message.id} />`,
    ];
  });
}

const dayOf = (at) => new Date(at).toDateString();

function dayName(at) {
  const date = new Date(at);
  const day = dayOf(at);
  if (day === dayOf(Date.now())) return t('today');
  if (day === dayOf(Date.now() - 86_400_000)) return t('yesterday');
  return days.value[date.getFullYear() === new Date().getFullYear() ? 'near' : 'far'].format(date);
}
