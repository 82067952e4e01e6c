"""The ASGI application under plain servers, which know nothing of the engine."""

import signal
import urllib.request

from tests.workbench.test_serve import workers

APPLICATION = "workbench.asgi:application"


def test_under_daphne_the_first_request_starts_the_engine_and_the_exit_stops_it(serve, site):
    server = serve("-m", "daphne", "-b", "127.0.0.1", "-p", "0", APPLICATION)
    assert workers(site) == []
    for _ in range(2):
        with urllib.request.urlopen(f"{server.address}/healthz", timeout=10) as response:
            assert response.status == 200
    assert [ended for _, ended in workers(site)] == [0]
    server.signal(signal.SIGTERM)
    server.exit_code()
    assert [ended for _, ended in workers(site)] == [1]
    assert "Traceback" not in server.output


def test_under_uvicorn_the_lifespan_starts_and_stops_the_engine(serve, site):
    server = serve("-m", "uvicorn", "--port", "0", APPLICATION)
    assert [ended for _, ended in workers(site)] == [0]
    server.signal(signal.SIGTERM)
    server.exit_code()
    assert [ended for _, ended in workers(site)] == [1]
    assert "Traceback" not in server.output
