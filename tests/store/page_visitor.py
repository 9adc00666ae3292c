"""Who asks Feast's pages something."""

from typing import Any

import httpx

from tests.serving.visitors import Browser

API = "/api/v1"


class Visitor:
    """Asks an application without a network."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def request(self, method: str, path: str, **asked: Any) -> httpx.Response:
        # In a thread of its own: the browser's tests leave an event loop running in theirs.
        with Browser(
            self._application, base_url="http://here", raise_server_exceptions=False
        ) as client:
            answer: httpx.Response = client.request(method, path, **asked)
        return answer

    def get(self, path: str, **asked: Any) -> httpx.Response:
        return self.request("GET", path, **asked)
