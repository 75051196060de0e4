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

/** @typedef {{message: any, last: any, unread: boolean, quoted: any, marked: boolean, edited: boolean, visit: any}} About */

/** Draws the log again and again. Of what has not changed since the last time it gives the same: preact looks no further into it. */
export function drawer() {
  /** @type {Map<any, {about: About, newDay: boolean, drawn: any}>} */
  let before = new Map();
  /**
   * @param {any[]} list
   * @param {any} previous what was said before the first of them
   * @param {string} marked
   */
  return (list, previous, marked, visit) => {
    const now = new Map();
    const line = unreadFrom.value;
    const edited = editing.value?.id;
    // One flat list: what has a key is only moved among those beside it.
    const all = list.flatMap((message, index) => {
      const { id, seq, at, replyTo } = message;
      const last = index ? list[index - 1] : previous;
      const unread = line > 0 && seq >= line && (last?.seq ?? 0) < line;
      const about = { message, last, unread, quoted: replyTo && find(replyTo), marked: marked === id, edited: edited === id, visit };
      const known = before.get(message);
      const entry = known && same(known.about, about) ? known : draw(about);
      now.set(message, entry);
      return [
        entry.newDay && html`<li key=${`day-${id}`} class="day"><span>${dayName(at)}</span></li>`,
        unread && html`<li key="unread" class="day unread-line"><span>${t('unreadLine')}</span></li>`,
        entry.drawn,
      ].filter(Boolean);
    });
    before = now;
    return all;
  };
}

/** @param {About} one @param {About} other */
const same = (one, other) => Object.keys(one).every((key) => one[key] === other[key]);

/** @param {About} about */
function draw(about) {
  const { message, last, unread, quoted, marked, edited, visit } = about;
  const newDay = !last || dayOf(last.at) !== dayOf(message.at);
  const near = last && last.userId === message.userId && message.at - last.at < TOGETHER_MS;
  const continues = Boolean(near && !newDay && !unread && !message.replyTo);
  const drawn = html`<${Message} key=${message.id} message=${message} quoted=${quoted} continues=${continues} marked=${marked} edited=${edited} visit=${visit} />`;
  return { about, newDay, drawn };
}

const dayOf = (at) => new Date(at).toDateString();

function dayName(at) {
  const date = new Date(at);
  const day = dayOf(at);
  if (day === dayOf(Date.now())) return t('today');
  if (day === dayOf(Date.now() - 86_400_000)) return t('yesterday');
  return days.value[date.getFullYear() === new Date().getFullYear() ? 'near' : 'far'].format(date);
}
