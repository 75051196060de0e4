"""Modules as one: what becomes of each way to import and to export, and what is refused."""

from pathlib import Path

import pytest

from gateway.modules import modules_of
from gateway.packs import Unpackable, packs

WEB = Path(__file__).resolve().parents[2] / "web"


def test_the_modules_of_a_page_are_what_it_imports_whatever_is_for_later() -> None:
    sources = {
        "app.js": (
            "import { a,\n  b } from './a.js';\nimport './gone.js';\n"
            "const later = () => import('./later.js');\n"
        ),
        "a.js": "export { c } from './pages/c.js';\nimport '../outside.js';\n",
        "pages/c.js": "import { app } from '../app.js';\n",
        "later.js": "",
    }
    assert modules_of(sources, "app.js") == ["app.js", "a.js", "pages/c.js"]


def packed(source: str) -> str:
    """What becomes of `a.js`, without what is around it."""
    whole = packs({"app.js": "import './a.js';\n", "a.js": source, "b.js": ""}, "app.js")["app.js"]
    return whole.partition("define('a.js', (() => {\n")[2].partition("}));\n")[0]


@pytest.mark.parametrize(
    ("source", "becomes"),
    [
        ("import './b.js';", "use('b.js');\nreturn {  };\n"),
        (
            "import {\n  x,\n  y as z,\n} from './b.js';",
            "const { x, y: z } = use('b.js');\nreturn {  };\n",
        ),
        ("import * as b from './b.js';", "const b = use('b.js');\nreturn {  };\n"),
        ("import b from './b.js';", "const b = use('b.js').default;\nreturn {  };\n"),
        (
            'import{x as n}from"./b.js";import{y}from"./b.js";var t;',
            "const { x: n } = use('b.js');const { y } = use('b.js');var t;\nreturn {  };\n",
        ),
        ("export const x = 1;", "const x = 1;\nreturn { x: x };\n"),
        ("export async function x() {}", "async function x() {}\nreturn { x: x };\n"),
        ("export class X {}", "class X {}\nreturn { X: X };\n"),
        ("var n;export{n as x,n as $};", "var n;\nreturn { x: n, $: n };\n"),
        ("export default function () {}", "const $default = function () {}\nreturn { default: $default };\n"),
        ("export { x as y } from './b.js';\n", "\nreturn { y: use('b.js').x };\n"),
        (
            "/** @type {import('./b.js').T} */\n// why\nconst url = 'http://x';",
            "const url = 'http://x';\nreturn {  };\n",
        ),
        (
            "/** one */ const x = 1;\n/* two */\n",
            "/** one */ const x = 1;\nreturn {  };\n",
        ),
    ],
)
def test_a_module_becomes_a_function(source: str, becomes: str) -> None:
    assert packed(source) == becomes


@pytest.mark.parametrize(
    "source",
    [
        "export let count = 0;",  # changes behind whoever has imported it
        "export const { a, b } = c;",
        "export * from './b.js';",
        "await something();",
        "const here = import.meta.url;",
        "import b, { c } from './b.js';",
        "import b from 'elsewhere';",
        "import './app.js';",  # in a circle
    ],
)
def test_what_is_not_understood_is_refused(source: str) -> None:
    with pytest.raises(Unpackable):
        packed(source)


def test_what_is_for_later_is_a_pack_of_its_own_without_what_the_first_one_has() -> None:
    sources = {
        "app.js": (
            "import './shared.js';\n"
            "/** @type {import('./types.js').T} */ const t = import('./pages/room.js');\n"
        ),
        "shared.js": "",
        "types.js": "",
        "pages/room.js": (
            "import '../shared.js';\nimport '../own.js';\nexport const x = () => import('./more.js');\n"
        ),
        "own.js": "",
        "pages/more.js": "import '../own.js';\nexport const y = 2;\n",
    }
    made = packs(sources, "app.js")
    assert made.keys() == {"app.js", "pages/room.js", "pages/more.js"}
    room = made["pages/room.js"]
    assert room.startswith("import { define, use } from '../app.js';\n")
    assert "define('own.js'" in room
    assert "define('shared.js'" not in room
    assert "import('./more.js')" in room
    assert room.endswith("const entry = use('pages/room.js');\nexport const x = entry.x;\n")
    # Whoever comes first has it; both have to bring it.
    assert "define('own.js'" in made["pages/more.js"]


def test_all_of_the_page_is_packed() -> None:
    sources = {path.relative_to(WEB).as_posix(): path.read_text("utf-8") for path in WEB.rglob("*.js")}
    made = packs(sources, "app.js")
    assert made.keys() >= {"app.js", "pages/rooms.js", "pages/room.js", "pages/account.js"}
    everything = "".join(made.values())
    assert [name for name in sources if f"define('{name}'" not in everything] == []
