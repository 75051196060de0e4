"""From the click on "join voice" to the first sound that can be heard."""

import statistics

from tests.e2e.conftest import TONE_HZ, Figure, NewPerson

TIMES = 5
LONGEST_MS = 500

# The page marks its own timeline (web/timing.js).
STEPS = """() => {
    const at = (name) => performance.getEntriesByName(`voice:${name}`).at(-1).startTime;
    const steps = ['offer', 'answer', 'connected', 'sound'];
    return Object.fromEntries(steps.map((name) => [name, at(name) - at('click')]));
}"""


async def test_the_first_sound_comes_within_half_a_second(new_person: NewPerson, figure: Figure) -> None:
    speaker, listener = await new_person("Speaker"), await new_person("Listener")
    await speaker.register()
    room = await speaker.create_room("Quick")
    await listener.register_and_enter(room)
    await speaker.join_voice()

    taken = []
    for _ in range(TIMES):
        await listener.join_voice()
        await listener.hears(TONE_HZ)
        await listener.page.wait_for_function(
            "() => performance.getEntriesByName('voice:click-to-sound').length"
        )
        steps = await listener.page.evaluate(STEPS)
        taken.append(steps["sound"])
        figure("click on join voice: " + ", ".join(f"{name} {ms:.0f} ms" for name, ms in steps.items()))
        await listener.leave_voice()
    figure(
        f"click to first sound: median {statistics.median(taken):.0f} ms,"
        f" {min(taken):.0f} … {max(taken):.0f} ms of {TIMES}"
    )
    assert statistics.median(taken) < LONGEST_MS
