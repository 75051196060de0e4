/** A message of one's own, being changed where it stands: Enter saves, Escape leaves it as it was. */
import { prepared } from '../../chat/draft.js';
import { edit, editIs, editing } from '../../chat/state.js';
import { html } from '../../html.js';
import { t } from '../../text.js';
import { useLayoutEffect, useRef } from '../../vendor/preact-hooks.js';
import { useSignal } from '../../vendor/signals.js';

/** @param {{message: import('../../chat/state.js').Message, visit: import('../../visit.js').RoomVisit}} props */
export function EditBox({ message, visit }) {
  const text = useSignal(message.text);
  const box = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const { message: changed, excess, ready } = prepared(text.value);
  const { busy = false, problem = '' } = editing.value ?? {};
  useLayoutEffect(() => {
    box.current.focus();
    box.current.setSelectionRange(message.text.length, message.text.length);
  }, []);

  const close = () => {
    edit('');
    /** @type {HTMLElement | null} */ (document.querySelector('.composer textarea'))?.focus();
  };
  const save = async (event) => {
    event.preventDefault();
    if (!ready || busy) return;
    if (changed === message.text) return close();
    editIs(true, '');
    const wrong = await visit.chat.edit(message.id, changed);
    if (editing.value?.id !== message.id) return;
    if (wrong) editIs(false, wrong);
    else close();
  };
  const keyed = (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) save(event);
    if (event.key === 'Escape') close();
    event.stopPropagation();
  };
  return html`
    <form class="edit-box" onSubmit=${save}>
      <textarea ref=${box} rows="2" aria-label=${t('editMessage')} value=${text.value} onKeyDown=${keyed}
        onInput=${(event) => (text.value = event.currentTarget.value)} />
      ${(problem || excess > 0) && html`<p class="note wrong" role="alert">${problem || t('tooLong', { n: excess })}</p>`}
      <div class="buttons">
        <button type="button" class="quiet" onClick=${close}>${t('cancel')}</button>
        <button class="primary" disabled=${!ready || busy}>${t('save')}</button>
      </div>
    </form>
  `;
}
