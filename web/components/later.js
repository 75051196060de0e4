/** A page whose files come when it is asked for; and a sentence with a way on where they do not. */
import { html } from '../html.js';
import { errorText, t } from '../text.js';
import { useEffect, useState } from '../vendor/preact-hooks.js';

/** @param {{page: () => Promise<any>, [name: string]: any}} props the rest goes to the page */
export function Later({ page, ...props }) {
  const [loaded, setLoaded] = useState({ Page: null, failed: false });
  useEffect(() => {
    page().then(
      (Page) => setLoaded({ Page, failed: false }),
      () => setLoaded({ Page: null, failed: true }),
    );
  }, []);
  if (loaded.Page) return html`<${loaded.Page} ...${props} />`;
  if (!loaded.failed) return null;
  return html`
    <main id="main" class="shut-out card">
      <p role="alert">${errorText('UNREACHABLE')}</p>
      <button class="primary" onClick=${() => location.reload()}>${t('retry')}</button>
    </main>
  `;
}
