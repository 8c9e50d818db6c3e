"""ONVIF cameras of any vendor behind one class; foreign types, errors and URLs stop at this door."""

from matpho_edge.onvif.camera import OnvifCamera
from matpho_edge.onvif.model import (
    CameraDescription,
    CameraEvent,
    ImagingSettings,
    Preset,
    Profile,
    PtzStatus,
)

__all__ = ["CameraDescription", "CameraEvent", "ImagingSettings", "OnvifCamera", "Preset", "Profile", "PtzStatus"]
