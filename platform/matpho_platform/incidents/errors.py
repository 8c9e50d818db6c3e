"""What can go wrong with incidents, units and procedures."""

from __future__ import annotations

from matpho_contracts.errors import BadInputError, MatphoError, NotFoundError


class IncidentNotFoundError(NotFoundError):
    """No such incident, or none that the caller may know of."""

    code = "incident_not_found"


class UnitNotFoundError(NotFoundError):
    """No such unit."""

    code = "unit_not_found"


class ProcedureNotFoundError(NotFoundError):
    """No such procedure."""

    code = "procedure_not_found"


class ReasonNeededError(BadInputError):
    """This change of state needs a reason."""

    code = "reason_needed"


class StepError(BadInputError):
    """No step, or more than one, goes by this name."""

    code = "step"


class KeyReusedError(BadInputError):
    """A key that names one act was used for another."""

    code = "key_reused"


class EngineError(MatphoError):
    """The workflow engine cannot be had in this process."""

    code = "workflow_engine"
