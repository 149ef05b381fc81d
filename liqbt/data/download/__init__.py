"""Files of Binance's public archive, fetched, verified and kept in the archive's own layout."""

from liqbt.data.download.archive import ARCHIVE_TABLES, BASE_URL, INTERVALS, ArchiveFile, ArchiveTable, plan
from liqbt.data.download.downloading import DownloadResult, FailedFile, download

__all__ = [
    "ARCHIVE_TABLES",
    "BASE_URL",
    "INTERVALS",
    "ArchiveFile",
    "ArchiveTable",
    "DownloadResult",
    "FailedFile",
    "download",
    "plan",
]
