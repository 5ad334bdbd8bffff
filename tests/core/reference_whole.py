"""All features of the reference in one class."""
from tests.core.reference_fees import ReferenceFees


class ReferenceWhole(ReferenceFees):
    """What the core is compared with."""
