"""What can go wrong while a simulated camera is set up."""

from __future__ import annotations

from matpho_contracts.errors import BadInputError, UnavailableError


class CameraConfigurationError(BadInputError):
    """The camera was asked to be something it cannot be."""

    code = "simcity_camera_configuration"


class PortTakenError(UnavailableError):
    """The address the camera or the discovery responder should listen on is taken or does not exist here."""

    code = "simcity_port_taken"
