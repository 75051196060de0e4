/** What goes by letter: asking for one, and the pages that the links in them open. */
import * as api from '../api.js';
import { Door } from '../components/door.js';
import { Field } from '../components/field.js';
import { useForm } from '../form.js';
import { html } from '../html.js';
import { follow } from '../router.js';
import * as state from '../state.js';
import { errorText, t } from '../text.js';
import * as tokens from '../tokens.js';
import { useEffect } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';

export function ForgotPage() {
  return html`<${Door}><${AskForm} title=${t('forgotTitle')} intro=${t('forgotIntro')} ask=${api.forgot} /><//>`;
}

/** @param {{token: string}} props of the link in a letter */
export function ResetPage({ token }) {
  // The address bar forgets the token at once; this page does not.
  const held = useSignal(token);
  return held.value ? html`<${Door}><${ResetForm} token=${held.value} /><//>` : html`<${ForgotPage} />`;
}

function ResetForm({ token }) {
  const password = useSignal('');
  const { busy, done, problem, submit } = useForm(async () => {
    await api.reset(token, password.value);
    tokens.forget(); // the server has ended this session with all the others
  });
  if (done.value) return html`<${Card} title=${t('resetTitle')} text=${t('passwordSet')} />`;
  const { text, fields } = problem.value;
  return html`
    <form class="card account" onSubmit=${submit}>
      <h2>${t('resetTitle')}</h2>
      <${Field} label=${t('newPassword')} hint=${t('passwordHint')} error=${fields.password} value=${password.value}
        change=${(value) => (password.value = value)} type="password" name="password" autocomplete="new-password"
        minlength="8" required />
      <p class="wrong" role="alert">${fields.token ? errorText('MAIL_TOKEN_INVALID', fields.token) : text}</p>
      <button class="primary wide" disabled=${busy.value}>${t('setPassword')}</button>
      <${Back} />
    </form>
  `;
}

/** @param {{token: string}} props of the link in a letter */
export function VerifyPage({ token }) {
  const held = useSignal(token);
  const outcome = useSignal(token ? 'asking' : 'none');
  useEffect(() => {
    if (!held.value) return;
    api.verify(held.value).then(
      () => (outcome.value = 'verified'),
      (error) => (outcome.value = error instanceof api.ApiError ? 'invalid' : 'unreachable'),
    );
  }, []);
  if (outcome.value === 'asking') return html`<${Door}><${Card} title=${t('verifyTitle')} text=${t('verifying')} /><//>`;
  if (outcome.value === 'verified') return html`<${Door}><${Card} title=${t('verifyTitle')} text=${t('verified')} /><//>`;
  const wrong = { invalid: 'MAIL_TOKEN_INVALID', unreachable: 'UNREACHABLE' }[outcome.value];
  return html`
    <${Door}>
      <${AskForm} title=${t('verifyTitle')} intro=${t('verifyIntro')} wrong=${wrong && errorText(wrong, '')}
        ask=${api.askToVerify} />
    <//>
  `;
}

/** An e-mail to send a letter to. `wrong` is what has already gone wrong. */
function AskForm({ title, intro, ask, wrong = '' }) {
  const email = useSignal(state.user.value?.email ?? '');
  const { busy, done, problem, submit } = useForm(() => ask(email.value));
  if (done.value) return html`<${Card} title=${title} text=${t('letterSent')} />`;
  const { text, fields } = problem.value;
  return html`
    <form class="card account" onSubmit=${submit}>
      <h2>${title}</h2>
      <p class="wrong" role="alert">${text || wrong}</p>
      <p>${intro}</p>
      <${Field} label=${t('email')} error=${fields.email} value=${email.value} change=${(value) => (email.value = value)}
        type="email" name="email" autocomplete="username" required />
      <button class="primary wide" disabled=${busy.value}>${t('sendLetter')}</button>
      <${Back} />
    </form>
  `;
}

function Card({ title, text }) {
  return html`
    <section class="card account">
      <h2>${title}</h2>
      <p role="status">${text}</p>
      <${Back} />
    </section>
  `;
}

function Back() {
  const here = state.user.value;
  return html`<p class="turn"><a class="link" href=${here ? '/' : '/login'} onClick=${follow}>${t(here ? 'goOn' : 'backToLogin')}</a></p>`;
}
