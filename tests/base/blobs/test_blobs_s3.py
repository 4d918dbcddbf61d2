"""What can happen to an S3 store: it is away, it hangs up, it forgets to answer, it belongs to someone else."""

import hashlib
import hmac
import re
import time
import urllib.request
from urllib.error import HTTPError
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from botocore.exceptions import ClientError

from fairlead.base.blobs import BlobIsMissing, StoreCannotBeUsed, StoreIsAway, StoreIsFull, open_blobs
from fairlead.base.blobs.address import Place
from fairlead.base.blobs.s3_bucket import S3Bucket

PART = 8 * 1024 * 1024
NOBODY = "endpoint=http://127.0.0.1:9&region=us-east-1&access_key=a&secret_key=b"


def test_an_upload_given_up_without_a_word_is_swept(s3_blobs):
    incoming = s3_blobs.receive("door")
    incoming.write(bytes(2 * PART))

    assert s3_blobs.sweep(older_than_seconds=3600) == 1
    assert s3_blobs.sweep(older_than_seconds=3600) == 0


def test_a_part_that_does_not_arrive_leaves_nothing(s3_blobs, relayed_blobs, relay):
    with pytest.raises(StoreIsAway), relayed_blobs.receive("door") as incoming:
        incoming.write(bytes(2 * PART))
        relay.stop()
        incoming.write(bytes(2 * PART))
        incoming.keep()

    assert list(s3_blobs.kept()) == []
    assert s3_blobs.sweep(older_than_seconds=-1) == 1


def test_an_upload_whose_last_answer_got_lost_is_kept(s3_blobs, relayed_blobs, relay):
    with relayed_blobs.receive("door") as incoming:
        incoming.write(bytes(PART + 1))
        relay.swallow_answer_to = re.compile(rb"POST \S+uploadId=")
        incoming.keep()

    assert s3_blobs.size("door") == PART + 1


def test_reading_goes_on_where_the_store_hung_up(relayed_blobs, s3_blobs, relay, put):
    content = bytes(range(256)) * 20_000
    put(s3_blobs, "door", content)
    relay.cut_after_bytes = 1_000_000

    assert b"".join(relayed_blobs.read("door", 100)) == content[100:]
    assert relay.cut_after_bytes is None


def test_a_store_that_is_away_is_said_in_one_sentence():
    with pytest.raises(StoreIsAway) as refusal:
        open_blobs(f"s3://payloads?{NOBODY}").size("door")

    assert str(refusal.value) == (
        "The payload store (s3://payloads/ at http://127.0.0.1:9) does not answer as it should "
        "(EndpointConnectionError): check that it runs, then try again."
    )


def test_a_bucket_that_is_not_there_is_said_by_the_check(moto):
    nowhere = open_blobs(f"s3://nowhere?endpoint={moto}&region=us-east-1&access_key=a&secret_key=b")

    with pytest.raises(StoreCannotBeUsed, match="the bucket does not exist; create it or name another"):
        nowhere.check()


def test_one_bucket_holds_several_stores_that_do_not_see_each_other(moto, bucket, s3_blobs, put):
    zenith = open_blobs(f"s3://{bucket}/zenith?endpoint={moto}&region=us-east-1&access_key=a&secret_key=b")
    put(s3_blobs, "door", b"acme")

    assert list(zenith.kept()) == []
    assert zenith.size("door") is None


def test_a_signed_link_hands_the_blob_out_under_its_name(strict_store, put):
    blobs = open_blobs(strict_store)
    put(blobs, "door", b"payload")

    with urllib.request.urlopen(blobs.link("door", "Door 1.mender", 60)) as reply:
        assert reply.read() == b"payload"
        assert reply.headers["Content-Disposition"] == 'attachment; filename="Door-1.mender"'


def test_the_signature_of_a_link_covers_all_that_it_says(s3_blobs):
    link = s3_blobs.link("door", "door.mender", 60)

    assert signature_fits(link)
    for said, instead in [("/door?", "/safe?"), ("Expires=60", "Expires=600"), ("door.mender", "evil.mender")]:
        assert said in link
        assert not signature_fits(link.replace(said, instead))


def signature_fits(link: str, secret: str = "only-a-test") -> bool:
    """What a store does with a link (AWS Signature Version 4, in the query): no store at hand does all of it."""
    address = urlsplit(link)
    said = dict(parse_qsl(address.query, keep_blank_values=True))
    signature, scope = said.pop("X-Amz-Signature"), said["X-Amz-Credential"].split("/")[1:]
    query = urlencode(sorted(said.items()), quote_via=quote, safe="~")
    request = f"GET\n{address.path}\n{query}\nhost:{address.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    wanted = f"AWS4-HMAC-SHA256\n{said['X-Amz-Date']}\n{'/'.join(scope)}\n{digest}"
    return hmac.digest(key, wanted.encode(), "sha256").hex() == signature


def test_a_link_that_has_expired_is_refused_by_the_store(strict_store, put):
    blobs = open_blobs(strict_store)
    put(blobs, "door", b"payload")
    link = blobs.link("door", "door.mender", 1)

    time.sleep(2.1)

    with pytest.raises(HTTPError) as answer:
        urllib.request.urlopen(link)
    assert answer.value.code == 403


@pytest.mark.parametrize(
    ("code", "refusal", "words"),
    [
        ("SignatureDoesNotMatch", StoreCannotBeUsed, "the secret key does not belong to this access key"),
        ("InvalidAccessKeyId", StoreCannotBeUsed, "it does not know this access key"),
        ("AccessDenied", StoreCannotBeUsed, "let them read, write, list and delete"),
        ("XMinioStorageFull", StoreIsFull, "free some space"),
        ("NoSuchKey", BlobIsMissing, "no blob named door"),
        ("SlowDown", StoreIsAway, "SlowDown"),
    ],
)
def test_what_the_store_answers_becomes_a_sentence(code, refusal, words):
    bucket = S3Bucket(Place("payloads", region="us-east-1"))

    with pytest.raises(refusal, match=words), bucket.in_our_words("door"):
        raise ClientError({"Error": {"Code": code}}, "PutObject")


def test_a_long_blob_is_kept_by_another_make_of_store_too(strict_store, put):
    blobs = open_blobs(strict_store)
    content = bytes(range(256)) * (40 * 1024)
    put(blobs, "long", content)

    assert b"".join(blobs.read("long", 5)) == content[5:]


def test_links_name_the_address_by_which_devices_reach_the_store(bucket):
    blobs = open_blobs(f"s3://{bucket}?{NOBODY}&public_endpoint=https://files.example.org")

    assert blobs.link("door", "door", 60).startswith(f"https://files.example.org/{bucket}/door?")
