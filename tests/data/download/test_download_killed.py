import multiprocessing
import random
import shutil

import pytest
from data.archive_server import Archive, contents, klines

from liqbt.data.download import download


@pytest.mark.slow
def test_fifty_kills_leave_what_an_uninterrupted_run_leaves(tmp_path):
    """Runs die by SIGKILL at random moments, some while another works in the same folder, and are started again."""
    rng = random.Random(7)  # noqa: S311
    # Processes forked from one that has imported everything start in milliseconds, so that kills land in the work itself.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["liqbt.data.download"])
    with Archive() as archive:
        archive.put(klines("2023-03"), size=20_000)
        for day in range(1, 29):
            if day != 13:
                archive.put(klines(f"2023-02-{day:02}"), size=3_000 + 100 * day)
        order = {"symbol": "BTCUSDT", "tables": ["klines"], "interval": "1m", "start": "2023-02-01", "end": "2023-04-01"}
        order |= {"base_url": archive.url, "workers": 3, "backoff_s": 0.0}
        uninterrupted = download(**order, folder=tmp_path / "uninterrupted")
        assert len(uninterrupted.files) == 28
        expected = contents(tmp_path / "uninterrupted")
        assert expected == archive.files

        archive.dribble = (100, 0.005)
        place = tmp_path / "killed"
        kills = halves = 0
        while kills < 50:
            runs = [processes.Process(target=download, kwargs={**order, "folder": place}) for _ in range(rng.choice([1, 1, 2]))]
            for run in runs:
                run.start()
            for run in runs:
                run.join(rng.uniform(0.1, 0.4))
                run.kill()
                run.join()
                assert run.exitcode in (0, -9)
                kills += run.exitcode == -9
            found = contents(place) if place.exists() else {}
            assert {name: found[name] for name in found if not name.endswith(".part")}.items() <= expected.items()
            halves += any(name.endswith(".part") and content for name, content in found.items())
            if len(runs) == 1 and runs[0].exitcode == 0:
                assert found == expected
                shutil.rmtree(place)
        archive.dribble = None
        resumed = download(**order, folder=place)
        assert [file.relative_to(place) for file in resumed.files] == [
            file.relative_to(tmp_path / "uninterrupted") for file in uninterrupted.files
        ]
        assert contents(place) == expected
        assert halves >= 10
        assert [one for one in archive.bodies() if one.status == 206]
