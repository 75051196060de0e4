/** What a form does when it is sent. */
import { NO_PROBLEM, explain } from './problem.js';
import { useSignal } from './vendor/signals.js';

/** A form's one call: whether it is under way, done, or what was wrong with it. @param {() => Promise<unknown>} send */
export function useForm(send) {
  const busy = useSignal(false);
  const done = useSignal(false);
  const problem = useSignal(NO_PROBLEM);
  const submit = async (event) => {
    event.preventDefault();
    busy.value = true;
    done.value = false;
    problem.value = NO_PROBLEM;
    try {
      await send();
      done.value = true;
    } catch (error) {
      problem.value = explain(error);
    }
    busy.value = false;
  };
  return { busy, done, problem, submit };
}
