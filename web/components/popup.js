/**
 * A card beside what opened it: Escape or a click elsewhere closes it, and the focus goes back. On a phone it comes
 * up from the foot of the page. Beside it, a list of commands for the arrow keys.
 */
import { html } from '../html.js';
import { useRef } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';

/** From the window's edge, and from the opener. Pixels. */
const MARGIN = 8;
const AT_EDGE = 120;

/**
 * The opener is a button with `popovertarget=${id}`.
 * @param {{id: string, label: string, children: () => any}} props `children` are asked for while it is open
 */
export function Popup({ id, label, children }) {
  const open = useSignal(false);
  const box = useRef(null);
  const toggled = ({ newState }) => {
    open.value = newState === 'open';
    if (open.value) requestAnimationFrame(() => place(box.current));
  };
  return html`
    <div class="popup" id=${id} ref=${box} popover role="dialog" aria-label=${label} onToggle=${toggled}>
      ${open.value && children()}
    </div>
  `;
}

/** @param {string} id */
export const closePopup = (id) => document.getElementById(id)?.hidePopover();

/** Beside the opener, so that it stays in view; above one at the foot of the page, below one at its head. A phone's is in
 * the style sheet. */
function place(box) {
  const opener = document.querySelector(`[popovertarget="${box?.id}"]`);
  if (!box || !opener) return;
  const { left, right, top, bottom, width } = opener.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = box;
  const within = (at, size, whole) => Math.max(MARGIN, Math.min(at, whole - size - MARGIN));
  const above = innerHeight - bottom < AT_EDGE;
  const below = bottom < AT_EDGE;
  const beside = right + MARGIN + offsetWidth < innerWidth ? right + MARGIN : left - MARGIN - offsetWidth;
  const x = within(above || below ? left + width / 2 - offsetWidth / 2 : beside, offsetWidth, innerWidth);
  const y = within(above ? top - MARGIN - offsetHeight : below ? bottom + MARGIN : top, offsetHeight, innerHeight);
  box.style.setProperty('--x', `${x}px`);
  box.style.setProperty('--y', `${y}px`);
  (box.querySelector('[role=menuitem]') ?? box.querySelector('input, button'))?.focus();
}

/** @param {{label: string, children: any}} props the children are Commands */
export function Menu({ label, children }) {
  const list = useRef(null);
  const keyed = (event) => {
    const items = [...list.current.querySelectorAll('[role=menuitem]')];
    const at = items.indexOf(document.activeElement);
    const [next, previous] = [at + 1, at - 1 + items.length];
    const keys = { ArrowDown: next, ArrowRight: next, ArrowUp: previous, ArrowLeft: previous, Home: 0, End: items.length - 1 };
    const to = keys[event.key];
    if (to === undefined) return;
    event.preventDefault();
    items[to % items.length]?.focus();
  };
  return html`<div class="menu" role="menu" aria-label=${label} ref=${list} onKeyDown=${keyed}>${children}</div>`;
}

/** @param {{icon?: any, act: () => void, grave?: boolean, children: any}} props */
export function Command({ icon, act, grave, children }) {
  return html`
    <button class=${grave ? 'command grave' : 'command'} role="menuitem" onClick=${act}>
      ${icon && html`<${icon} />`}<span>${children}</span>
    </button>
  `;
}
