"""By letter, in a browser: a forgotten password, an address verified, an invite."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, expect

from dev.ports import free_port
from tests import services
from tests.auth.smtp import Server, smtp_server
from tests.e2e.pictures import picture
from tests.services import ROOT, Stack

PASSWORD = "correct horse"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def smtp() -> AsyncIterator[Server]:
    async with smtp_server() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(smtp: Server) -> AsyncIterator[Stack]:
    """The services of a place with mail, where one registers by invite."""
    port = free_port()
    settings = {
        "GATEWAY_PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "MAIL_URL": f"smtp://127.0.0.1:{smtp.port}?starttls=never",
        "MAIL_FROM": "study@example.org",
        "REGISTRATION": "invite",
    }
    with services.running(settings=settings) as running:
        yield running


async def invite(place: Stack) -> str:
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "auth", "admin", "invite",
        cwd=ROOT, env={**os.environ, **place.env}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await made.communicate()
    return said.decode().splitlines()[0]


async def test_invited_verified_forgotten_and_in_again(browser: Browser, place: Stack, smtp: Server) -> None:
    context = await browser.new_context(locale="en-GB", viewport={"width": 1100, "height": 720})
    page = await context.new_page()

    # An account is made by the link of an invite, and not without.
    await page.goto(await invite(place))
    await page.get_by_label("Your name").fill("Ann")
    await page.get_by_label("E-mail").fill("ann@example.org")
    await page.get_by_label("Password").fill("ann@example.org")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    await picture(page, "invited")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Rooms")).to_be_visible()

    # The letter's link verifies; its token leaves the address bar.
    link = await smtp.link()
    await page.goto(link)
    await expect(page.get_by_text("Your e-mail is confirmed.")).to_be_visible()
    assert page.url == f"{place.url}/verify"
    await picture(page, "verified")
    await page.goto(link)
    await expect(page.get_by_role("alert").first).to_have_text(
        "This link is not valid, or no longer valid. Ask for a new one."
    )
    await picture(page, "verify-again")

    # Somebody who has forgotten the password, at another device.
    other = await browser.new_context(locale="ru-RU", viewport={"width": 360, "height": 740})
    there = await other.new_page()
    await there.goto(f"{place.url}/login")
    await picture(there, "login")
    await there.get_by_role("link", name="Забыли пароль?").click()
    await there.get_by_label("Электронная почта").fill("ann@example.org")
    await picture(there, "forgot")
    await there.keyboard.press("Enter")
    await expect(there.get_by_role("status").first).to_contain_text("Если аккаунт с этим адресом есть")
    await picture(there, "sent")
    await there.goto(await smtp.link())
    await there.get_by_label("Новый пароль").fill("password1")
    await there.keyboard.press("Enter")
    await expect(there.get_by_label("Новый пароль")).to_have_attribute("aria-invalid", "true")
    await picture(there, "reset")
    await there.get_by_label("Новый пароль").fill("another horse")
    await there.keyboard.press("Enter")
    await expect(there.get_by_text("Новый пароль сохранён.")).to_be_visible()
    await there.get_by_role("link", name="Ко входу").click()
    await there.get_by_label("Электронная почта").fill("ann@example.org")
    await there.get_by_label("Пароль").fill("another horse")
    await there.keyboard.press("Enter")
    await expect(there.get_by_role("heading", name="Комнаты")).to_be_visible()
    await context.close()
    await other.close()


async def test_without_an_invite_one_is_told_to_ask_for_one(browser: Browser, place: Stack) -> None:
    context = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{place.url}/login")
    await page.get_by_role("button", name="Create an account").click()
    await page.get_by_label("Your name").fill("Bob")
    await page.get_by_label("E-mail").fill("bob@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").first).to_contain_text("An invite is needed")
    await context.close()
