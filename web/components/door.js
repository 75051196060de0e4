/** What stands before one is signed in: the name of the place, and a card beside it. */
import { html } from '../html.js';
import { t } from '../text.js';
import { Header } from './header.js';
import { Main } from './main.js';

export function Door({ children }) {
  return html`
    <${Header} />
    <${Main} class="door">
      <div class="welcome">
        <${Planet} />
        <h1>cwrkPlanet</h1>
        <p>${t('tagline')}</p>
      </div>
      ${children}
    <//>
  `;
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
