"""360 pixels wide: everything is reachable and nothing sticks out."""

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson

PHONE = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}
STICKS_OUT = "() => document.documentElement.scrollWidth > innerWidth"


async def test_the_page_fits_a_phone(new_person: NewPerson) -> None:
    ann = await new_person("Ann with a rather long name indeed", **PHONE)
    assert not await ann.page.evaluate(STICKS_OUT)
    await ann.register()
    assert not await ann.page.evaluate(STICKS_OUT)
    await ann.create_room("A room with a name that is far too long for the bar of a phone", "And a topic")
    await ann.say("x" * 300)
    await ann.reads("x" * 300)
    await ann.join_voice()
    for control in (
        "Mute",
        "Hear nobody",
        "Raise your hand",
        "React",
        "Voice settings",
        "Leave voice",
        "Leave",
    ):
        await expect(ann.page.get_by_role("button", name=control, exact=True)).to_be_in_viewport(ratio=1)
    await expect(ann.page.get_by_role("textbox")).to_be_in_viewport(ratio=1)
    assert not await ann.page.evaluate(STICKS_OUT)

    # Without a keyboard the button is the key.
    await ann.page.get_by_role("button", name="Voice settings").tap()
    await ann.page.get_by_role("switch", name="Hold a key to talk").check()
    await ann.page.get_by_role("button", name="Close").tap()
    talk = ann.page.get_by_role("button", name="Hold to talk")
    await talk.click(trial=True)  # nothing lies over it
    await expect(talk).to_be_in_viewport(ratio=1)
    assert not await ann.page.evaluate(STICKS_OUT)
