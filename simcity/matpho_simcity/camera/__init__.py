"""Simulated cameras as real network servers: ONVIF, RTSP, WS-Discovery, over any `VideoSource`.

The names are loaded on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matpho_simcity.camera.camera import SimulatedCamera
    from matpho_simcity.camera.identity import CameraIdentity, CameraLimits, CameraSettings, Ports
    from matpho_simcity.camera.responder import DiscoveryResponder

__all__ = ["CameraIdentity", "CameraLimits", "CameraSettings", "DiscoveryResponder", "Ports", "SimulatedCamera"]

_HOMES = {
    "CameraIdentity": "identity",
    "CameraLimits": "identity",
    "CameraSettings": "identity",
    "DiscoveryResponder": "responder",
    "Ports": "identity",
    "SimulatedCamera": "camera",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
