/** The tab's title, its icon and the installed app's badge say how much one has not read. */
import { room, roomList, unread, user } from './state.js';
import { computed, effect } from './vendor/signals-core.js';

const NAME = 'cwrkPlanet';

/** In a room that room's; else that of all rooms of the list. */
const news = computed(() => {
  if (!user.value) return 0;
  return room.value ? unread.value : roomList.value.items.reduce((sum, each) => sum + (each.unread ?? 0), 0);
});

export function showUnread() {
  effect(() => {
    const name = room.value ? `${room.value.name} · ${NAME}` : NAME;
    document.title = news.value ? `(${news.value}) ${name}` : name;
    const icon = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel=icon]'));
    icon.setAttribute('href', news.value ? '/static/icon-unread.svg' : '/static/icon.svg');
    navigator.setAppBadge?.(news.value).catch(() => {}); // where the page is no installed app
  });
}
