/** The tab's title says where one is; it, the icon and the installed app's badge, how much one has not read. */
import { announce } from './announcer.js';
import { file } from './files.js';
import { hasMoved, route } from './router.js';
import { room, roomList, unread, user } from './state.js';
import { t } from './text.js';
import { computed, effect } from './vendor/signals-core.js';

const SITE = 'cwrkPlanet';
const NAMES = /** @type {const} */ ({
  rooms: 'rooms', account: 'account', login: 'login', forgot: 'forgotTitle', reset: 'resetTitle', verify: 'verifyTitle', invite: 'invite', doctor: 'whatWorks', lost: 'nothingHere',
});

const here = computed(() => {
  const { page } = route.value;
  return room.value?.name ?? (NAMES[page] ? t(NAMES[page]) : '');
});
/** In a room that room's; else that of all rooms of the list. */
const news = computed(() => {
  if (!user.value) return 0;
  return room.value ? unread.value : roomList.value.items.reduce((sum, each) => sum + (each.unread ?? 0), 0);
});

export function showUnread() {
  effect(() => {
    const name = here.value ? `${here.value} · ${SITE}` : SITE;
    document.title = news.value ? `(${news.value}) ${name}` : name;
    const icon = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel=icon]'));
    icon.setAttribute('href', file(news.value ? 'icon-unread.svg' : 'icon.svg'));
    navigator.setAppBadge?.(news.value).catch(() => {}); // where the page is no installed app
  });
  effect(() => {
    if (here.value && hasMoved()) announce(here.value);
  });
}
