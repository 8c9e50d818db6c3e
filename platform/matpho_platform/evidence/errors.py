"""What can go wrong with a package of evidence."""

from __future__ import annotations

from matpho_contracts.errors import BadInputError, NotFoundError
from matpho_platform.access.errors import DeniedError


class EvidenceError(BadInputError):
    """What was asked for cannot be a package."""

    code = "evidence"


class PackageNotFoundError(NotFoundError):
    """No such package, or none that the caller may know of."""

    code = "evidence_not_found"


def other_case(package_id: str) -> DeniedError:
    """A package is opened under the case that it was made for."""
    return DeniedError(
        "other_case",
        f"Gói bằng chứng {package_id} thuộc hồ sơ khác; hãy nêu đúng số hồ sơ.",
        f"Package {package_id} belongs to another case; name the right one.",
    )
