"""What can go wrong with a model, data to predictions:

ModelError
├── ModelMissing    nothing was trained yet
├── DataError       the data cannot be used
└── ExportDiffers   the exported model does not say what the trained one says
"""


class ModelError(Exception):
    """Something that a person can mend; the message says how."""


class ModelMissing(ModelError):
    """The package holds no trained model."""


class DataError(ModelError):
    """The data cannot be used; the message says where and why."""


class ExportDiffers(ModelError):
    """The exported model does not say what the trained one says."""
