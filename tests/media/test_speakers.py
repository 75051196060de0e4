"""Who speaks: told on change only, steady between words."""

from media.speakers import SPEAKS, Speaker, Speakers


def test_a_voice_is_a_speaker_and_steadiness_is_no_news() -> None:
    speakers = Speakers()
    assert speakers.update({}) is None
    assert speakers.update({"ann": 97}) == (Speaker("ann", 96),)
    assert speakers.update({"ann": 98}) is None


def test_the_loudest_comes_first() -> None:
    speakers = Speakers()
    assert speakers.update({"ann": 88, "bob": 112}) == (Speaker("bob", 112), Speaker("ann", 88))


def test_who_has_the_floor_comes_before_the_loudest() -> None:
    speakers = Speakers()
    heard = {"ann": 88, "bob": 112, "eve": 96}
    told = (Speaker("ann", 88), Speaker("bob", 112), Speaker("eve", 96))
    assert speakers.update(heard, first="ann") == told
    assert speakers.update(heard, first="ann") is None


def test_a_breath_between_words_is_not_the_end_and_silence_is() -> None:
    speakers = Speakers()
    speakers.update({"ann": 104})
    told = [speakers.update({"ann": 0}) for _ in range(6)]
    assert told == [(Speaker("ann", 88),), (Speaker("ann", 80),), (Speaker("ann", 64),), (), None, None]


def test_noise_below_the_threshold_is_nobody() -> None:
    assert Speakers().update({"ann": SPEAKS - 1}) is None


def test_one_who_left_or_is_muted_is_gone_at_the_next_update() -> None:
    speakers = Speakers()
    speakers.update({"ann": 104})
    speakers.forget("ann")
    assert speakers.update({}) == ()
