/** The page: who is signed in, which page the address asks for. */
import { Notice } from './components/notice.js';
import { unseen } from './chat/state.js';
import { html } from './html.js';
import { AccountPage } from './pages/account.js';
import { InvitePage } from './pages/invite.js';
import { ForgotPage, ResetPage, VerifyPage } from './pages/letters.js';
import { LoginPage } from './pages/login.js';
import { RoomPage } from './pages/room.js';
import { RoomsPage } from './pages/rooms.js';
import { follow, loginPath, navigate, route } from './router.js';
import * as state from './state.js';
import { language, t } from './text.js';
import * as tokens from './tokens.js';
import { render } from './vendor/preact.js';
import { effect } from './vendor/signals-core.js';

// For whoever comes from a letter, signed in or not.
const LETTERS = { forgot: ForgotPage, reset: ResetPage, verify: VerifyPage };
const PAGES = { rooms: RoomsPage, account: AccountPage, room: RoomPage, invite: InvitePage, lost: LostPage };

function App() {
  const { page, roomId, code, invite, next, token, visit } = route.value;
  const Letter = LETTERS[page];
  if (Letter) return html`<${Letter} key=${visit} token=${token} /><${Notice} />`;
  if (!state.user.value) return html`<${LoginPage} invite=${invite} invited=${next?.startsWith('/invite/')} /><${Notice} />`;
  const Page = PAGES[page];
  return html`
    <a class="skip" href="#main">${t('skip')}</a>
    ${Page && html`<${Page} roomId=${roomId} code=${code} />`}
    <${Notice} />
  `;
}

function LostPage() {
  return html`
    <main id="main" class="shut-out card">
      <p>${t('lostPage')}</p>
      <a class="button primary" href="/" onClick=${follow}>${t('toRooms')}</a>
    </main>
  `;
}

function sessionIs(session) {
  state.signedIn(session?.user ?? null);
  const { page, next } = route.value;
  if (page in LETTERS) return;
  if (!session && page !== 'login') navigate(loginPath(), { replace: true });
  if (session && page === 'login') navigate(next ?? '/', { replace: true });
}

tokens.onChange(sessionIs);
tokens.start();
sessionIs(tokens.current());

effect(() => {
  document.documentElement.lang = language.value;
  const news = unseen.value ? `(${unseen.value}) ` : '';
  document.title = state.room.value ? `${news}${state.room.value.name} · cwrkPlanet` : 'cwrkPlanet';
});

render(html`<${App} />`, document.getElementById('app'));
