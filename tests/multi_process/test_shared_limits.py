"""A user's limits hold for all processes together; processes that can't hear of each other say so."""

from tests.multi_process.conftest import LIMIT, serve


async def test_starts_are_counted_in_all_processes_together(sites):
    here, there = sites
    body = {"task": "counting", "content": "1"}
    for number in range(LIMIT):
        status, _, _ = await (here, there)[number % 2].ask("POST", "/api/v1/generate/invoke", body)
        assert status == 200
    for site in sites:
        status, headers, refusal = await site.ask("POST", "/api/v1/generate/invoke", body)
        assert (status, refusal["code"]) == (429, "rate_limited")
        assert int(headers["Retry-After"]) > 0
    async with there.socket() as socket:
        error = await socket.start("1")
    assert (error["type"], error["code"]) == ("error", "rate_limited")
    assert error["retry_after"] > 0


async def test_sockets_are_too(sites):
    here, there = sites
    async with here.socket() as first, there.socket() as second:
        for socket in (first, second):
            await socket.until_kind("hello")
        async with here.socket() as third:
            await third.until_kind("hello")
            async with there.socket() as one_too_many:
                assert await one_too_many.closing_code() == 4429


async def test_a_process_without_redis_beside_others_isnt_ready_and_says_why(sites, environment):
    alone = serve(environment | {"REDIS_URL": ""})
    try:
        sites[0].server = alone
        status, _, said = await sites[0].ask("GET", "/readyz")
        assert (status, list(said["failing"])) == (503, ["processes"])
        assert "REDIS_URL isn't set" in said["failing"]["processes"]
    finally:
        alone.kill()
