/** The page: who is signed in, which page the address asks for. */
import { Alone } from './components/alone.js';
import { Later } from './components/later.js';
import { Notice } from './components/notice.js';
import { html } from './html.js';
import { InvitePage } from './pages/invite.js';
import { ForgotPage, ResetPage, VerifyPage } from './pages/letters.js';
import { LoginPage } from './pages/login.js';
import { loginPath, navigate, route } from './router.js';
import * as state from './state.js';
import { styled } from './styles.js';
import { language, t } from './text.js';
import * as tokens from './tokens.js';
import { showUnread } from './unread.js';
import { render } from './vendor/preact.js';
import { effect } from './vendor/signals-core.js';

// For whoever comes from a letter, signed in or not.
const LETTERS = { forgot: ForgotPage, reset: ResetPage, verify: VerifyPage };
const PAGES = { invite: InvitePage, lost: LostPage };
// What nobody needs at the door comes when it is asked for.
const LATER = {
  rooms: () => import('./pages/rooms.js').then((module) => (setTimeout(fetchRoom, SOON_MS), module.RoomsPage)),
  account: () => dressed(import('./pages/account.js').then((module) => module.AccountPage), 'account'),
  doctor: () => dressed(import('./pages/doctor.js').then((module) => module.DoctorPage), 'account'),
  room: () => dressed(import('./pages/room.js').then((module) => module.RoomPage), 'room', 'chat', 'study'),
};

/** A room's files are there before one goes in, and not before the rooms are. */
const fetchRoom = () => LATER.room().catch(() => {});
const SOON_MS = 1_000;

/** A page, once its style sheets are there as well. @param {Promise<any>} page @param {string[]} sheets */
const dressed = async (page, ...sheets) => (await Promise.all([page, styled(...sheets)]))[0];

function App() {
  const { page, roomId, code, invite, next, token, visit } = route.value;
  const Letter = LETTERS[page];
  if (Letter) return html`<${Letter} key=${visit} token=${token} /><${Notice} />`;
  if (!state.user.value) return html`<${LoginPage} invite=${invite} invited=${next?.startsWith('/invite/')} /><${Notice} />`;
  const Page = PAGES[page];
  return html`
    <a class="skip" href="#main">${t('skip')}</a>
    ${Page && html`<${Page} code=${code} />`}
    ${LATER[page] && html`<${Later} key=${page} page=${LATER[page]} roomId=${roomId} />`}
    <${Notice} />
  `;
}

function LostPage() {
  return html`<${Alone} text=${t('lostPage')} rooms />`;
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
});
showUnread();

render(html`<${App} />`, document.getElementById('app'));
