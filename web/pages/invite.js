/** Where an invite's link leads: it is accepted, and one is in the room. */
import * as api from '../api.js';
import { Alone } from '../components/alone.js';
import { html } from '../html.js';
import { navigate } from '../router.js';
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

  if (!problem) return html`<${Alone} text=${t('loading')} />`;
  const refused = problem instanceof api.ApiError;
  return html`
    <${Alone} text=${errorText(refused ? problem.code : 'UNREACHABLE', problem.message)} grave rooms>
      ${!FINAL.has(problem.code) && html`<button class="primary" onClick=${() => setTries(tries + 1)}>${t('retry')}</button>`}
    <//>
  `;
}
