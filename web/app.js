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

// For whoever comes from a letter or by a wrong address, signed in or not.
const OPEN = { forgot: ForgotPage, reset: ResetPage, verify: VerifyPage, lost: LostPage };
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
  const Open = OPEN[page];
  if (Open) return html`<${Open} key=${visit} token=${token} /><${Notice} />`;
  if (!state.user.value) return html`<${LoginPage} invite=${invite} invited=${next?.startsWith('/invite/')} /><${Notice} />`;
  return html`
    <a class="skip" href="#main">${t('skip')}</a>
    ${page === 'invite' && html`<${InvitePage} code=${code} />`}
    ${LATER[page] && html`<${Later} key=${page} page=${LATER[page]} roomId=${roomId} />`}
    <${Notice} />
  `;
}

function LostPage() {
  return html`<${Alone} text=${t('nothingHere')} hint=${t('nothingHereHint')} rooms />`;
}

tokens.onChange((session) => state.signedIn(session?.user ?? null));
tokens.start();
state.signedIn(tokens.current()?.user ?? null);

// Who is not signed in comes to the door from wherever they go, and from there to where they wanted to go.
effect(() => {
  const { page, next } = route.value;
  const known = Boolean(state.user.value);
  if (page in OPEN || known !== (page === 'login')) return;
  navigate(known ? (next ?? '/') : loginPath(), { replace: true });
});

effect(() => {
  document.documentElement.lang = language.value;
});
showUnread();

render(html`<${App} />`, document.getElementById('app'));
