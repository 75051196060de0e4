"""What no server takes is not sent; what this one refuses for good says why, and is not tried again."""

import json

from playwright.async_api import WebSocketRoute, expect

from tests.e2e.conftest import NewPerson

REFUSAL = {"code": "INVALID_FIELDS", "message": "message: must be nicer", "retryable": False}


async def test_control_characters_stay_behind(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    await ann.register()
    await ann.create_room("Pasted from a terminal")
    await ann.say("\x07a bell\x1b, and\ttwo\nlines")
    await ann.reads("a bell, and\ttwo\nlines")


async def test_a_refused_message_says_why(new_person: NewPerson) -> None:
    ann = await new_person("Ann")

    def refusing(page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def pass_on(raw: str | bytes) -> None:
            frame = json.loads(raw)
            if frame["type"] == "chat" and frame["payload"]["message"] == "no":
                page.send(json.dumps({"type": "error", "payload": {**REFUSAL, "ref_id": frame["id"]}}))
            else:
                server.send(raw)

        page.on_message(pass_on)

    await ann.page.route_web_socket("**/ws/rooms/*", refusing)
    await ann.register()
    await ann.create_room("Refusals")
    await ann.say("no")
    await ann.say("yes")
    await ann.reads("yes")
    refused = ann.page.locator(".message.pending")
    await expect(refused).to_contain_text("Not sent. The server does not accept this.")
    await expect(refused.get_by_role("button", name="Try again")).to_have_count(0)
    await refused.get_by_role("button", name="Discard").click()
    await expect(refused).to_have_count(0)


async def test_what_is_not_saved_yet_is_sent_after_the_page_was_loaded_anew(new_person: NewPerson) -> None:
    ann = await new_person("Ann")
    through = False

    def swallowing(page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        page.on_message(lambda raw: server.send(raw) if through or b'"chat"' not in bytes_of(raw) else None)

    await ann.page.route_web_socket("**/ws/rooms/*", swallowing)
    await ann.register()
    await ann.create_room("Tunnels")
    await ann.say("from the tunnel")
    await expect(ann.page.locator(".message.pending")).to_contain_text("from the tunnel")
    through = True
    await ann.page.reload()
    await ann.reads("from the tunnel")
    await expect(ann.page.locator(".message.pending")).to_have_count(0)


def bytes_of(raw: str | bytes) -> bytes:
    return raw if isinstance(raw, bytes) else raw.encode()
