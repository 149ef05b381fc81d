"""Files that hold one table."""

from liqbt.data.readers import read_file


def read_one(path, **options):
    """The only recording of a file."""
    [recording] = read_file(path, **options)
    return recording
