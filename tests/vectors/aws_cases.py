"""Writes aws_cases.json: AWS's own cases for signatures in headers, made anew with botocore.

    .ci/botocore tests/vectors/aws_cases.py

AWS's suite for signers has 38 such cases, with these names. The requests are the same; what is made
of them is botocore's work. Paths and queries stand here as the suite's request lines have them, so
without percent-encoding.

Seven cases exist twice. 'normalized' ones have `//`, `.` and `..` in the path resolved before it is
signed, as AWS's services but S3 want it, 'unnormalized' ones have not. So a path that is changed by
this is signed as another than the one that stands in the request.
"""

from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from signing import ACCESS_KEY_ID, SECRET_ACCESS_KEY, signer, stages, write

HOST = "example.amazonaws.com"
TIME = "20150830T123600Z"
REGION = "us-east-1"
SERVICE = "service"
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LONG_TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMic"
    "RXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKs"
    "burEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0"
    "iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)


class SignedAsItStands(SigV4Auth):
    """Does what botocore's signer for S3 does with a path: nothing is resolved."""

    def _normalize_url_path(self, path):
        return quote(path, safe="/~")


def case(name, method="GET", path="/", query=(), headers=(), payload="", token=None):
    return locals()


def twice(name, path):
    return [case(f"{name}-{kind}", path=path) for kind in ["normalized", "unnormalized"]]


def form(content_type):
    """A form; the suite signs its length and its hash, too."""
    payload = "Param1=value1"
    return {
        "payload": payload,
        "headers": [
            ("Content-Type", content_type),
            ("Content-Length", str(len(payload))),
            (
                "X-Amz-Content-Sha256",
                "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
            ),
        ],
    }


def repeated(*values):
    return [("My-Header1", value) for value in values]


CASES = [
    case("get-vanilla"),
    case("get-vanilla-query"),
    case("get-vanilla-empty-query-key", query=[("Param1", "value1")]),
    case("get-vanilla-query-unreserved", query=[(UNRESERVED, UNRESERVED)]),
    case("get-vanilla-utf8-query", query=[("ሴ", "bar")]),
    case(
        "get-vanilla-query-order-key-case",
        query=[("Param2", "value2"), ("Param1", "value1")],
    ),
    case(
        "get-vanilla-query-order-encoded",
        query=[("Param-3", "Value3"), ("Param", "Value2"), ("ሴ", "Value1")],
    ),
    case("get-unreserved", path=f"/{UNRESERVED}"),
    case("get-utf8", path="/ሴ"),
    *twice("get-space", "/example space/"),
    *twice("get-slash", "//"),
    *twice("get-slashes", "//example//"),
    *twice("get-slash-dot-slash", "/./"),
    *twice("get-slash-pointless-dot", "/./example"),
    *twice("get-relative", "/example/.."),
    *twice("get-relative-relative", "/example1/example2/../.."),
    case("get-header-key-duplicate", headers=repeated("value2", "value2", "value1")),
    case(
        "get-header-value-order",
        headers=repeated("value4", "value1", "value3", "value2"),
    ),
    case(
        "get-header-value-multiline",
        headers=repeated("value1\n  value2\n     value3"),
    ),
    case(
        "get-header-value-trim",
        headers=[("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')],
    ),
    case(
        "get-vanilla-with-session-token",
        token="6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
    ),
    case("post-vanilla", "POST"),
    case("post-vanilla-query", "POST", query=[("Param1", "value1")]),
    case("post-vanilla-empty-query-value", "POST", query=[("Param1", "value1")]),
    case("post-header-key-case", "POST"),
    case("post-header-key-sort", "POST", headers=repeated("value1")),
    case("post-header-value-case", "POST", headers=repeated("VALUE1")),
    case("post-sts-header-before", "POST", token=LONG_TOKEN),
    # The token is added after signing, so the signer never sees it.
    case("post-sts-header-after", "POST"),
    case(
        "post-x-www-form-urlencoded",
        "POST",
        **form("application/x-www-form-urlencoded"),
    ),
    case(
        "post-x-www-form-urlencoded-parameters",
        "POST",
        **form("application/x-www-form-urlencoded; charset=utf-8"),
    ),
]


def vector(case):
    is_unnormalized = case["name"].endswith("-unnormalized")
    kind = SignedAsItStands if is_unnormalized else SigV4Auth
    request = AWSRequest(
        method=case["method"],
        url=f"https://{HOST}{case['path']}",
        params=dict(case["query"]),
        data=case["payload"].encode(),
    )
    for name, value in case["headers"]:
        request.headers[name] = value
    signed = stages(signer(SERVICE, REGION, case["token"], kind), request, TIME)
    signed_path = signed["canonical_request"].split("\n")[1]
    return {
        "name": case["name"],
        "method": case["method"],
        "host": HOST,
        "path": case["path"],
        "is_signed_with_another_path": signed_path != quote(case["path"], safe="/~"),
        "query": [list(pair) for pair in case["query"]],
        "headers": [[name.lower(), value] for name, value in case["headers"]],
        "payload": case["payload"],
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
        "session_token": case["token"],
        "region": REGION,
        "service": SERVICE,
        "time": TIME,
    } | signed


assert len(CASES) == len({case["name"] for case in CASES}) == 38
write("aws_cases.json", [vector(case) for case in CASES])
