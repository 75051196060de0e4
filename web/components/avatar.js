/** A person as a small planet: their initials, in a colour of their own. */
import { html } from '../html.js';

/** @param {{id: string, name: string}} props */
export function Avatar({ id, name }) {
  return html`<span class="avatar" style=${{ '--hue': hue(id) }} aria-hidden="true">${initials(name)}</span>`;
}

/** The golden angle keeps neighbours apart, so ids in a row look different. */
function hue(id) {
  const number = Array.from(id).reduce((sum, character) => (sum * 31 + character.codePointAt(0)) % 9973, 7);
  return Math.round((number * 137.508) % 360);
}

function initials(name) {
  const words = name.trim().split(/\s+/);
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return chosen.map((word) => Array.from(word)[0] ?? '').join('').toLocaleUpperCase();
}
