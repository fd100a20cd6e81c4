"""A seeded project, its application, and a browser's worth of requests without a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI

from drivetrain.web.app import create_app
from web.seed import SeededDesk


@dataclass(frozen=True)
class Caller:
    """Sends requests to an application within the process."""

    app: FastAPI
    base: str = "http://localhost:8700"

    def __call__(
        self, path: str, *, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None,
        json: object = None, content: bytes | None = None,
    ) -> httpx.Response:  # fmt: skip
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.base) as client:
                method = "GET" if form is None and json is None and content is None else "POST"
                return await client.request(
                    method, path, headers=dict(headers or {}), data=form, json=json, content=content
                )

        return asyncio.run(send())


@pytest.fixture
def desk() -> SeededDesk:
    return SeededDesk()


@pytest.fixture
def call(desk: SeededDesk) -> Caller:
    return Caller(create_app(desk))


@pytest.fixture
def call_empty() -> Caller:
    return Caller(create_app(SeededDesk(empty=True)))
