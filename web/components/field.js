/** A labelled input with a hint, and what is wrong with it. */
import { html } from '../html.js';
import { useId } from '../vendor/preact-hooks.js';

/** @param {{label: string, hint?: string, error?: string, value: string, change: (value: string) => void}} props
 * the rest goes to the input */
export function Field({ label, hint, error, value, change, ...input }) {
  const id = useId();
  const note = error || hint;
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <input
        id=${id}
        value=${value}
        onInput=${(event) => change(event.currentTarget.value)}
        aria-invalid=${error ? 'true' : undefined}
        aria-describedby=${note ? `${id}-note` : undefined}
        ...${input}
      />
      ${note && html`<p id=${`${id}-note`} class=${error ? 'note wrong' : 'note'}>${note}</p>`}
    </div>
  `;
}
