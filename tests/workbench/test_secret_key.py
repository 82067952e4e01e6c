"""The development key."""

from concurrent.futures import ThreadPoolExecutor

from workbench.secret_key import development_key


def test_the_key_is_kept_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "key"
    key = development_key(path)
    assert len(key) >= 50
    assert development_key(path) == key
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


def test_processes_that_start_together_agree(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: development_key(tmp_path / "key"), range(32)))
    assert len(keys) == 1
