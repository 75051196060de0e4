/** The bar at the top of the pages that are not a room. */
import { file } from '../files.js';
import { html } from '../html.js';
import { follow } from '../router.js';
import { language, switchLanguage, t } from '../text.js';

export function Brand() {
  return html`
    <a class="brand" href="/" onClick=${follow}>
      <img src=${file('icon.svg')} alt="" width="30" height="30" /><span>cwrkPlanet</span>
    </a>
  `;
}

/** @param {{short?: boolean}} props */
export function LanguageSwitch({ short = false }) {
  const other = language.value === 'en' ? 'ru' : 'en';
  const name = t('otherLanguage');
  if (!short) return html`<button class="quiet" lang=${other} onClick=${switchLanguage}>${name}</button>`;
  const code = other.toUpperCase();
  return html`<button class="quiet" lang=${other} aria-label=${`${code}, ${name}`} title=${name} onClick=${switchLanguage}>${code}</button>`;
}

export function Header({ children }) {
  return html`<header class="bar"><${Brand} /><div class="bar-end">${children}<${LanguageSwitch} /></div></header>`;
}
