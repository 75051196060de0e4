/** What a room is and how it goes, for its moderators; what is the owner's alone, for the owner. */
import * as api from '../api.js';
import { html } from '../html.js';
import { me, room, tell } from '../state.js';
import { errorText, fieldText, locale, t } from '../text.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';
import { Choice, Dialog, Grave, Switch } from './dialog.js';
import { Field } from './field.js';

const SLOW_S = [0, 5, 15, 60, 300];

/** @param {{visit: import('../visit.js').RoomVisit, close: () => void}} props */
export function RoomSettings({ visit, close }) {
  const own = me.value?.role === 'owner';
  const { locked, listen_only: listenOnly, slow_mode_s: slow = 0 } = room.value;
  const paces = SLOW_S.includes(slow) ? SLOW_S : [...SLOW_S, slow];
  return html`
    <${Dialog} title=${t('roomSettings')} close=${close}>
      <div class="switches">
        <${Switch} label=${t('lock')} hint=${t('lockHint')} on=${Boolean(locked)} change=${(on) => visit.changeRoom({ locked: on })} />
        <${Switch} label=${t('listenOnly')} hint=${t('listenOnlyHint')} on=${Boolean(listenOnly)} change=${(on) => visit.changeRoom({ listen_only: on })} />
      </div>
      <${Choice} label=${t('slow')} hint=${t('slowHint')} value=${String(slow)} change=${(value) => visit.changeRoom({ slow_mode_s: Number(value) })}
        options=${paces.map((seconds) => [String(seconds), seconds ? t('everySeconds', { n: seconds }) : t('notSlow')])} />
      <${About} visit=${visit} own=${own} />
      <${Bans} visit=${visit} />
      ${own && html`<${Grave} text=${t('deleteRoom')} question=${t('deleteRoomSure', { room: room.value.name })} act=${() => visit.deleteRoom()} />`}
    <//>
  `;
}

/** Words are sent when they are finished. */
function About({ visit, own }) {
  const name = useSignal(room.value.name);
  const topic = useSignal(room.value.topic ?? '');
  const max = useSignal(String(room.value.max_participants));
  const visibility = useSignal(room.value.visibility ?? 'public');
  const fields = useSignal(/** @type {Record<string, string>} */ ({}));
  const saved = useSignal(false);
  const save = async (event) => {
    event.preventDefault();
    const owners = { name: name.value, max: Number(max.value), visibility: visibility.value };
    const wrong = await visit.changeRoom({ topic: topic.value, ...(own ? owners : {}) });
    fields.value = wrong ?? {};
    saved.value = !wrong;
  };
  const wrong = (field) => fields.value[field] && fieldText(field, fields.value[field]);
  const changed = (signal) => (value) => {
    signal.value = value;
    saved.value = false;
  };
  return html`
    <form class="about" onSubmit=${save}>
      ${own && html`<${Field} label=${t('roomName')} value=${name.value} change=${changed(name)} error=${wrong('name')} required maxlength="100" />`}
      <${Field} label=${t('topic')} value=${topic.value} change=${changed(topic)} error=${wrong('topic')} maxlength="500" />
      ${own && html`
        <${Choice} label=${t('visibility')} hint=${t(`visible.${visibility.value}.hint`)} value=${visibility.value} options=${visibilities()} change=${changed(visibility)} />
        <${Field} label=${t('roomMax')} value=${max.value} change=${changed(max)} error=${wrong('max')} type="number" min="1" max="500" required />`}
      <div class="buttons"><span role="status" class="note">${saved.value && t('saved')}</span><button class="primary">${t('save')}</button></div>
    </form>
  `;
}

/** @returns {[string, string][]} */
export const visibilities = () => [
  ['public', t('visible.public')],
  ['unlisted', t('visible.unlisted')],
  ['private', t('visible.private')],
];

function Bans({ visit }) {
  const list = useSignal(/** @type {any[]} */ ([]));
  const load = () =>
    api.bans(room.value.id).then(
      ({ items }) => (list.value = items),
      (error) => tell(errorText(error.code ?? 'UNREACHABLE', error.message)),
    );
  useEffect(() => void load(), []);
  if (!list.value.length) return null;
  return html`
    <h3>${t('banned')}</h3>
    <ul class="bans">
      ${list.value.map(({ user_id: id, display_name: name, until }) => html`
        <li key=${id}>
          <span><bdi>${name}</bdi><small>${until ? t('until', { when: new Date(until).toLocaleString(locale.value) }) : t('ban.ever')}</small></span>
          <button onClick=${async () => { await visit.moderate(id, 'unban'); load(); }}>${t('unban')}</button>
        </li>`)}
    </ul>
  `;
}
