/** The rooms: which there are, who is inside, and opening another. */
import * as api from '../api.js';
import { Avatar } from '../components/avatar.js';
import { Header } from '../components/header.js';
import { Exit, Plus, Search } from '../components/icons.js';
import { Main } from '../components/main.js';
import { NewRoom } from '../components/new_room.js';
import { RoomCard } from '../components/room_card.js';
import { html } from '../html.js';
import { follow } from '../router.js';
import { insideIs, myId, roomList, roomsLoaded, tell, user } from '../state.js';
import { errorText, t } from '../text.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { signal } from '../vendor/signals-core.js';
import { useSignal } from '../vendor/signals.js';

const REFRESH_MS = 15_000;
/** One has finished typing. */
const PAUSE_MS = 250;
/** Of that many rooms, the first ones with people, it is asked who they are. */
const LOOKED_INTO = 12;

/** What the list is searched for. */
const sought = signal('');

export function RoomsPage() {
  const creating = useSignal(false);
  useEffect(keepFresh, []);
  return html`
    <${Header}><${Me} /><//>
    <${Main} class="rooms">
      <div class="rooms-head">
        <div><h1>${t('rooms')}</h1><p>${t('roomsIntro')}</p></div>
        <${Seek} />
        ${!creating.value && html`<button class="primary" onClick=${() => (creating.value = true)}><${Plus} />${t('newRoom')}</button>`}
      </div>
      ${creating.value && html`<${NewRoom} done=${() => (creating.value = false)} />`}
      <${RoomList} />
    <//>
  `;
}

function Me() {
  return html`
    <a class="me" href="/account" onClick=${follow} aria-label=${`${t('account')}: ${user.value.displayName}`}>
      <${Avatar} id=${myId.value} name=${user.value.displayName} /><span>${user.value.displayName}</span>
    </a>
    <button class="quiet" onClick=${api.logout} aria-label=${t('logout')} title=${t('logout')}><${Exit} /></button>
  `;
}

let pause = 0;

function Seek() {
  const typed = (event) => {
    sought.value = event.currentTarget.value;
    clearTimeout(pause);
    pause = setTimeout(() => loadRooms(), PAUSE_MS);
  };
  return html`
    <div class="seek" role="search">
      <${Search} />
      <input type="search" aria-label=${t('seekRooms')} placeholder=${t('seekRooms')} value=${sought.value} onInput=${typed} />
    </div>
  `;
}

function RoomList() {
  const { items, next, loaded } = roomList.value;
  if (!loaded) return html`<p class="empty" role="status">${t('loading')}</p>`;
  if (!items.length) return html`<p class="empty" role="status">${t(sought.value ? 'noRoomFound' : 'noRooms')}</p>`;
  return html`
    <ul class="room-list">${items.map((room) => html`<${RoomCard} key=${room.id} room=${room} />`)}</ul>
    ${next && html`<button class="wide" onClick=${() => loadRooms(next)}>${t('moreRooms')}</button>`}
  `;
}

/** The list now, and again every while for as long as somebody looks at it. */
function keepFresh() {
  const refresh = () => document.visibilityState === 'visible' && loadRooms();
  refresh();
  const timer = setInterval(refresh, REFRESH_MS);
  document.addEventListener('visibilitychange', refresh);
  return () => {
    sought.value = '';
    clearTimeout(pause);
    clearInterval(timer);
    document.removeEventListener('visibilitychange', refresh);
  };
}

export async function loadRooms(cursor = '') {
  const asked = sought.value;
  try {
    const { items, next_cursor: next } = await api.listRooms(cursor, asked.trim());
    if (asked !== sought.value) return; // one has typed on
    roomsLoaded(items, next ?? '', cursor !== '');
    await lookInto(items);
  } catch (error) {
    tell(errorText(error.code ?? 'UNREACHABLE', error.message));
  }
}

/** Who is inside, one room after the other. @param {import('../state.js').Room[]} rooms */
async function lookInto(rooms) {
  for (const { id } of rooms.filter(({ participants }) => participants).slice(0, LOOKED_INTO)) {
    const people = await api.participants(id).catch(() => null); // gone meanwhile: then it is known how many there were
    if (people) insideIs(id, people.items.map(({ user_id: userId, display_name: name }) => ({ id: userId, name })));
  }
}
