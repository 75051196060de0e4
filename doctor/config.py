"""What the doctor is told: what rooms is, and where the page is."""

from __future__ import annotations

from dataclasses import dataclass

import rooms.config
from common.config import page, setting


@dataclass(frozen=True)
class Config(rooms.config.Config):
    page: str = setting(
        "PUBLIC_URL", "The page's address; without it the first of ALLOWED_ORIGINS.", "", parse=page
    )
    certificate: str = setting(
        "DOCTOR_CERTIFICATE", "A file with a certificate of your own that the page may have.", ""
    )
