"""All features of the reference in one class."""
from tests.core.reference_fees import ReferenceFees
from tests.core.reference_stops import ReferenceStops


class ReferenceWhole(ReferenceStops, ReferenceFees):
    """What the core is compared with."""
