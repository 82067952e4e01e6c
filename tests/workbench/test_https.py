"""Behind a proxy that ends TLS: what a browser and a probe get, from a real server in its production configuration."""

import http.client

import pytest

PRODUCTION = {"ALLOWED_HOSTS": "chat.example.org", "WORKBENCH_TRUST_PROXY": "on"}
BY_HTTPS = {"Host": "chat.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


@pytest.fixture
def get(serve):
    server = serve(**PRODUCTION)

    def get(path, headers):
        client = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=10)
        client.request("GET", path, headers=headers)
        response = client.getresponse()
        response.read()
        return response

    return get


def test_a_proxys_word_of_who_asks_is_believed_and_no_clients(serve):
    server = serve(**PRODUCTION, WORKBENCH_LOG_FORMAT="json")
    client = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=10)
    client.request("GET", "/login/", headers=BY_HTTPS | {"X-Forwarded-For": "10.9.9.9, 192.0.2.7"})
    assert client.getresponse().status == 200
    assert '"client":"192.0.2.7:0"' in server.wait_for("GET /login/ 200").replace('": "', '":"')


def test_production_speaks_https_only_and_answers_probes(get):
    plain = get("/login/", {"Host": "chat.example.org"})
    assert (plain.status, plain.headers["Location"]) == (301, "https://chat.example.org/login/")

    secure = get("/login/", BY_HTTPS)
    assert secure.status == 200
    assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]
    assert "Secure" in secure.headers["Set-Cookie"]

    assert get("/login/", BY_HTTPS | {"Host": "elsewhere.example.org"}).status == 400
    assert get("/healthz", {"Host": "10.0.0.7"}).status == 200
