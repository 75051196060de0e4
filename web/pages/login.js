/** The door: log in, or create an account. */
import * as api from '../api.js';
import { Door } from '../components/door.js';
import { Field } from '../components/field.js';
import { useForm } from '../form.js';
import { html } from '../html.js';
import { follow } from '../router.js';
import { t } from '../text.js';
import { useSignal } from '../vendor/signals.js';

/**
 * @param {{invite?: string, invited?: boolean}} props `invite` lets one register, and who has one is new here;
 * `invited`: a room waits behind the door
 */
export function LoginPage({ invite = '', invited = false }) {
  const isNew = useSignal(Boolean(invite));
  return html`
    <${Door}>
      <${AccountForm} key=${isNew.value} isNew=${isNew.value} invite=${invite} invited=${invited}
        turn=${() => (isNew.value = !isNew.value)} />
    <//>
  `;
}

function AccountForm({ isNew, invite, invited, turn }) {
  const email = useSignal('');
  const name = useSignal('');
  const password = useSignal('');
  // Being signed in shows the page one came for; there is nothing more to do here.
  const { busy, problem, submit } = useForm(() =>
    isNew ? api.register(email.value, name.value, password.value, invite) : api.login(email.value, password.value),
  );
  const { text, fields } = problem.value;
  return html`
    <form class="card account" onSubmit=${submit}>
      <h2>${t(isNew ? 'register' : 'login')}</h2>
      ${invited && html`<p>${t('invited')}</p>`}
      ${isNew && html`<${Field} label=${t('displayName')} hint=${t('displayNameHint')} error=${fields.displayName}
        value=${name.value} change=${(value) => (name.value = value)} autocomplete="name" name="displayName" required maxlength="64" />`}
      <${Field} label=${t('email')} error=${fields.email} value=${email.value} change=${(value) => (email.value = value)}
        type="email" name="email" autocomplete="username" required />
      <${Field} label=${t('password')} hint=${isNew && t('passwordHint')} error=${fields.password} value=${password.value}
        change=${(value) => (password.value = value)} type="password" name="password"
        autocomplete=${isNew ? 'new-password' : 'current-password'} minlength=${isNew ? 8 : undefined} required />
      <p class="wrong" role="alert">${text}</p>
      <button class="primary wide" disabled=${busy.value}>${t(isNew ? 'register' : 'login')}</button>
      ${!isNew && html`<p class="turn"><a class="link" href="/forgot" onClick=${follow}>${t('forgot')}</a></p>`}
      <p class="turn">
        ${t(isNew ? 'haveAccount' : 'newHere')}${' '}
        <button type="button" class="link" onClick=${turn}>${t(isNew ? 'login' : 'register')}</button>
      </p>
    </form>
  `;
}
