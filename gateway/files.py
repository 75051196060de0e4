"""The files of a folder, as they are and gzipped, kept in memory and told apart by ETag.

There is no build step, so a file may change under us: it is looked at each time
and read again when its time or size is another. Each encoding has an ETag of its
own (RFC 9110 section 8.8.3.3).
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

# Larger ones are no part of a page that should be small.
FILE_MAX = 4 * 1024 * 1024
COMPRESSIBLE = re.compile(r"text/.*|application/(javascript|json|manifest\+json|xml)|image/svg\+xml")
REFUSED_GZIP = re.compile(r"q=0(\.0*)?")


@dataclass(frozen=True, slots=True)
class File:
    """What is sent of a file; `packed` is None where gzip does not make it smaller."""

    content_type: str
    etag: str
    plain: bytes
    packed: bytes | None

    @classmethod
    def of(cls, name: str, plain: bytes) -> File:
        content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        packed = gzip.compress(plain, 9, mtime=0) if COMPRESSIBLE.fullmatch(content_type) else plain
        return cls(content_type, etag_of(plain), plain, packed if len(packed) < len(plain) else None)

    def answer(self, request: web.Request, *, status: int = 200) -> web.Response:
        """It, or 304 for who has it and would be answered 200."""
        packed = self.packed if _takes_gzip(request.headers.get("Accept-Encoding", "")) else None
        etag = f"{self.etag}-gz" if packed is not None else self.etag
        headers = {"ETag": f'"{etag}"', "Vary": "Accept-Encoding"}
        known = request.if_none_match or ()
        if status == 200 and any(tag.value in (etag, "*") for tag in known):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = self.content_type
        if packed is not None:
            headers["Content-Encoding"] = "gzip"
        return web.Response(status=status, body=self.plain if packed is None else packed, headers=headers)


def etag_of(plain: bytes) -> str:
    """By which a content is known."""
    return hashlib.sha256(plain).hexdigest()[:20]


class Folder:
    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        #: As each was at a time (ns) and size.
        self._files: dict[Path, tuple[tuple[int, int], File]] = {}

    async def answer(self, request: web.Request, name: str) -> web.Response:
        """The file that `name` names, or 304 for who has it. Raises HTTPNotFound."""
        return (await self.file(name)).answer(request)

    async def file(self, name: str) -> File:
        """Raises HTTPNotFound."""
        file = await asyncio.to_thread(self._file, name)
        if file is None:
            raise web.HTTPNotFound
        return file

    def _file(self, name: str) -> File | None:
        """The file inside the folder: no way out of it, by dots, slashes or links."""
        try:
            path = (self._path / name).resolve()
            if not path.is_relative_to(self._path) or not path.is_file():
                return None
            stat = path.stat()
            seen = (stat.st_mtime_ns, stat.st_size)
            known = self._files.get(path)
            if known is not None and known[0] == seen:
                return known[1]
            if stat.st_size > FILE_MAX:
                return None
            file = File.of(path.name, path.read_bytes())
            self._files[path] = seen, file
        except (OSError, ValueError):  # gone meanwhile; a name too long, or with a zero byte
            return None
        return file


def _takes_gzip(accepted: str) -> bool:
    """Whether gzip is named, and not with q=0. `*` alone is nobody's browser."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "x-gzip"):
            return not REFUSED_GZIP.fullmatch(weight.strip())
    return False
