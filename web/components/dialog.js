/** A dialog over the page. Escape, its button or a click beside it closes it, and the focus goes back. */
import { html } from '../html.js';
import { t } from '../text.js';
import { useEffect, useId, useRef } from '../vendor/preact-hooks.js';
import { useSignal } from '../vendor/signals.js';
import { Close } from './icons.js';

/** @param {{title: string, close: () => void, children: any}} props */
export function Dialog({ title, close, children }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    const dialog = box.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  const clicked = (event) => event.target === box.current && close();
  return html`
    <dialog class="dialog" ref=${box} aria-labelledby=${id} onClose=${close} onClick=${clicked}>
      <div class="dialog-body">
        <div class="dialog-head"><h2 id=${id}>${title}</h2><button class="quiet round" aria-label=${t('close')} onClick=${close}><${Close} /></button></div>
        ${children}
      </div>
    </dialog>
  `;
}

/**
 * A button for what cannot be undone: it asks first.
 * @param {{text: string, question: string, act: () => void}} props `text` is what it does, in a few words
 */
export function Grave({ text, question, act }) {
  const asked = useSignal(false);
  if (!asked.value) return html`<button type="button" class="grave" onClick=${() => (asked.value = true)}>${text}</button>`;
  return html`
    <div class="question" role="alertdialog" aria-label=${text}>
      <p>${question}</p>
      <div class="buttons">
        <button type="button" ref=${focus} onClick=${() => (asked.value = false)}>${t('cancel')}</button>
        <button type="button" class="grave filled" onClick=${act}>${text}</button>
      </div>
    </div>
  `;
}

/** The harmless one is what Enter presses. */
const focus = (element) => element?.focus();

/** @param {{label: string, hint?: string, on: boolean, change: (on: boolean) => void}} props */
export function Switch({ label, hint, on, change }) {
  const id = useId();
  return html`
    <label class="switch">
      <span><span id=${`${id}-name`}>${label}</span>${hint && html`<small id=${id}>${hint}</small>`}</span>
      <input type="checkbox" role="switch" checked=${on} aria-labelledby=${`${id}-name`} aria-describedby=${hint ? id : undefined}
        onChange=${(event) => change(event.currentTarget.checked)} />
    </label>
  `;
}

/** @param {{label: string, hint?: string, value: string, options: [string, string][], change: (value: string) => void}} props
 * options: value and text */
export function Choice({ label, hint, value, options, change, ...select }) {
  const id = useId();
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <select id=${id} aria-describedby=${hint ? `${id}-note` : undefined} onChange=${(event) => change(event.currentTarget.value)} ...${select}>
        ${options.map(([each, text]) => html`<option key=${each} value=${each} selected=${each === value}>${text}</option>`)}
      </select>
      ${hint && html`<p id=${`${id}-note`} class="note">${hint}</p>`}
    </div>
  `;
}
