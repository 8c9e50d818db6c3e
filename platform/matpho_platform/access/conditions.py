"""What a yes may ask of whoever runs the action; the policies name these words in `@conditions`."""

from __future__ import annotations

from enum import StrEnum


class Condition(StrEnum):
    """What a grant asks of whoever runs the action: redaction, narrower results, a further piece of proof."""

    PUBLIC_ONLY = "public_only"
    NO_PLATES = "no_plates"
    NO_THUMBNAILS_OF_PEOPLE = "no_thumbnails_of_people"
    REDACTED = "redacted"
    STATUS_ONLY = "status_only"
    OWN_ACTIONS_ONLY = "own_actions_only"
    CASE_NUMBER = "case_number"
    NEVER_OWN_REQUEST = "never_own_request"
    REQUESTER_OR_DECIDER = "requester_or_decider"
