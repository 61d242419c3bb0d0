"""What all tests share: the example pictures, and the flag that rewrites golden files."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

collect_ignore = ["processing.py"]  # not for doctests: it needs what only the oracle tests do

ROOT = Path(__file__).resolve().parent.parent

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin without it

settings.register_profile("project", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files instead of comparing with them")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def examples() -> Path:
    """The folder of example pictures."""
    return ROOT / "examples"


@pytest.fixture(scope="session")
def pairs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of shards with 40 sampled scenes, a third of them held out."""
    from treesketch.shards import build, store

    folder = tmp_path_factory.mktemp("pairs") / "shards"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "HELD", 3)
        config = build.read_config(ROOT / "configs" / "data.toml", ["samples=40", "rows=20", "seed=2"])
        assert len(list(build.prepare(config, folder, []).run(1))) == 3
    return folder
