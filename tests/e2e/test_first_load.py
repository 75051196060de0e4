"""What comes over the line before one can log in stays small: a bad network makes each kilobyte felt."""

from playwright.async_api import Browser, Response, expect

from tests.e2e.conftest import Figure
from tests.services import Stack

MOST_OCTETS = 60_000


async def test_the_first_load_is_small_and_from_here_alone(
    browser: Browser, stack: Stack, figure: Figure
) -> None:
    async with await browser.new_context(locale="en-GB") as nobody:  # with an empty cache
        page = await nobody.new_page()
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))
        await page.goto(stack.url)
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        octets = 0
        for answer in answers:
            assert answer.url.startswith(stack.url)
            sizes = await answer.request.sizes()
            octets += sizes["responseBodySize"]
        figure(f"the first load: {octets / 1000:.1f} KB in {len(answers)} files")
        assert octets <= MOST_OCTETS

        await page.goto(f"{stack.url}/forgot")
        await expect(page.get_by_role("heading", name="A new password")).to_be_visible()
        files = await page.evaluate(
            "performance.getEntriesByType('resource').map(({ name, transferSize }) => [name, transferSize])"
        )
        kept = [transferred for name, transferred in files if "/static/v-" in name]
        assert set(kept) == {0}  # nobody was asked


async def test_modules_can_be_had_one_by_one(browser: Browser, stack: Stack) -> None:
    with stack.changed("gateway", GATEWAY_WEB_MODULES="apart"):
        async with await browser.new_context(locale="en-GB") as nobody:
            page = await nobody.new_page()
            async with page.expect_response(lambda answer: answer.url.endswith("/pages/login.js")):
                await page.goto(stack.url)
            await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
