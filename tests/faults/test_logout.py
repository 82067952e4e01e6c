"""A real login and logout by HTTP, and what becomes of the sockets."""

import asyncio
import http.cookiejar
import urllib.parse
import urllib.request

from tests.faults.people import Person, until
from tests.faults.recital import Order


class Browser:
    """Cookies and forms; blocks."""

    def __init__(self, server):
        self.server = server
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path):
        with self.opener.open(f"{self.server.address}{path}", timeout=20) as response:
            return response.geturl()

    def post(self, path, **fields):
        form = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": self.cookie("csrftoken")}).encode()
        with self.opener.open(f"{self.server.address}{path}", data=form, timeout=20) as response:
            return response.geturl()

    def cookie(self, name):
        return next(cookie.value for cookie in self.jar if cookie.name == name)

    def log_in(self, name, password):
        self.get("/login/")
        self.post("/login/", username=name, password=password)
        return f"sessionid={self.cookie('sessionid')}"


async def test_the_sockets_of_that_login_are_closed_within_five_seconds_in_every_process(site):
    first, second = await asyncio.gather(site.serve(), site.serve())
    browser, elsewhere = Browser(first), Browser(first)
    name = site.people[0]["name"]
    cookie = await asyncio.to_thread(browser.log_in, name, site.password)
    kept_cookie = await asyncio.to_thread(elsewhere.log_in, name, site.password)
    async with (
        Person(first.socket_address, cookie=cookie) as here,
        Person(second.socket_address, cookie=cookie) as there,
        Person(first.socket_address, cookie=kept_cookie) as other_login,
        site.person(1, first) as other_person,
    ):
        answer = await here.ask(Order(events=300), "reciter-cooperative")
        kept = await other_login.watch(answer.response_id, answer.order)
        await until(lambda: answer.cursor >= 10)
        await asyncio.to_thread(browser.post, "/logout/")
        async with asyncio.timeout(5):
            await asyncio.gather(here.gone(), there.gone())
        assert (here.closings, there.closings) == ([4401], [4401])
        await until(kept.ended.wait)
        site.check(kept)
        site.check(answer, whole=False)
        assert site.database.response(answer.response_id).outcome == ("completed", None)
        assert (other_login.closings, other_person.closings) == ([], [])
        late = asyncio.create_task(Person(first.socket_address, cookie=cookie).__aenter__())
        await asyncio.wait({late}, timeout=2)
        assert not late.done()
        late.cancel()
