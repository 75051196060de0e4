/** A page whose files come when it is asked for; and a sentence with a way on where they do not. */
import { html } from '../html.js';
import { errorText, t } from '../text.js';
import { useLayoutEffect, useState } from '../vendor/preact-hooks.js';
import { Alone } from './alone.js';

/** @param {{page: () => Promise<any>, [name: string]: any}} props the rest goes to the page */
export function Later({ page, ...props }) {
  const [loaded, setLoaded] = useState({ Page: null, failed: false });
  useLayoutEffect(() => {
    page().then(
      (Page) => setLoaded({ Page, failed: false }),
      () => setLoaded({ Page: null, failed: true }),
    );
  }, []);
  if (loaded.Page) return html`<${loaded.Page} ...${props} />`;
  if (!loaded.failed) return null;
  const again = () => location.reload();
  return html`<${Alone} text=${errorText('UNREACHABLE')} grave><button class="primary" onClick=${again}>${t('retry')}</button><//>`;
}
