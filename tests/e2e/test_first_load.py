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
