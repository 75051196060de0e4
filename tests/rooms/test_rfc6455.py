"""The websocket against RFC 6455, over a raw socket: what Autobahn's fuzzing client tries, in its numbers.

Autobahn's suite is Python 2 only and wants a server that echoes. Here a JSON
`ping` gets a `pong` with its id, which is our echo; a binary message is 1003, one
of more than 64 KiB or 64 fragments 1009, text that is not UTF-8 1007, as docs/protocol.md says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio

from dev.postgres import Postgres
from rooms.websocket.wire import MOST_FRAGMENTS
from tests import stack
from tests.rooms import kit
from tests.rooms.raw import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Raw,
    close,
    fragments,
    frame,
    octets,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 65536
BYE = close(1000)
GREEK = "κ\u1f79σμε".encode()  # 11 bytes
Seen = list[tuple[int, Any]]
Case = tuple[str, Sequence[bytes], Seen]


def echo(ident: str, size: int = 0) -> bytes:
    """The text of a message that is answered with its id; padded to `size` bytes."""
    bare = b'{"type":"ping","id":"%s","payload":{"pad":"%s"}}'
    text = bare % (ident.encode(), b"")
    return bare % (ident.encode(), b"*" * (size - len(text)))


def brief(ident: str) -> bytes:
    """The same, short enough to come octet by octet."""
    return b'{"type":"ping","id":"%s"}' % ident.encode()


def told(*idents: str) -> Seen:
    return [(TEXT, ident) for ident in idents]


def ended(code: int | None) -> Seen:
    return [(CLOSE, code)]


HELLO = frame(TEXT, echo("hello"))
ONE, TWO = echo("halves")[:10], echo("halves")[10:]
START, END = frame(TEXT, ONE, fin=False), frame(CONTINUATION, TWO)


def sizes() -> list[Case]:
    """1: messages of all sizes."""
    cases: list[Case] = [("1.1.1", [frame(TEXT), BYE], [*told("BAD_FRAME"), *ended(1000)])]
    for number, size in enumerate((125, 126, 127, 128, 65535, LIMIT), 2):
        cases.append((f"1.1.{number}", [frame(TEXT, echo("x", size)), BYE], [*told("x"), *ended(1000)]))
    whole = frame(TEXT, echo("x", LIMIT))
    chops = [whole[at : at + 997] for at in range(0, len(whole), 997)]
    cases.append(("1.1.8", [*chops, BYE], [*told("x"), *ended(1000)]))
    for number, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
        cases.append((f"1.2.{number}", [frame(BINARY, b"\xfe" * size)], ended(1003)))
    return cases


def pings() -> list[Case]:
    """2: pings and pongs."""
    ten = [f"payload-{number}".encode() for number in range(10)]
    answers: Seen = [(PONG, each) for each in ten]
    long = frame(PING, b"\xfe" * 125)
    return [
        ("2.1", [frame(PING), BYE], [(PONG, b""), *ended(1000)]),
        ("2.2", [frame(PING, b"Hello, world!"), BYE], [(PONG, b"Hello, world!"), *ended(1000)]),
        ("2.3", [frame(PING, b"\x00\xff\xfe\xfd"), BYE], [(PONG, b"\x00\xff\xfe\xfd"), *ended(1000)]),
        ("2.4", [long, BYE], [(PONG, b"\xfe" * 125), *ended(1000)]),
        ("2.5", [frame(PING, b"\xfe" * 126)], ended(1002)),
        ("2.6", [*octets(long), BYE], [(PONG, b"\xfe" * 125), *ended(1000)]),
        ("2.7", [frame(PONG), BYE], ended(1000)),
        ("2.8", [frame(PONG, b"unsolicited"), BYE], ended(1000)),
        ("2.9", [frame(PONG, b"unsolicited"), frame(PING, b"ping"), BYE], [(PONG, b"ping"), *ended(1000)]),
        ("2.10", [*(frame(PING, each) for each in ten), BYE], [*answers, *ended(1000)]),
        ("2.11", [*octets(b"".join(frame(PING, each) for each in ten)), BYE], [*answers, *ended(1000)]),
    ]


def reserved() -> list[Case]:
    """3 and 4: reserved bits and opcodes."""
    after = frame(PING)
    cases: list[Case] = [
        ("3.1", [frame(TEXT, echo("x"), rsv=1)], ended(1002)),
        ("3.2", [HELLO, frame(TEXT, echo("x"), rsv=2), after], [*told("hello"), *ended(1002)]),
        ("3.3", [HELLO + frame(TEXT, echo("x"), rsv=3) + after], [*told("hello"), *ended(1002)]),
        ("3.4", octets(HELLO + frame(TEXT, echo("x"), rsv=4) + after), [*told("hello"), *ended(1002)]),
        ("3.5", [frame(BINARY, b"\xff" * 8, rsv=5)], ended(1002)),
        ("3.6", [frame(PING, b"Hello", rsv=6)], ended(1002)),
        ("3.7", [frame(CLOSE, rsv=7)], ended(1002)),
    ]
    for section, opcodes in ((1, range(3, 8)), (2, range(11, 16))):
        a, b, c, d, e = opcodes
        cases += [
            (f"4.{section}.1", [frame(a)], ended(1002)),
            (f"4.{section}.2", [frame(b, b"reserved opcode")], ended(1002)),
            (f"4.{section}.3", [HELLO, frame(c), after], [*told("hello"), *ended(1002)]),
            (f"4.{section}.4", [HELLO, frame(d, b"payload"), after], [*told("hello"), *ended(1002)]),
            (f"4.{section}.5", octets(HELLO + frame(e, b"payload") + after), [*told("hello"), *ended(1002)]),
        ]
    return cases


def fragmented() -> list[Case]:
    """5: fragmentation."""
    whole: Seen = [*told("halves"), *ended(1000)]
    pinged: Seen = [(PONG, b"ping"), *whole]
    ping = frame(PING, b"ping")
    three = fragments(echo("halves"), 20)
    many = fragments(echo("halves"), 6)
    nothing = frame(CONTINUATION, b"non-continuation payload")
    open_end = frame(CONTINUATION, b"non-continuation payload", fin=False)
    long = [
        *(each for piece in many[:3] for each in (piece, frame(PING, b"1"))),
        *(each for piece in many[3:] for each in (piece, frame(PING, b"2"))),
    ]
    pongs: Seen = [(PONG, b"1")] * 3 + [(PONG, b"2")] * (len(many) - 3)
    # The last ping follows the message's end.
    answers: Seen = [*pongs[:-1], *told("halves"), pongs[-1], *ended(1000)]
    return [
        ("5.1", [frame(PING, b"pi", fin=False), frame(CONTINUATION, b"ng")], ended(1002)),
        ("5.2", [frame(PONG, b"po", fin=False), frame(CONTINUATION, b"ng")], ended(1002)),
        ("5.3", [START, END, BYE], whole),
        ("5.4", [START + END, BYE], whole),
        ("5.5", [*octets(START + END), BYE], whole),
        ("5.6", [START, ping, END, BYE], pinged),
        ("5.7", [START + ping + END, BYE], pinged),
        ("5.8", [*octets(START + ping + END), BYE], pinged),
        ("5.9", [nothing + HELLO], ended(1002)),
        ("5.10", [nothing, HELLO], ended(1002)),
        ("5.11", octets(nothing + HELLO), ended(1002)),
        ("5.12", [open_end + HELLO], ended(1002)),
        ("5.13", [open_end, HELLO], ended(1002)),
        ("5.14", octets(open_end + HELLO), ended(1002)),
        ("5.15", [START + END + open_end + HELLO], [*told("halves"), *ended(1002)]),
        ("5.16", [open_end, START, END, open_end, START, END], ended(1002)),
        ("5.17", [nothing, START, END, nothing, START, END], ended(1002)),
        ("5.18", [START + frame(TEXT, TWO)], ended(1002)),
        ("5.19", [*long, BYE], answers),
        ("5.20", [b"".join(long), BYE], answers),
        ("5 an empty first fragment", [frame(TEXT, fin=False), HELLO], ended(1002)),
        ("5 empty fragments between", [three[0], frame(CONTINUATION, fin=False), *three[1:], BYE], whole),
        (
            "5 an empty last fragment",
            [frame(TEXT, echo("halves"), fin=False), frame(CONTINUATION), BYE],
            whole,
        ),
    ]


def utf_8() -> list[Case]:
    """6: text is UTF-8, and what is not is noticed at once."""
    accepted = [*told("x"), *ended(1000)]
    greek = brief(GREEK.decode())
    heard: Seen = [*told(GREEK.decode()), *ended(1000)]
    beyond, surrogate = GREEK + b"\xf4\x90\x80\x80" + b"edited", GREEK + b"\xed\xa0\x80" + b"edited"
    empty = [frame(TEXT, fin=False), frame(CONTINUATION, fin=False), frame(CONTINUATION)]
    split = [frame(TEXT, fin=False), frame(CONTINUATION, echo("x"), fin=False), frame(CONTINUATION)]
    at = len(GREEK)
    cases: list[Case] = [
        ("6.1.1", [frame(TEXT), BYE], [*told("BAD_FRAME"), *ended(1000)]),
        ("6.1.2", [*empty, BYE], [*told("BAD_FRAME"), *ended(1000)]),
        ("6.1.3", [*split, BYE], accepted),
        ("6.2.1", [frame(TEXT, greek), BYE], heard),
        ("6.2.2", [*fragments(greek, greek.index(GREEK) + 5), BYE], heard),
        ("6.2.3", [*fragments(greek, 1), BYE], heard),
        ("6.2.4", [*octets(b"".join(fragments(greek, 1))), BYE], heard),
        ("6.3.1", [frame(TEXT, surrogate)], ended(1007)),
        ("6.3.2", fragments(surrogate, 1), ended(1007)),
        # From here on nothing follows the bad byte: neither the end of the frame nor that of the message.
        (
            "6.4.1",
            [frame(TEXT, beyond[:at], fin=False), frame(CONTINUATION, beyond[at : at + 4], fin=False)],
            ended(1007),
        ),
        (
            "6.4.2",
            [
                frame(TEXT, beyond[: at + 1], fin=False),
                frame(CONTINUATION, beyond[at + 1 : at + 2], fin=False),
            ],
            ended(1007),
        ),
        ("6.4.3", [frame(TEXT, beyond)[: 6 + at + 2]], ended(1007)),
        ("6.4.4", octets(frame(TEXT, beyond)[: 6 + at + 2]), ended(1007)),
    ]
    for number, sequence in VALID:
        ident = sequence.decode()
        cases.append((number, [frame(TEXT, echo(ident)), BYE], [*told(ident), *ended(1000)]))
        cases.append(
            (f"{number} in octets", [*fragments(brief(ident), 1), BYE], [*told(ident), *ended(1000)])
        )
    for number, sequence in INVALID:
        bad = b'{"type":"ping","id":"%s"}' % sequence
        cases.append((number, [frame(TEXT, bad)], ended(1007)))
        cases.append((f"{number} in octets", fragments(bad, 1), ended(1007)))
    # Valid UTF-8, but nothing that an id may hold.
    cases.append(("6.7.1", [frame(TEXT, b"\x00"), BYE], [*told("BAD_FRAME"), *ended(1000)]))
    for number, ident in (("6.7.2", "\x80"), ("6.9.1", "\x7f")):
        cases.append((number, [frame(TEXT, echo(ident)), BYE], [*told("INVALID_FIELDS"), *ended(1000)]))
    return cases


def _numbered(section: str, *sequences: bytes, first: int = 1) -> list[tuple[str, bytes]]:
    return [(f"{section}.{number}", sequence) for number, sequence in enumerate(sequences, first)]


HIGH = (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf")  # surrogates
LOW = (b"\xed\xb0\x80", b"\xed\xbf\xbf")
STARTS = (range(0xC0, 0xE0), range(0xE0, 0xF0), range(0xF0, 0xF8), range(0xF8, 0xFC), range(0xFC, 0xFE))
PLANES = [chr(plane << 16 | last).encode() for plane in range(17) for last in (0xFFFE, 0xFFFF)]
VALID = [
    ("6.5.1", GREEK),
    *[(f"6.6.{cut}", GREEK[:cut]) for cut in (2, 5, 7, 9, 11)],
    *_numbered("6.7", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80", first=3),
    *_numbered("6.9", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf", first=2),
    *_numbered("6.11", b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"),
    *_numbered("6.22", *PLANES),
    *_numbered("6.23", *(chr(code).encode() for code in range(0xFFF9, 0x10000))),
]
INVALID = [
    *[(f"6.6.{cut}", GREEK[:cut]) for cut in (1, 3, 4, 6, 8, 10)],
    *_numbered("6.8", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"),
    *_numbered("6.10", b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"),
    ("6.11.5", b"\xf4\x90\x80\x80"),
    *_numbered("6.12", b"\x80", b"\xbf", *((b"\x80\xbf" * 3)[:count] for count in range(2, 7))),
    ("6.12.8", bytes(range(0x80, 0xC0))),
    *_numbered("6.13", *(b"".join(bytes((start, 0x20)) for start in starts) for starts in STARTS)),
    *_numbered("6.14", b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80"),
    *_numbered("6.14", b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", first=6),
    ("6.14.10", b"\xfd\xbf\xbf\xbf\xbf"),
    ("6.15.1", b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf"),
    *_numbered("6.16", b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"),
    *_numbered("6.17", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf"),
    ("6.17.5", b"\xfc\x80\x80\x80\x80\xaf"),
    *_numbered("6.18", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf"),
    ("6.18.5", b"\xfc\x83\xbf\xbf\xbf\xbf"),
    *_numbered("6.19", b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80"),
    ("6.19.5", b"\xfc\x80\x80\x80\x80\x80"),
    *_numbered("6.20", *HIGH, LOW[0], b"\xed\xbe\x80", LOW[1]),
    *_numbered("6.21", *(high + low for high in HIGH for low in LOW)),
]


def closes() -> list[Case]:
    """7: the close handshake."""
    cases: list[Case] = [
        ("7.1.1", [HELLO, BYE], [*told("hello"), *ended(1000)]),
        ("7.1.2", [BYE + BYE], ended(1000)),
        ("7.1.3", [BYE + frame(PING)], ended(1000)),
        ("7.1.4", [BYE + HELLO], ended(1000)),
        ("7.1.5", [START + BYE + END], ended(1000)),
        ("7.1.6", [frame(TEXT, echo("x", LIMIT)) + BYE + frame(PING)], [*told("x"), *ended(1000)]),
        ("7.3.1", [frame(CLOSE)], ended(None)),
        ("7.3.2", [frame(CLOSE, b"a")], ended(1002)),
        ("7.3.3", [close(1000)], ended(1000)),
        ("7.3.4", [close(1000, b"Hello World!")], ended(1000)),
        ("7.3.5", [close(1000, b"*" * 123)], ended(1000)),
        ("7.3.6", [close(1000, b"*" * 124)], ended(1002)),
        ("7.5.1", [close(1000, GREEK + b"\xed\xa0\x80edited")], ended(1007)),
    ]
    valid = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999, 1012, 1013, 1014)
    invalid = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 1015)
    cases += [(f"7.7.{number}", [close(code)], ended(code)) for number, code in enumerate(valid, 1)]
    cases += [(f"7.9.{number}", [close(code)], ended(1002)) for number, code in enumerate(invalid, 1)]
    cases += [("7.13.1", [close(5000)], ended(1002)), ("7.13.2", [close(65535)], ended(1002))]
    return cases


def limits() -> list[Case]:
    """9 and 10: up to what we take, and over it; in fragments, in chops, many."""
    whole = echo("x", LIMIT)
    heard: Seen = [*told("x"), *ended(1000)]
    cases: list[Case] = [("9.1.1", [frame(TEXT, whole), BYE], heard)]
    for number, size in enumerate((LIMIT + 1, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 62), 2):
        # The header alone: nobody waits for what will not be taken.
        cases.append((f"9.1.{number}", [frame(TEXT, size=size)], ended(1009)))
        cases.append((f"9.2.{number}", [frame(BINARY, size=size)], ended(1003)))
    for number, size in enumerate((64, 256, 1024, 4096, 16384, LIMIT), 1):
        expected = heard if LIMIT // size <= MOST_FRAGMENTS else ended(1009)
        cases.append((f"9.3.{number}", [*fragments(whole, size), BYE], expected))
        cases.append((f"9.4.{number}", fragments(whole, size, BINARY), ended(1003)))
        frame_of_it = frame(TEXT, whole)
        chops = [frame_of_it[at : at + size] for at in range(0, len(frame_of_it), size)]
        cases.append((f"9.5.{number}", [*chops, BYE], heard))
    over = fragments(whole + b" ", 4096)
    cases.append(("9.3 over the limit in fragments", over, ended(1009)))
    for number, size in enumerate((64, 128, 256, 512, 1024, 4096), 1):
        many = [frame(TEXT, echo(str(count), size)) for count in range(90)]
        answers = [*told(*(str(count) for count in range(90))), *ended(1000)]
        cases.append((f"9.7.{number}", [*many, BYE], answers))
        cases.append((f"9.8.{number}", [b"".join(many), BYE], answers))
    cases.append(("10.1.1", [*fragments(whole, 1300), BYE], heard))
    return cases


def strict() -> list[Case]:
    """What Autobahn does not try."""
    padded = bytes((0x81, 0x80 | 126)) + (5).to_bytes(2)
    padded_more = bytes((0x81, 0x80 | 127)) + (65535).to_bytes(8)
    return [
        ("a frame that is not masked", [frame(TEXT, echo("x"), mask=b"")], ended(1002)),
        ("a ping that is not masked", [frame(PING, mask=b"")], ended(1002)),
        ("a length in more bytes than it needs", [padded], ended(1002)),
        ("a length in many more bytes", [padded_more], ended(1002)),
        ("a length of 2^63", [frame(TEXT, size=1 << 63)], ended(1009)),
        ("a mask of zeros", [frame(TEXT, echo("x"), mask=bytes(4)), BYE], [*told("x"), *ended(1000)]),
    ]


CASES = [
    *sizes(), *pings(), *reserved(), *fragmented(), *utf_8(), *closes(), *limits(), *strict(),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(postgres_server: Postgres) -> AsyncIterator[tuple[kit.Rooms, str]]:
    """One service and one room for all of this: nothing of a case stays behind."""
    async with stack.fresh_database(postgres_server) as url, kit.neighbours(url) as around:
        rooms = await around.start()
        yield rooms, await rooms.create()


@pytest.mark.parametrize(("sent", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_case(place: tuple[kit.Rooms, str], sent: Sequence[bytes], expected: Seen) -> None:
    raw = await Raw.open(*place)
    await raw.write(sent)
    assert await raw.rest() == expected
    await raw.hang_up()
