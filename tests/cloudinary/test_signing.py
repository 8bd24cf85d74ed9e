"""Signatures: literal values that Cloudinary publishes, none of them computed here."""

import io

import pytest
import urllib3
from PIL import Image

from tests.cloudinary import Emulator, signing

# The documentation's "Generating authentication signatures", and its support article
# "How to generate a Cloudinary signature on my own" (secret "abcd").
DOCUMENTED = "b4ad47fb4e25c7bf5f92a20089f9db59bc302313"
DOCUMENTED_EAGER = "bfd09f95f331f558cbd1320e67aa8d488770583e"
# The SDK's own tests, test_utils.py: test_api_sign_request_sha1 and …_sha256.
SDK_PARAMETERS = {
    "cloud_name": "dn6ot3ged",
    "timestamp": "1568810420",
    "username": "user@cloudinary.com",
}
SDK_SECRET = "hdcixPpR2iKERPwqvH6sHdK9cyac"
SDK_SHA1 = "14c00ba6d0dfdedbc86b316847d95b9e6cd46d94"
SDK_SHA256 = "45ddaa4fa01f0c2826f32f669d2e4514faf275fe6df053f1a150e7beae58a3bd"
# The same file: test_verify_api_response_signature and …_sha256.
RESPONSE = {"public_id": "tests/logo.png", "version": "1"}
RESPONSE_SECRET = "X7qLTrsES31MzxxkxPPA-pAGGfU"
RESPONSE_SHA1 = "08d3107a5b2ad82e7d82c0b972218fbf20b5b1e0"
RESPONSE_SHA256 = "cc69ae4ed73303fbf4a55f2ae5fc7e34ad3a5c387724bfcde447a2957cacdfea"
# The same file: test_verify_notification_signature, whose clock stands at 1549533574.
NOTIFICATION = (
    b'{"notification_type":"eager","eager":[{"transformation":"sp_full_hd/mp4","bytes":1055,'
    b'"url":"http://res.cloudinary.com/demo/video/upload/sp_full_hd/v1533125278/dog.mp4",'
    b'"secure_url":"https://res.cloudinary.com/demo/video/upload/sp_full_hd/v1533125278/dog.mp4"'
    b'}],"public_id":"dog",'
    b'"batch_id":"9b11fa058c61fa577f4ec516bf6ee756ac2aefef095af99aef1302142cc1694a"}'
)
NOTIFICATION_SHA1 = "dfe82de1d9083fe0b7ea68070649f9a15b8874da"
# The same file, and the Java SDK's NotificationRequestSignatureVerifierTest.
EMPTY_SHA1 = "f9aa4471d2a88ff244424cca2444edf7d7ac3596"
EMPTY_SHA256 = "d5497e1a206ad0ba29ad09a7c0c5f22e939682d15009c15ab3199f62fefbd14b"


def test_documented_upload() -> None:
    given = {"timestamp": "1315060510", "public_id": "sample_image"}
    assert signing.sign(given, "abcd") == DOCUMENTED


def test_documented_upload_with_eager() -> None:
    given = {
        "timestamp": "1315060510",
        "public_id": "sample_image",
        "eager": "w_400,h_300,c_pad|w_260,h_200,c_crop",
    }
    assert signing.sign(given, "abcd") == DOCUMENTED_EAGER


def test_empty_values_are_not_signed() -> None:
    given = {"timestamp": "1315060510", "public_id": "sample_image", "folder": ""}
    assert signing.sign(given, "abcd") == DOCUMENTED


@pytest.mark.parametrize(("algorithm", "expected"), [("sha1", SDK_SHA1), ("sha256", SDK_SHA256)])
def test_values_of_the_sdk(algorithm: str, expected: str) -> None:
    assert signing.sign(SDK_PARAMETERS, SDK_SECRET, algorithm) == expected


@pytest.mark.parametrize(
    ("algorithm", "expected"), [("sha1", RESPONSE_SHA1), ("sha256", RESPONSE_SHA256)]
)
def test_answers(algorithm: str, expected: str) -> None:
    assert signing.sign(RESPONSE, RESPONSE_SECRET, algorithm, escaped=False) == expected


def test_notifications() -> None:
    timestamp = 1549533574 - 60
    signed = signing.sign_notification(NOTIFICATION, timestamp, RESPONSE_SECRET)
    assert signed == NOTIFICATION_SHA1
    assert signing.sign_notification(b"{}", 0, "someApiSecret") == EMPTY_SHA1
    assert signing.sign_notification(b"{}", 0, "someApiSecret", "sha256") == EMPTY_SHA256


def test_ampersands_are_escaped_so_that_no_parameter_hides_in_another() -> None:
    hidden = {"tags": "a&public_id=other"}
    assert signing.string_to_sign(hidden) == "tags=a%26public_id=other"
    assert signing.string_to_sign(hidden, escaped=False) == "tags=a&public_id=other"


@pytest.mark.parametrize(
    ("eager", "signature"),
    [("", DOCUMENTED), ("w_400,h_300,c_pad|w_260,h_200,c_crop", DOCUMENTED_EAGER)],
)
def test_the_documented_requests_are_taken(eager: str, signature: str) -> None:
    answer = _post_documented(eager, signature)
    assert answer.status == 200
    assert answer.json()["public_id"] == "sample_image"
    sizes = [(each["width"], each["height"]) for each in answer.json().get("eager", [])]
    assert sizes == ([(400, 300), (260, 200)] if eager else [])


def test_a_documented_signature_fits_no_other_request() -> None:
    answer = _post_documented("w_400", DOCUMENTED)
    assert answer.status == 401
    assert answer.json() == {
        "error": {
            "message": f"Invalid Signature {DOCUMENTED}. String to sign - "
            "'eager=w_400&public_id=sample_image&timestamp=1315060510'."
        }
    }


def _post_documented(eager: str, signature: str) -> urllib3.BaseHTTPResponse:
    picture = io.BytesIO()
    Image.new("RGB", (800, 600), "red").save(picture, "JPEG")
    fields = {
        "timestamp": "1315060510",
        "public_id": "sample_image",
        "api_key": "1234",
        "eager": eager,
        "file": ("sample.jpg", picture.getvalue()),
        "signature": signature,
    }
    with Emulator(key="1234", secret="abcd", clock=lambda: 1315060511.0) as emulator:
        return urllib3.request("POST", f"{emulator.origin}/v1_1/demo/image/upload", fields=fields)
