"""What both generators share: botocore's signer, stage by stage, with a time of our own."""

import json
import sys
from pathlib import Path

import botocore
from botocore.auth import SigV4Auth
from botocore.credentials import Credentials

ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def signer(service, region, token, kind=SigV4Auth):
    return kind(Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, token), service, region)


def stages(signer, request, time):
    """What `SigV4Auth.add_auth` does, stage by stage, with our time instead of now."""
    request.context["timestamp"] = time
    signer._modify_request_before_signing(request)
    canonical_request = signer.canonical_request(request)
    string_to_sign = signer.string_to_sign(request, canonical_request)
    signature = signer.signature(string_to_sign, request)
    signer._inject_signature_to_request(request, signature)
    return {
        "canonical_request": canonical_request,
        "string_to_sign": string_to_sign,
        "signature": signature,
        "authorization": request.headers["Authorization"],
    }


def write(name, vectors):
    """Writes a file of vectors into the folder that is the program's argument, or beside this one."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent
    content = {"botocore": botocore.__version__, "vectors": vectors}
    text = json.dumps(content, indent=1) + "\n"
    (folder / name).write_text(text, encoding="utf-8")
    print(f"{len(vectors)} vectors in {name}")
