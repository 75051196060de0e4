/** One's own account: the name others see, the password, where one is logged in, and the way out. */
import * as api from '../api.js';
import { Avatar } from '../components/avatar.js';
import { Dialog } from '../components/dialog.js';
import { Field } from '../components/field.js';
import { Header } from '../components/header.js';
import { Main } from '../components/main.js';
import { useForm } from '../form.js';
import { html } from '../html.js';
import { follow } from '../router.js';
import { myId, tell, user } from '../state.js';
import { errorText, locale, t } from '../text.js';
import * as tokens from '../tokens.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';

export function AccountPage() {
  return html`
    <${Header}><a class="button" href="/" onClick=${follow}>${t('toRooms')}</a><//>
    <${Main} class="own-account">
      <h1>${t('account')}</h1>
      <${Profile} />
      <${Password} />
      <${Sessions} />
      <${Erase} />
    <//>
  `;
}

function Profile() {
  const { displayName, email, emailVerified } = user.value;
  const name = useSignal(displayName);
  const { busy, done, problem, submit } = useForm(async () => {
    const changed = await api.changeName(name.value);
    tokens.userIs(changed);
    // Others learn a name from one's token.
    await tokens.renew(tokens.current().accessToken).catch(() => {});
  });
  const { text, fields } = problem.value;
  const unchanged = name.value.trim() === displayName;
  return html`
    <form class="card part" onSubmit=${submit} aria-labelledby="profile">
      <h2 id="profile">${t('profile')}</h2>
      <div class="portrait">
        <${Avatar} id=${myId.value} name=${name.value || displayName} />
        <p class="note">${t('portraitNote')}</p>
      </div>
      <${Field} label=${t('displayName')} hint=${t('displayNameHint')} error=${fields.displayName} value=${name.value}
        change=${(value) => (name.value = value)} name="displayName" autocomplete="name" required maxlength="64" />
      <p><b>${t('email')}</b><br />${email}${' '}
        ${emailVerified === false && html`<a class="link" href="/verify" onClick=${follow}>${t('confirmEmail')}</a>`}</p>
      <${Outcome} text=${text} done=${done.value && unchanged && t('saved')} />
      <button class="primary" disabled=${busy.value || unchanged}>${t('save')}</button>
    </form>
  `;
}

function Password() {
  const current = useSignal('');
  const next = useSignal('');
  const { busy, done, problem, submit } = useForm(async () => {
    await api.changePassword(current.value, next.value);
    current.value = next.value = '';
  });
  const { text, fields } = problem.value;
  return html`
    <form class="card part" onSubmit=${submit} aria-labelledby="change-password">
      <h2 id="change-password">${t('changePassword')}</h2>
      <input type="hidden" name="username" autocomplete="username" value=${user.value.email} />
      <${Field} label=${t('currentPassword')} error=${fields.currentPassword} value=${current.value} type="password"
        change=${(value) => (current.value = value)} name="currentPassword" autocomplete="current-password" required />
      <${Field} label=${t('newPassword')} hint=${t('passwordHint')} error=${fields.newPassword} value=${next.value} type="password"
        change=${(value) => (next.value = value)} name="newPassword" autocomplete="new-password" minlength="8" required />
      <${Outcome} text=${text} done=${done.value && !next.value && t('passwordChanged')} />
      <button class="primary" disabled=${busy.value}>${t('setPassword')}</button>
    </form>
  `;
}

function Sessions() {
  const items = useSignal(/** @type {any[] | null} */ (null));
  const load = () => api.sessions().then((answer) => (items.value = answer.items), refused);
  useEffect(() => void load(), []);
  const end = (id) => api.endSession(id).then(load, refused);
  const endAll = () => api.endAllSessions().then(tokens.forget, refused);
  const moment = new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' });
  return html`
    <section class="card part" aria-labelledby="sessions">
      <h2 id="sessions">${t('sessions')}</h2>
      ${!items.value && html`<p role="status">${t('loading')}</p>`}
      <ul class="sessions">
        ${(items.value ?? []).map(({ id, device, address, lastSeenAt, current }) => html`
          <li key=${id}>
            <p><b>${device}</b>${current && html` <span class="chip">${t('thisDevice')}</span>`}<br />
              <span class="note">${address} · ${t('lastSeen', { time: moment.format(lastSeenAt * 1000) })}</span></p>
            ${!current && html`<button aria-label=${t('endSessionOf', { device })} onClick=${() => end(id)}>${t('logout')}</button>`}
          </li>
        `)}
      </ul>
      <div class="buttons">
        <button onClick=${api.logout}>${t('logoutHere')}</button>
        <button class="grave" onClick=${endAll}>${t('logoutEverywhere')}</button>
      </div>
    </section>
  `;
}

function Erase() {
  const asked = useSignal(false);
  const password = useSignal('');
  const { busy, problem, submit } = useForm(async () => {
    await api.eraseAccount(password.value);
    tokens.forget();
  });
  const close = () => (asked.value = false);
  return html`
    <section class="part erase">
      <button class="link grave" onClick=${() => (asked.value = true)}>${t('eraseAccount')}</button>
      ${asked.value && html`
        <${Dialog} title=${t('eraseAccount')} close=${close}>
          <form class="part" onSubmit=${submit}>
            <p>${t('eraseWarning')}</p>
            <${Field} label=${t('password')} error=${problem.value.fields.password} value=${password.value} type="password"
              change=${(value) => (password.value = value)} name="password" autocomplete="current-password" required />
            <${Outcome} text=${problem.value.text} done="" />
            <div class="buttons">
              <button type="button" onClick=${close}>${t('cancel')}</button>
              <button class="grave filled" disabled=${busy.value}>${t('eraseForGood')}</button>
            </div>
          </form>
        <//>
      `}
    </section>
  `;
}

function Outcome({ text, done }) {
  return html`<p class="wrong" role="alert">${text}</p><p class="done" role="status">${done}</p>`;
}

const refused = (error) => {
  if (!(error instanceof tokens.SignedOut)) tell(errorText(error.code ?? 'UNREACHABLE', error.message));
};
