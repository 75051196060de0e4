/** Where an invite's link leads: it is accepted, and one is in the room. */
import * as api from '../api.js';
import { html } from '../html.js';
import { follow, navigate } from '../router.js';
import { errorText, t } from '../text.js';
import { SignedOut } from '../tokens.js';
import { useEffect, useState } from '../vendor/preact-hooks.js';

/** Trying again does not mend these. */
const FINAL = new Set(['INVITE_INVALID', 'BANNED']);

/** @param {{code: string}} props */
export function InvitePage({ code }) {
  const [tries, setTries] = useState(0);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    let here = true;
    setProblem(null);
    api.acceptInvite(code).then(
      (room) => here && navigate(`/r/${room.id}`, { replace: true }),
      (error) => here && !(error instanceof SignedOut) && setProblem(error),
    );
    return () => (here = false);
  }, [code, tries]);

  if (!problem) return html`<main id="main" class="shut-out card"><p role="status">${t('loading')}</p></main>`;
  const refused = problem instanceof api.ApiError;
  return html`
    <main id="main" class="shut-out card">
      <p role="alert">${errorText(refused ? problem.code : 'UNREACHABLE', problem.message)}</p>
      <div class="buttons">
        <a class="button" href="/" onClick=${follow}>${t('toRooms')}</a>
        ${!FINAL.has(problem.code) && html`<button class="primary" onClick=${() => setTries(tries + 1)}>${t('retry')}</button>`}
      </div>
    </main>
  `;
}
