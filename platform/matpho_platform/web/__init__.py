"""The web server of a center: API and pages. `create_app` is loaded when asked for: rooms import `web.session`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matpho_platform.web.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    if name != "create_app":
        raise AttributeError(name)
    from matpho_platform.web.app import create_app

    return create_app
