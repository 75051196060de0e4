"""The page as an app: nothing keeps it from being installed; and it stands still for who asks."""

from playwright.async_api import expect

from tests.e2e.conftest import NewPerson


async def test_it_can_be_installed(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    browser = await ann.page.context.new_cdp_session(ann.page)
    manifest = await browser.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"] == f"{ann.url}/static/manifest.webmanifest"
    found = (await browser.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    # A context of a test is a private window, and those install nothing.
    assert [each["errorId"] for each in found if each["errorId"] != "in-incognito"] == []


async def test_nothing_moves_for_who_wants_no_motion(new_person: NewPerson) -> None:
    running = "() => document.getAnimations().length"
    ann, bob = await new_person("Ann", reduced_motion="reduce"), await new_person("Bob")
    await ann.register()
    await bob.register_and_enter(await ann.create_room("Still life"))
    await ann.sees("Ann", "Bob")
    writing = ann.page.get_by_role("textbox", name="Message to")
    await writing.press_sequentially("Some")
    await expect(bob.page.locator(".writing")).to_contain_text("Ann")
    assert await bob.page.evaluate(running) > 0
    await bob.page.get_by_role("textbox", name="Message to").press_sequentially("Some")
    await expect(ann.page.locator(".writing")).to_contain_text("Bob")
    assert await ann.page.evaluate(running) == 0
