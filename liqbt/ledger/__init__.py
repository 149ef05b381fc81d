"""The ledger of trials: every scored variant with what it was made from, and how many were tried on the same data.

from liqbt.ledger import Ledger, deflated_sharpe

ledger = Ledger("store/runs.sqlite")           # or postgresql://user@host/database
ledger.record(score, source_sha256=source_sha256(strategy), mix=book.mix, book=book.params)
ledger.trials(market)                          # Trials(count=..., sharpe_variance=...)
deflated_sharpe(score, ledger)                 # with the recorded count, not with what anybody admits to

Nothing here forgets a trial: a count that can be set back is none.
"""

from __future__ import annotations

from liqbt.ledger.entry import LedgerEntry
from liqbt.ledger.identity import data_sha256
from liqbt.ledger.ledger import Ledger
from liqbt.ledger.places import NO_LEDGER, default_ledger
from liqbt.ledger.trials import Trials, deflated_sharpe
from liqbt.ledger.variants import entries_of_variants

__all__ = ["NO_LEDGER", "Ledger", "LedgerEntry", "Trials", "data_sha256", "default_ledger", "deflated_sharpe", "entries_of_variants"]
