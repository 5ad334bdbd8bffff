"""What each method of the WebSocket API weighs: what its HTTP route weighs; sessions and subscriptions weigh 2."""
from collections.abc import Mapping

from gateway.rest.market_routes import MARKET_ROUTES
from gateway.rest.routes import ROUTES

SESSION_WEIGHT = 2
_ROUTES = {route.call: route for route in (*ROUTES, *MARKET_ROUTES)}


def weight_of(method: str, params: Mapping[str, str]) -> int:
    """Of a request, also of one that will be refused."""
    route = _ROUTES.get(method)
    if route is None:
        return SESSION_WEIGHT
    return route.weigh(params) if route.weigh else route.weight
