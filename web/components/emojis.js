/** A few emojis to choose from: under a message, or for the room. */
import { html } from '../html.js';
import { t } from '../text.js';

/** @param {{emojis: string[], choose: (emoji: string) => void}} props */
export function Emojis({ emojis, choose }) {
  return html`
    <div class="emojis" role="group" aria-label=${t('react')}>
      ${emojis.map((emoji) => html`
        <button key=${emoji} type="button" role="menuitem" tabindex="-1" aria-label=${t('reactWith', { emoji })}
          onClick=${() => choose(emoji)}>${emoji}</button>
      `)}
    </div>
  `;
}
