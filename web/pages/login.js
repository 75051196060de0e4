/** The door: log in, or create an account. */
import * as api from '../api.js';
import { Field } from '../components/field.js';
import { Header } from '../components/header.js';
import { html } from '../html.js';
import { errorText, fieldText, t } from '../text.js';
import { useSignal } from '../vendor/signals.js';

export function LoginPage() {
  const isNew = useSignal(false);
  return html`
    <${Header} />
    <main id="main" class="door">
      <div class="welcome">
        <${Planet} />
        <h1>cwrkPlanet</h1>
        <p>${t('tagline')}</p>
      </div>
      <${AccountForm} key=${isNew.value} isNew=${isNew.value} turn=${() => (isNew.value = !isNew.value)} />
    </main>
  `;
}

function AccountForm({ isNew, turn }) {
  const email = useSignal('');
  const name = useSignal('');
  const password = useSignal('');
  const busy = useSignal(false);
  const problem = useSignal({ text: '', fields: {} });

  const submit = async (event) => {
    event.preventDefault();
    busy.value = true;
    try {
      // Being signed in shows the page one came for; there is nothing more to do here.
      if (isNew) await api.register(email.value, name.value, password.value);
      else await api.login(email.value, password.value);
    } catch (error) {
      problem.value = explain(error);
      busy.value = false;
    }
  };

  const { text, fields } = problem.value;
  return html`
    <form class="card account" onSubmit=${submit}>
      <h2>${t(isNew ? 'register' : 'login')}</h2>
      ${isNew && html`<${Field} label=${t('displayName')} hint=${t('displayNameHint')} error=${fields.displayName}
        value=${name.value} change=${(value) => (name.value = value)} autocomplete="name" name="displayName" required maxlength="64" />`}
      <${Field} label=${t('email')} error=${fields.email} value=${email.value} change=${(value) => (email.value = value)}
        type="email" name="email" autocomplete="username" required />
      <${Field} label=${t('password')} hint=${isNew && t('passwordHint')} error=${fields.password} value=${password.value}
        change=${(value) => (password.value = value)} type="password" name="password"
        autocomplete=${isNew ? 'new-password' : 'current-password'} minlength=${isNew ? 8 : undefined} required />
      <p class="wrong" role="alert">${text}</p>
      <button class="primary wide" disabled=${busy.value}>${t(isNew ? 'register' : 'login')}</button>
      <p class="turn">
        ${t(isNew ? 'haveAccount' : 'newHere')}${' '}
        <button type="button" class="link" onClick=${turn}>${t(isNew ? 'login' : 'register')}</button>
      </p>
    </form>
  `;
}

/** What went wrong, beside its field where it belongs to one. */
function explain(error) {
  if (!(error instanceof api.ApiError)) return { text: errorText('UNREACHABLE', ''), fields: {} };
  const fields = Object.fromEntries(Object.entries(error.fields).map(([field, said]) => [field, fieldText(field, said)]));
  return { text: Object.keys(fields).length ? '' : errorText(error.code, error.message), fields };
}

function Planet() {
  return html`
    <svg class="planet" viewBox="0 0 240 160" aria-hidden="true">
      <ellipse class="orbit" cx="120" cy="80" rx="112" ry="40" transform="rotate(-14 120 80)" />
      <circle class="body" cx="120" cy="80" r="46" />
      <path class="shine" d="M86.5 67a36 36 0 0 1 40-22.4" />
      <path class="orbit front" d="M11.3 107.100a112 40 -14 0 0 217.4-54.2" />
      <circle class="moon" cx="211" cy="82" r="8" />
      <circle class="moon second" cx="40" cy="66" r="5" />
    </svg>
  `;
}
