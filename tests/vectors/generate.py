#!/usr/bin/env python3
"""Writes sigv4.json: how botocore, AWS's SDK for Python, signs the requests that we make.

    .ci/botocore tests/vectors/generate.py

Paths, queries and bodies come from botocore's own model of Route 53, so they are AWS's too.
Nothing depends on when or where this runs.
"""

from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.serialize import create_serializer
from botocore.session import Session

from signing import ACCESS_KEY_ID, SECRET_ACCESS_KEY, signer, stages, write

TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJ+token/with+all=of=it=="

# Endpoint, region, time, session token.
SETTINGS = [
    ("https://route53.amazonaws.com", "us-east-1", "20150830T123600Z", None),
    ("https://route53.amazonaws.com", "us-east-1", "20261231T235959Z", TOKEN),
    ("https://route53.amazonaws.com.cn", "cn-northwest-1", "20240229T000000Z", None),
    ("http://127.0.0.1:4566", "cn-northwest-1", "20260101T000001Z", TOKEN),
]

ZONE = "Z0123456789ABCDEFGHIJ"


def listing(**start):
    return {"HostedZoneId": ZONE, "MaxItems": "300"} | start


# What it is about, operation, its parameters.
CASES = [
    ("from the start", "ListResourceRecordSets", listing()),
    (
        "from a name",
        "ListResourceRecordSets",
        listing(StartRecordName="default.example.com."),
    ),
    (
        "from an escaped name and a type",
        "ListResourceRecordSets",
        listing(StartRecordName="\\052.example.com.", StartRecordType="A"),
    ),
    (
        "from an identifier with separators",
        "ListResourceRecordSets",
        listing(
            StartRecordName="web.example.com.",
            StartRecordType="AAAA",
            StartRecordIdentifier="a=1&b=2;c?d#e/f",
        ),
    ),
    (
        "from an identifier with blanks, plus, percent and tilde",
        "ListResourceRecordSets",
        listing(
            StartRecordName="a b.example.com.",
            StartRecordType="TXT",
            StartRecordIdentifier=" 50% + ~x~ %2B  ",
        ),
    ),
    (
        "from an identifier beyond ASCII",
        "ListResourceRecordSets",
        listing(
            StartRecordName="bücher.example.com.",
            StartRecordType="A",
            StartRecordIdentifier="Zürich 東京 🦀",
        ),
    ),
    (
        "a zone id that must be encoded",
        "ListResourceRecordSets",
        {"HostedZoneId": "Z 1/é+%~"},
    ),
    (
        "one record set",
        "ChangeResourceRecordSets",
        {
            "HostedZoneId": ZONE,
            "ChangeBatch": {
                "Comment": "ünïcode & <markup>",
                "Changes": [
                    {
                        "Action": action,
                        "ResourceRecordSet": {
                            "Name": "\\052.example.com.",
                            "Type": "A",
                            "TTL": 300,
                            "ResourceRecords": [{"Value": value}],
                        },
                    }
                    for action, value in [
                        ("DELETE", "192.0.2.1"),
                        ("CREATE", "192.0.2.2"),
                    ]
                ],
            },
        },
    ),
    ("by name", "ListHostedZonesByName", {"DNSName": "example.com"}),
    (
        "by an awkward name",
        "ListHostedZonesByName",
        {"DNSName": "a~b+c%d \\052=&.example.com.", "HostedZoneId": ZONE},
    ),
    ("by id", "GetHostedZone", {"Id": ZONE}),
    ("by id", "GetChange", {"Id": "C2682N5HXP0BZ4"}),
]


def vector(title, operation, parameters, setting):
    endpoint, region, time, token = setting
    serialized = SERIALIZER.serialize_to_request(
        parameters, MODEL.operation_model(operation)
    )
    # The path as the model writes it, with the one id that our operations have put in.
    path = MODEL.operation_model(operation).http["requestUri"].removeprefix("/")
    segments = [
        parameters.get("HostedZoneId", parameters.get("Id"))
        if segment.startswith("{")
        else segment
        for segment in path.split("/")
    ]
    query = sorted(serialized["query_string"].items(), reverse=True)
    prepare_request_dict(serialized, endpoint)
    request = create_request_object(serialized)

    signed = stages(signer("route53", region, token), request, time)
    names = ["host", "x-amz-date"] + (["x-amz-security-token"] if token else [])
    assert f"SignedHeaders={';'.join(names)}, " in signed["authorization"], signed
    return {
        "title": f"{operation} {title}, {region}, {'with' if token else 'no'} token",
        "method": request.method,
        "host": endpoint.split("//")[1],
        "segments": segments,
        "query": query,
        "payload": (request.body or b"").decode(),
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
        "session_token": token,
        "region": region,
        "service": "route53",
        "time": time,
    } | signed


MODEL = Session().get_service_model("route53")
SERIALIZER = create_serializer("rest-xml", include_validation=False)
write(
    "sigv4.json",
    [vector(*case, setting) for case in CASES for setting in SETTINGS],
)
