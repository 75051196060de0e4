/** A room of the list: what it is about, who is inside, what one has not read yet. */
import { html } from '../html.js';
import { follow } from '../router.js';
import { inside } from '../state.js';
import { t } from '../text.js';
import { Avatar } from './avatar.js';
import { Lock } from './icons.js';

/** That many are shown by name. */
const NAMED = 3;
const SHOWN = 5;

/** @param {{room: import('../state.js').Room}} props */
export function RoomCard({ room }) {
  const taken = room.participants ?? 0;
  const people = taken ? (inside.value.get(room.id) ?? []) : [];
  const unread = room.unread ?? 0;
  const share = Math.min(1, taken / room.max_participants);
  return html`
    <li>
      <a class="card room-card" href=${`/r/${room.id}`} onClick=${follow}>
        <div class="room-head">
          <h2>${room.name}</h2>
          ${unread > 0 && html`<span class="unread" role="img" aria-label=${t('unread', { n: unread })} title=${t('unread', { n: unread })}>${unread < 100 ? unread : '99+'}</span>`}
        </div>
        <p class="topic">${room.topic}</p>
        ${taken > 0 && html`
          <div class="inside">
            <span class="faces">${people.slice(0, SHOWN).map(({ id, name }) => html`<${Avatar} key=${id} id=${id} name=${name} />`)}</span>
            <p>${names(people, taken)}</p>
          </div>`}
        <p class="seats">
          ${taken > 0 && html`<span class="fill" aria-hidden="true"><i style=${{ width: `${share * 100}%` }} /></span>`}
          ${taken ? t('inside', { n: taken, max: room.max_participants }) : t('empty')}
          ${room.visibility !== 'public' && html`<span class="kind"><${Lock} />${t(`visible.${room.visibility}.short`)}</span>`}
        </p>
      </a>
    </li>
  `;
}

/** Until one knows who they are, how many. @param {{name: string}[]} people */
function names(people, taken) {
  if (!people.length) return t('here', { n: taken });
  const named = people.slice(0, NAMED).map(({ name }) => name).join(', ');
  const others = people.length - NAMED;
  return others > 0 ? t('andOthers', { named, n: others }) : named;
}
