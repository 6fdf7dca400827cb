#!/usr/bin/env python3
"""Compares what the program makes of each name in AWS_REGION with what botocore makes of it.

    .ci/regions

botocore is asked by making a client and a call, and by stopping the call just before it is sent.
Three kinds of names exist: regions, names of a whole partition such as aws-cn-global, and others,
with which botocore names the endpoints of single services, such as bedrock-us-east-1. Each of them
may be marked as FIPS. What may differ:

- A name of the third kind is refused: botocore makes host names of it that don't exist.
- A name whose FIPS endpoints botocore's own lists don't have is refused.
- A name of a whole partition but aws-global: botocore makes a host name of it for STS that doesn't
  exist. The program asks STS in the region that signs for Route 53.
"""

import os
import re
import subprocess
import sys
from collections import Counter

import botocore
from botocore.exceptions import InvalidRegionError
from botocore.session import Session

# Nothing of this machine's settings.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null"

SESSION = Session()
SESSION.set_credentials("AKIDEXAMPLE", "secret")
LOADER = SESSION.get_component("data_loader")
LISTS = LOADER.load_data("endpoints")["partitions"]
PARTITIONS = LOADER.load_data("partitions")["partitions"]
CALLS = {"route53": "list_hosted_zones", "sts": "get_caller_identity"}


class Stopped(Exception):
    """The call was about to be sent."""


def asked(service, name):
    """Endpoint and signing region of one call."""
    seen = {}

    def stop(request, **_):
        seen["url"] = request.url
        seen["authorization"] = request.headers["Authorization"].decode()
        raise Stopped

    client = SESSION.create_client(service, region_name=name)
    client.meta.events.register("before-send", stop)
    try:
        getattr(client, CALLS[service])()
    except Stopped:
        pass
    scheme, _, host = seen["url"].split("/")[:3]
    scope = re.search("Credential=AKIDEXAMPLE/[0-9]+/([^/]+)/", seen["authorization"])
    return f"{scheme}//{host}", scope[1]


def of_botocore(name):
    try:
        return [*asked("route53", name), *asked("sts", name)]
    except InvalidRegionError:
        return None


def listed(service, tag=None):
    """The hosts of a service in botocore's lists: the plain ones, or those with a tag."""
    hosts = set()
    for partition in LISTS:
        of_service = partition["services"].get(service, {})
        layers = [partition["defaults"], of_service.get("defaults", {})]
        for region, endpoint in of_service.get("endpoints", {}).items():
            host = None
            for layer in [*layers, endpoint]:
                if tag is None:
                    host = layer.get("hostname", host)
                elif layer is not layers[0]:
                    # The partition's own default makes a name for every region, whether or not it exists.
                    for variant in layer.get("variants", []):
                        host = variant["hostname"] if variant["tags"] == [tag] else host
            if host and not endpoint.get("deprecated"):
                hosts.add(
                    "https://"
                    + host.format(
                        service=service, region=region, dnsSuffix=partition["dnsSuffix"]
                    )
                )
    return hosts


REGIONS = {
    region
    for partition in PARTITIONS
    for region in partition["regions"]
    if re.match(partition["regionRegex"], region)
}
WHOLE = {region for partition in PARTITIONS for region in partition["regions"]} - REGIONS
FIPS = {service: listed(service, "fips") for service in CALLS}
STS = listed("sts")


def plain(name):
    return name.replace("fips-", "").replace("-fips", "")


def expected(name, theirs):
    """What the program has to say, and why. None: it refuses the name."""
    is_fips = plain(name) != name
    if plain(name) not in REGIONS | WHOLE or theirs is None:
        return None, "no region: refused"
    route53, route53_region, sts, _ = theirs
    kind = "region"
    if plain(name) in WHOLE:
        kind = "whole partition"
        if name != "aws-global":
            # Both are stated about botocore, so that a better botocore is noticed.
            assert sts not in STS | FIPS["sts"], f"{name}: {sts} exists"
            sts = sts.replace(plain(name), route53_region)
            theirs = [route53, route53_region, sts, route53_region]
            kind = "whole partition: STS in its region"
    if is_fips:
        if route53 not in FIPS["route53"] or sts not in FIPS["sts"]:
            return None, "FIPS endpoint that isn't listed: refused"
        return theirs, f"FIPS, {kind}"
    return theirs, kind


def names():
    """All that botocore has in the place of a region, and each of its regions marked as FIPS."""
    found = REGIONS | WHOLE
    for partition in LISTS:
        found |= set(partition["regions"])
        for service in partition["services"].values():
            found |= set(service.get("endpoints", {}))
    for name in REGIONS | WHOLE:
        found |= {f"fips-{name}", f"{name}-fips"}
    return sorted(found)


def main(program):
    asked_for = names()
    answers = subprocess.run(
        [program],
        input="".join(f"{name}\n" for name in asked_for),
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout.splitlines()
    assert len(answers) == len(asked_for), "one answer for each name"
    counts = Counter()
    faults = []
    for name, answer in zip(asked_for, answers):
        its_name, *ours = answer.split("\t")
        assert its_name == name
        theirs = of_botocore(name)
        wanted, why = expected(name, theirs)
        counts[why] += 1
        if wanted is None:
            is_right = len(ours) == 1 and ours[0].startswith(f'AWS_REGION="{name}": ')
        else:
            is_right = ours == wanted
        if not is_right:
            faults.append(f"{name} ({why})\n  ours: {ours}\n  wanted: {wanted}\n  botocore: {theirs}")
    print("\n".join(faults))
    for why, count in sorted(counts.items()):
        print(f"{count:4} {why}")
    accepted = sum(count for why, count in counts.items() if "refused" not in why)
    print(
        f"{len(asked_for)} names of {len(PARTITIONS)} partitions in botocore "
        f"{botocore.__version__}: {accepted} with endpoints, {len(asked_for) - accepted} refused, "
        f"{len(faults)} wrong"
    )
    assert len(REGIONS) > 40 and len(WHOLE) > 6, "too few to prove anything"
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
