/** Opening a room: its name, what it is about, how many fit in, and who finds it. */
import * as api from '../api.js';
import { useForm } from '../form.js';
import { html } from '../html.js';
import { navigate } from '../router.js';
import { t } from '../text.js';
import { useEffect, useRef } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';
import { Choice } from './dialog.js';
import { Field } from './field.js';
import { visibilities } from './room_settings.js';

/** @param {{done: () => void}} props */
export function NewRoom({ done }) {
  const name = useSignal('');
  const topic = useSignal('');
  const max = useSignal('10');
  const visibility = useSignal('public');
  const form = useRef(null);
  useEffect(() => form.current.elements.namedItem('name').focus(), []);

  const { busy, problem, submit } = useForm(async () => {
    const room = await api.createRoom(name.value, Number(max.value), topic.value, visibility.value);
    navigate(`/r/${room.id}`);
  });
  const { text, fields } = problem.value;
  return html`
    <form class="card new-room" ref=${form} onSubmit=${submit} onKeyDown=${(event) => event.key === 'Escape' && done()}>
      <h2>${t('newRoom')}</h2>
      <${Field} label=${t('roomName')} placeholder=${t('roomNamePlaceholder')} error=${fields.name} value=${name.value}
        change=${(value) => (name.value = value)} name="name" required maxlength="100" autocomplete="off" />
      <${Field} label=${t('roomTopic')} placeholder=${t('roomTopicPlaceholder')} error=${fields.topic} value=${topic.value}
        change=${(value) => (topic.value = value)} name="topic" maxlength="500" autocomplete="off" />
      <${Choice} label=${t('visibility')} hint=${t(`visible.${visibility.value}.hint`)} value=${visibility.value} options=${visibilities()}
        change=${(value) => (visibility.value = value)} name="visibility" />
      <${Field} label=${t('roomMax')} error=${fields.max} value=${max.value} change=${(value) => (max.value = value)}
        name="max" type="number" min="1" max="500" required />
      <p class="wrong" role="alert">${text}</p>
      <div class="buttons">
        <button type="button" onClick=${done}>${t('cancel')}</button>
        <button class="primary" disabled=${busy.value}>${t('create')}</button>
      </div>
    </form>
  `;
}
