"""Whether a request to a stand-in is signed as AWS wants it: the signature is made again and compared."""

import re
from collections.abc import Mapping

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.standins.bedrock_rules import Refused
from tests.standins.leading import ACCESS_KEY, SECRET_KEY

API_KEY = "stand-in-api-key"

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def check_authorization(method: str, url: str, headers: Mapping[str, str], body: bytes, scope: tuple[str, str]) -> None:
    """Raises Refused (403) for a request that isn't ours to answer. `url` as it was sent, undecoded;
    `scope` is the region and the service that it has to be signed for."""
    given = headers.get("Authorization", "")
    if not given:
        raise Refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    if given.startswith("Bearer "):
        if given != f"Bearer {API_KEY}":
            raise Refused(
                403, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid."
            )
        return
    signed = _SIGNED.fullmatch(given)
    if not signed or signed["key"] != ACCESS_KEY:
        raise Refused(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
    if (signed["region"], signed["service"]) != scope:
        raise Refused(403, "InvalidSignatureException", "Credential should be scoped to a valid region.")
    wanted = {name: headers[name] for name in signed["headers"].split(";")}
    request = AWSRequest(method, url, headers=wanted, data=body)
    request.context["timestamp"] = headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), scope[1], scope[0])
    if (
        signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        != signed["signature"]
    ):
        raise Refused(
            403,
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        )
