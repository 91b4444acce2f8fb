"""Real data: a registry of files, where each is looked for, and loaders that trust no byte before its checksum.

`fetch(name)` gives a file's place, `images(name)` its arrays, `digits()` the set that every installation holds.
"""

from ams.data.files import fetch, read
from ams.data.loaders import Images, digits, images
from ams.data.registry import DATASETS, Dataset, File, registered

__all__ = ["DATASETS", "Dataset", "File", "Images", "digits", "fetch", "images", "read", "registered"]
