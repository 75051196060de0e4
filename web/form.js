/** What a form does when it is sent. */
import { NO_PROBLEM, explain } from './problem.js';
import { useComputed, useSignal } from './vendor/signals.js';

/** A form's one call: whether it is under way, done, or what was wrong with it. @param {() => Promise<unknown>} send */
export function useForm(send) {
  const busy = useSignal(false);
  const done = useSignal(false);
  const error = useSignal(null);
  const problem = useComputed(() => (error.value ? explain(error.value) : NO_PROBLEM)); // in the language of now
  const submit = async (event) => {
    event.preventDefault();
    busy.value = true;
    done.value = false;
    error.value = null;
    try {
      await send();
      done.value = true;
    } catch (thrown) {
      error.value = thrown;
    }
    busy.value = false;
  };
  return { busy, done, problem, submit };
}
