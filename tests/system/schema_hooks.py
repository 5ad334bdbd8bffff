"""Loaded by schemathesis: signs what it sends, as its document says, with the key in API_KEY and API_SECRET.

A time stamp is replaced by the present one, else nothing would come past the clock; one that is missing or no number
stays so.
"""
import os
import re
import time
from urllib.parse import quote, urlsplit, urlunsplit

import requests
import schemathesis
from requests.auth import AuthBase

from gateway.auth import sign
from gateway.rest.market_routes import MARKET_ROUTES
from gateway.rest.routes import ROUTES

TIME, SIGNATURE = re.compile(r"(^|&)timestamp=\d+(?=&|$)"), re.compile(r"(^|&)signature=[^&]*")
SIGNED = {(route.verb, route.path) for route in (*ROUTES, *MARKET_ROUTES) if route.signed}


class Signature(AuthBase):
    """Over the query and the body as they are sent."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-MBX-APIKEY"] = os.environ["API_KEY"]
        parts = urlsplit(str(request.url))
        if (request.method, parts.path) in SIGNED:
            query = TIME.sub(rf"\1timestamp={time.time_ns() // 1_000_000}", SIGNATURE.sub("", parts.query)).strip("&")
            body = request.body.encode() if isinstance(request.body, str) else request.body or b""
            signature = quote(sign(os.environ["API_SECRET"], query.encode() + bytes(body)), safe="")
            request.url = urlunsplit(parts._replace(query=f"{query}&signature={signature}"))
        return request


schemathesis.auth.set_from_requests(Signature())
