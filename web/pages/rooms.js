/** The rooms: which there are, how full they are, and opening another. */
import * as api from '../api.js';
import { Avatar } from '../components/avatar.js';
import { Field } from '../components/field.js';
import { Header } from '../components/header.js';
import { Exit, People, Plus } from '../components/icons.js';
import { html } from '../html.js';
import { follow, navigate } from '../router.js';
import { myId, roomList, roomsLoaded, tell, user } from '../state.js';
import { errorText, fieldText, t } from '../text.js';
import { useEffect, useRef } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';

const REFRESH_MS = 15_000;

export function RoomsPage() {
  const creating = useSignal(false);
  useEffect(keepFresh, []);
  return html`
    <${Header}><${Me} /><//>
    <main id="main" class="rooms">
      <div class="rooms-head">
        <div><h1>${t('rooms')}</h1><p>${t('roomsIntro')}</p></div>
        ${!creating.value && html`<button class="primary" onClick=${() => (creating.value = true)}><${Plus} />${t('newRoom')}</button>`}
      </div>
      ${creating.value && html`<${NewRoom} done=${() => (creating.value = false)} />`}
      <${RoomList} />
    </main>
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

function RoomList() {
  const { items, next, loaded } = roomList.value;
  if (!loaded) return html`<p class="empty" role="status">${t('loading')}</p>`;
  if (!items.length) return html`<p class="empty">${t('noRooms')}</p>`;
  return html`
    <ul class="room-list">${items.map((room) => html`<${RoomCard} key=${room.id} room=${room} />`)}</ul>
    ${next && html`<button class="wide" onClick=${() => loadRooms(next)}>${t('moreRooms')}</button>`}
  `;
}

function RoomCard({ room }) {
  const taken = room.participants ?? 0;
  const share = Math.min(1, taken / room.max_participants);
  return html`
    <li>
      <a class="card room-card" href=${`/r/${room.id}`} onClick=${follow}>
        <h2>${room.name}</h2>
        <p class="topic">${room.topic}</p>
        <p class=${taken ? 'seats taken' : 'seats'}>
          <${People} />${taken ? t('inside', { n: taken, max: room.max_participants }) : t('empty')}
        </p>
        <span class="fill" aria-hidden="true"><i style=${{ width: `${share * 100}%` }} /></span>
      </a>
    </li>
  `;
}

function NewRoom({ done }) {
  const name = useSignal('');
  const topic = useSignal('');
  const max = useSignal('10');
  const busy = useSignal(false);
  const problem = useSignal({ text: '', fields: {} });
  const form = useRef(null);
  useEffect(() => form.current.elements.namedItem('name').focus(), []);

  const submit = async (event) => {
    event.preventDefault();
    busy.value = true;
    try {
      const room = await api.createRoom(name.value, Number(max.value), topic.value);
      navigate(`/r/${room.id}`);
    } catch (error) {
      problem.value = { text: errorText(error.code ?? 'UNREACHABLE', error.message), fields: error.fields ?? {} };
      busy.value = false;
    }
  };

  const { text, fields } = problem.value;
  const wrong = (field) => fields[field] && fieldText(field, fields[field]);
  return html`
    <form class="card new-room" ref=${form} onSubmit=${submit} onKeyDown=${(event) => event.key === 'Escape' && done()}>
      <h2>${t('newRoom')}</h2>
      <${Field} label=${t('roomName')} placeholder=${t('roomNamePlaceholder')} error=${wrong('name')} value=${name.value}
        change=${(value) => (name.value = value)} name="name" required maxlength="100" autocomplete="off" />
      <${Field} label=${t('roomTopic')} placeholder=${t('roomTopicPlaceholder')} error=${wrong('topic')} value=${topic.value}
        change=${(value) => (topic.value = value)} name="topic" maxlength="500" autocomplete="off" />
      <${Field} label=${t('roomMax')} error=${wrong('max')} value=${max.value} change=${(value) => (max.value = value)}
        name="max" type="number" min="1" max="500" required />
      <p class="wrong" role="alert">${Object.keys(fields).length ? '' : text}</p>
      <div class="buttons">
        <button type="button" onClick=${done}>${t('cancel')}</button>
        <button class="primary" disabled=${busy.value}>${t('create')}</button>
      </div>
    </form>
  `;
}

/** The list now, and again every while for as long as somebody looks at it. */
function keepFresh() {
  const refresh = () => document.visibilityState === 'visible' && loadRooms();
  refresh();
  const timer = setInterval(refresh, REFRESH_MS);
  document.addEventListener('visibilitychange', refresh);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', refresh);
  };
}

export async function loadRooms(cursor = '') {
  try {
    const { items, next_cursor: next } = await api.listRooms(cursor);
    roomsLoaded(items, next ?? '', cursor !== '');
  } catch (error) {
    tell(errorText(error.code ?? 'UNREACHABLE', error.message));
  }
}
