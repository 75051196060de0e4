"""Voices: which connection hears what the worker says."""

from common.errors import NotFound, Unavailable
from rooms.core.effects import AttachVoice, CloseVoice, Negotiate, Send
from rooms.core.voices import Voices
from rooms.frames.incoming import Offer, VoiceAttach
from rooms.frames.outgoing import Error
from rooms.frames.voice import Answer, Slot, Slots, VoiceLost

SLOTS = (Slot("1", "2"),)


def speaking(conn_id: str = "c1", voice_id: str = "v1") -> Voices:
    voices = Voices()
    voices.offer(conn_id, None, 1, Offer("sdp"), False)
    voices.negotiated(conn_id, None, Answer("answer", voice_id))
    return voices


def test_an_offer_is_answered() -> None:
    voices = Voices()
    assert voices.offer("c1", "5", 1, Offer("sdp"), False) == [Negotiate("c1", "5", 1, False, "sdp")]
    answer = Answer("answer", "v1", SLOTS)
    assert voices.negotiated("c1", "5", answer) == [Send("c1", answer, "5")]


def test_one_offer_at_a_time() -> None:
    voices = Voices()
    voices.offer("c1", None, 1, Offer("sdp"), False)
    (refusal,) = voices.offer("c1", "6", 1, Offer("sdp"), False)
    assert isinstance(refusal, Send)
    assert isinstance(refusal.message, Error)
    assert refusal.message.code == "NEGOTIATION_PENDING"


def test_without_a_worker_the_offer_may_be_retried() -> None:
    voices = Voices()
    voices.offer("c1", "5", 1, Offer("sdp"), False)
    problem = Unavailable("Away.", code="MEDIA_UNAVAILABLE", retry_after=1.0)
    assert voices.refused("c1", "5", problem) == [
        Send("c1", Error("MEDIA_UNAVAILABLE", "Away.", "5", retryable=True, retry_after_ms=1000), "5")
    ]
    assert voices.offer("c1", "6", 1, Offer("sdp"), False) == [Negotiate("c1", "6", 1, False, "sdp")]


def test_slots_go_to_the_connection_that_has_the_voice() -> None:
    assert speaking().slots(1, "v1", SLOTS) == [Send("c1", Slots("v1", SLOTS))]
    assert speaking().slots(1, "another replica's", SLOTS) == []


def test_slots_that_overtake_the_answer_follow_it() -> None:
    voices = Voices()
    voices.offer("c1", None, 1, Offer("sdp"), False)
    assert voices.slots(1, "v1", SLOTS) == []
    answer = Answer("answer", "v1")
    assert voices.negotiated("c1", None, answer) == [Send("c1", answer), Send("c1", Slots("v1", SLOTS))]


def test_a_loss_that_overtakes_the_answer_follows_it() -> None:
    voices = Voices()
    voices.offer("c1", None, 1, Offer("sdp"), False)
    voices.lost(1, "v1", "failed")
    answer = Answer("answer", "v1")
    assert voices.negotiated("c1", None, answer) == [
        Send("c1", answer),
        Send("c1", VoiceLost("v1", "failed")),
    ]
    assert voices.slots(1, "v1", SLOTS) == []


def test_a_second_tab_takes_over_and_the_first_is_told() -> None:
    voices = speaking("c1", "v1")
    voices.offer("c2", None, 1, Offer("sdp"), False)
    voices.negotiated("c2", None, Answer("answer", "v2"))
    assert voices.lost(1, "v1", "taken_over") == [Send("c1", VoiceLost("v1", "taken_over"))]


def test_who_offers_again_is_not_told_that_the_old_voice_went() -> None:
    voices = speaking("c1", "v1")
    voices.offer("c1", None, 1, Offer("sdp"), False)
    assert voices.lost(1, "v1", "taken_over") == []  # before the answer
    voices.negotiated("c1", None, Answer("answer", "v2"))
    voices.offer("c1", None, 1, Offer("sdp"), False)
    voices.negotiated("c1", None, Answer("answer", "v3"))
    assert voices.lost(1, "v2", "taken_over") == []  # after it


def test_with_the_worker_every_voice_is_lost() -> None:
    voices = speaking("c1", "v1")
    assert voices.all_lost("worker_lost") == [Send("c1", VoiceLost("v1", "worker_lost"))]
    assert voices.all_lost("worker_lost") == []


def test_a_reconnected_websocket_adopts_the_voice() -> None:
    voices = speaking("c1", "v1")
    voices.disconnected("c1")
    assert voices.slots(1, "v1", SLOTS) == []
    assert voices.attach("c2", "8", 1, VoiceAttach("v1"), True) == [AttachVoice("c2", "8", 1, True, "v1")]
    assert voices.attached("c2", "8", "v1", SLOTS) == [Send("c2", Slots("v1", SLOTS), "8")]
    assert voices.slots(1, "v1", ()) == [Send("c2", Slots("v1", ()))]


def test_a_voice_that_is_gone_cannot_be_adopted() -> None:
    voices = Voices()
    voices.attach("c2", "8", 1, VoiceAttach("v1"), False)
    assert voices.refused("c2", "8", NotFound("Gone."), "v1") == [
        Send("c2", VoiceLost("v1", "not_found"), "8")
    ]


def test_an_answer_for_somebody_who_has_left_reaches_nobody() -> None:
    voices = Voices()
    voices.offer("c1", None, 1, Offer("sdp"), False)
    assert voices.ended(1) == [CloseVoice(1)]  # behind the offer, in the same lane
    assert voices.negotiated("c1", None, Answer("answer", "v1")) == []


def test_a_voice_from_before_we_started_is_closed_too() -> None:
    assert Voices().ended(1) == [CloseVoice(1)]
