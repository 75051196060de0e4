/** A room: who is here, the talk, the chat. */
import { Alone } from '../components/alone.js';
import { Chat } from '../components/chat/chat.js';
import { Dock } from '../components/dock.js';
import { Main } from '../components/main.js';
import { People } from '../components/people.js';
import { RoomHeader } from '../components/room_header.js';
import { html } from '../html.js';
import { navigate } from '../router.js';
import { shutOut } from '../state.js';
import { errorText, t } from '../text.js';
import { useLayoutEffect, useState } from '../vendor/preact-hooks.js';
import { enterRoom } from '../visit.js';
import { loadRooms } from './rooms.js';

/** @param {{roomId: string}} props */
export function RoomPage({ roomId }) {
  const [visit, setVisit] = useState(null);
  const [entries, setEntries] = useState(0);
  useLayoutEffect(() => {
    const begun = enterRoom(roomId);
    setVisit(begun);
    return () => begun.close();
  }, [roomId, entries]);

  if (shutOut.value) return html`<${ShutOut} again=${() => setEntries(entries + 1)} />`;
  if (!visit) return null;
  return html`
    <div class="room">
      <${RoomHeader} visit=${visit} leave=${() => leave(visit)} />
      <${Main} class="room-body">
        <${People} visit=${visit} />
        <${Dock} visit=${visit} />
        <${Chat} visit=${visit} roomId=${roomId} />
      <//>
    </div>
  `;
}

function ShutOut({ again }) {
  const { code, said } = shutOut.value;
  const forGood = code === 'BANNED' || code === 'ROOM_DELETED';
  return html`
    <${Alone} text=${errorText(code, said)} grave rooms>
      ${!forGood && html`<button class="primary" onClick=${again}>${t('retry')}</button>`}
    <//>
  `;
}

/** At once, whatever the server does; when it knows, the list of the rooms counts anew. @param {import('../visit.js').RoomVisit} visit */
function leave(visit) {
  navigate('/');
  visit.leave().then(() => loadRooms(), () => {});
}
