/** The text of a message: links, code and formulas are elements, and nothing in it is ever HTML. */
import { partsOf } from '../../chat/rich.js';
import { html } from '../../html.js';

/** @param {{text: string}} props */
export function Body({ text }) {
  return html`<div class="text">${partsOf(text).map((part) => SHOWN[part.kind](part.text))}</div>`;
}

const SHOWN = {
  text: (text) => text,
  link: (text) => html`<a href=${text} target="_blank" rel="noopener noreferrer">${text}</a>`,
  code: (text) => html`<code>${text}</code>`,
  block: (text) => html`<pre tabindex="0"><code>${text}</code></pre>`,
  formula: (text) => html`<span class="formula">${text}</span>`,
};
