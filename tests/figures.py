"""A service's /metrics, read as Prometheus reads it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Figures:
    """One scrape."""

    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]

    def __call__(self, name: str, **labels: str) -> float:
        """A figure; 0.0 where there is none yet, as a counter by code has before the first."""
        return self.samples.get((name, frozenset(labels.items())), 0.0)

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.samples}

    def values_of(self, name: str, label: str) -> set[str]:
        """What the label is anywhere."""
        return {
            value
            for sample, labels in self.samples
            if sample == name
            for key, value in labels
            if key == label
        }


@dataclass(frozen=True)
class Page:
    url: str
    session: aiohttp.ClientSession

    async def __call__(self) -> Figures:
        async with self.session.get(self.url) as answer:
            assert answer.status == 200
            return parsed(await answer.text())

    async def until(self, holds: Callable[[Figures], bool]) -> Figures:
        """The first scrape of which this holds."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                figures = await self()
                if holds(figures):
                    return figures
                await asyncio.sleep(0.02)


def parsed(text: str) -> Figures:
    return Figures(
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    )


@asynccontextmanager
async def page(listen: str) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session:
        yield Page(f"http://{listen}/metrics", session)
