/** A room: who is here, the talk, the chat. */
import { Chat } from '../components/chat/chat.js';
import { Dock } from '../components/dock.js';
import { LanguageSwitch } from '../components/header.js';
import { Exit } from '../components/icons.js';
import { People } from '../components/people.js';
import { Study } from '../components/study.js';
import { html } from '../html.js';
import { follow, navigate } from '../router.js';
import { connection, people, room, shutOut } from '../state.js';
import { errorText, t } from '../text.js';
import { useEffect, useState } from '../vendor/preact-hooks.js';
import { enterRoom } from '../visit.js';
import { loadRooms } from './rooms.js';

/** @param {{roomId: string}} props */
export function RoomPage({ roomId }) {
  const [visit, setVisit] = useState(null);
  const [entries, setEntries] = useState(0);
  useEffect(() => {
    const begun = enterRoom(roomId);
    setVisit(begun);
    return () => begun.close();
  }, [roomId, entries]);

  if (shutOut.value) return html`<${ShutOut} again=${() => setEntries(entries + 1)} />`;
  if (!visit) return null;
  return html`
    <div class="room">
      <${RoomHeader} leave=${() => leave(visit)} />
      <main id="main" class="room-body">
        <${People} />
        <${Dock} visit=${visit} />
        <${Chat} visit=${visit} roomId=${roomId} />
      </main>
    </div>
  `;
}

function RoomHeader({ leave }) {
  const n = people.value.length; // 0 until one knows
  return html`
    <header class="bar room-bar">
      <img src="/static/icon.svg" alt="" width="30" height="30" />
      <div class="room-title">
        <h1>${room.value?.name ?? t('loading')}</h1>
        <span>${[n > 0 && t('here', { n }), room.value?.topic].filter(Boolean).join(' · ')}</span>
      </div>
      <${Connection} />
      <${Study} />
      <${LanguageSwitch} short />
      <button class="leave" onClick=${leave}><${Exit} /><span>${t('leaveRoom')}</span></button>
    </header>
  `;
}

/** Says something only when there is something to say. */
function Connection() {
  const text = { waiting: 'linkWaiting', connecting: 'linkConnecting' }[connection.value];
  return html`<p class="connection" role="status" data-connection=${connection.value} hidden=${!text}>${text && t(text)}</p>`;
}

function ShutOut({ again }) {
  const { code, said } = shutOut.value;
  const forGood = code === 'BANNED' || code === 'ROOM_DELETED';
  return html`
    <main id="main" class="shut-out card">
      <p role="alert">${errorText(code, said)}</p>
      <div class="buttons">
        <a class="button" href="/" onClick=${follow}>${t('toRooms')}</a>
        ${!forGood && html`<button class="primary" onClick=${again}>${t('retry')}</button>`}
      </div>
    </main>
  `;
}

/** At once, whatever the server does; when it knows, the list of the rooms counts anew. @param {import('../visit.js').RoomVisit} visit */
function leave(visit) {
  navigate('/');
  visit.leave().then(() => loadRooms(), () => {});
}
