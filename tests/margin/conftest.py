import json

import pytest

from liqbt.margin import read_tiers


@pytest.fixture
def read(tmp_path):
    def write_and_read(payload, **options):
        file = tmp_path / "tiers.json"
        file.write_text(payload if isinstance(payload, str) else json.dumps(payload), "utf-8")
        return read_tiers(file, **options)

    return write_and_read
