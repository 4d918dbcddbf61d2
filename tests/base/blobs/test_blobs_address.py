"""Which store an address means, and what is said about one that means none."""

import pytest

from fairlead.base.blobs import BadBlobUrl, open_blobs


@pytest.mark.parametrize("url", ["file:///var/lib/blobs", "/var/lib/blobs", "file:///var/lib/x/../blobs/"])
def test_a_folder_is_named_by_its_path(url):
    assert open_blobs(url).describe() in {"files in /var/lib/blobs", "files in /var/lib/x/../blobs"}


def test_a_path_may_contain_what_an_address_may_not():
    assert open_blobs("/srv/100%25 blobs?#").describe() == "files in /srv/100%25 blobs?#"
    assert open_blobs("file:///srv/my%20blobs").describe() == "files in /srv/my blobs"


def test_the_description_of_a_store_keeps_its_secrets():
    blobs = open_blobs("s3://bucket/a/b?endpoint=http://127.0.0.1:9000&region=x&access_key=AKIA&secret_key=hush")

    assert blobs.describe() == "s3://bucket/a/b/ at http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://host/x", "begins with 'ftp': write file:///a/folder or s3://bucket/prefix."),
        ("", "names no folder: write file:///a/folder or s3://bucket/prefix."),
        ("file://", "names no folder: write file:///a/folder or s3://bucket/prefix."),
        ("file://host/x", "names a host before the folder: write three slashes, as in file:///a/folder."),
        ("file:x", "names a folder that depends on where we stand: write file:///a/folder."),
        ("file:///x?y=z", "has options, which a folder does not take: write it without what follows the path."),
        ("s3://", "names no bucket of a possible name: write s3://bucket/prefix."),
        ("s3://[x", "cannot be read: write file:///a/folder or s3://bucket/prefix."),
        ("s3://b_/x", "names no bucket of a possible name: write s3://bucket/prefix."),
        ("s3://bucket/a b", "has a prefix of strange characters: write letters, digits, dots, dashes and underscores"),
        ("s3://bucket?endpoint=minio:9000", "has no usable endpoint: write it as in endpoint=https://s3.example.org."),
        ("s3://bucket?endpoint=http://[x", "has no usable endpoint: write it as in endpoint=https://s3.example.org."),
        ("s3://bucket?path_style=yes", "is unclear about path_style: write path_style=true or path_style=false."),
        ("s3://bucket?regoin=x", "has the unknown option 'regoin': write only endpoint, public_endpoint, region,"),
        ("s3://bucket?region=", "leaves the option 'region' empty: write a value, or leave the option out."),
        ("s3://bucket?access_key=x", "has half of the credentials: write both access_key and secret_key, or neither."),
        ("s3://key:hush@bucket/x", "has credentials before the bucket: write them into AWS_ACCESS_KEY_ID"),
    ],
)
def test_nonsense_is_refused_with_the_way_out(url, sentence):
    with pytest.raises(BadBlobUrl) as refusal:
        open_blobs(url)

    assert str(refusal.value).startswith("The address of the payload store " + sentence)
    assert "hush" not in str(refusal.value)
