"""An invite's link, opened by a stranger."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import NewPerson
from tests.e2e.pictures import picture
from tests.integration.student import Student
from tests.services import Stack


@pytest.mark.parametrize("width", [1100, 360])
async def test_a_link_leads_a_stranger_past_the_door_into_a_private_room(
    new_person: NewPerson, stack: Stack, width: int
) -> None:
    async with Student.registered(stack.url, stack.ws_url, "Vera") as vera:
        room = await vera.create_room("Thesis writers", visibility="private")
        invite = await vera.call("POST", f"/rooms/{room}/invites", {"max_uses": 1}, status=201)

        tom = await new_person("Tom", viewport={"width": width, "height": 740})
        await tom.page.goto(invite["url"])
        await expect(tom.page.get_by_text("You are invited to a room.")).to_be_visible()
        await picture(tom.page, f"invite-door-{width}")
        await tom.register()
        await tom.is_in_room()
        await expect(tom.page.get_by_role("heading", name="Thesis writers")).to_be_visible()
        assert tom.page.url == f"{stack.url}/r/{room}"

        # It has let one person in, and opens nothing to the next.
        late = await new_person("Late", locale="ru-RU", viewport={"width": width, "height": 740})
        await late.page.get_by_role("button", name="Создать аккаунт").click()
        await late.page.get_by_label("Ваше имя").fill("Late")
        await late.page.get_by_label("Электронная почта").fill(f"late{width}@example.org")
        await late.page.get_by_label("Пароль").fill("correct horse battery staple")
        await late.page.locator("form.account button.primary").click()
        await expect(late.page.get_by_role("heading", name="Комнаты")).to_be_visible()
        await late.page.goto(invite["url"])
        await expect(late.page.locator("main [role=alert]")).to_have_text(
            "Это приглашение не действует (или уже не действует). Попросите новое."
        )
        await picture(late.page, f"invite-invalid-{width}")
        assert tom.complaints == []
