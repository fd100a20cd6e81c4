"""Object stores: S3, Google Cloud Storage, Azure Blob Storage, and what speaks like them."""

from drivetrain.adapters.obstore.objects import Bucket

bucket = Bucket

__all__ = ["bucket"]
